// The framework reads back from the environment exactly the event that a scenario sent.

import { expect, test } from '@jest/globals';

import { parseContext } from '../../../lib/juju/context.ts';
import { secret, storage } from '../../support/scenario/builders.ts';
import { environmentOf } from '../../support/scenario/environment.ts';
import {
  action,
  configChanged,
  pebbleCheck,
  pebbleNotice,
  pebbleReady,
  relationBroken,
  relationChanged,
  relationCreated,
  relationDeparted,
  relationJoined,
  secretEvent,
  storageAttached,
  storageDetaching,
} from '../../support/scenario/events.ts';
import { client, peers, sampleState } from './test-charm.ts';

const own = secret({ owner: 'application', label: 'own', content: { key: 'value' } });
const data = storage('data', '/data');

const triggers = [
  configChanged,
  relationCreated(client),
  relationJoined(client, 'shop/0'),
  relationChanged(client, 'shop/0'),
  relationChanged(client),
  relationDeparted(peers, 'sample/1', 'sample/0'),
  relationBroken(client),
  storageAttached(data),
  storageDetaching(data),
  secretEvent(own, 'rotate'),
  secretEvent(own, 'remove', 2),
  pebbleReady('web'),
  pebbleNotice('web', 'example.com/started'),
  pebbleCheck('web', 'up', 'failed'),
  action('list'),
];

const rows = triggers.map((trigger) => ({ summary: trigger.event.name, trigger }));

test.each(rows)('$summary arrives as it was sent', ({ trigger }) => {
  const context = parseContext(environmentOf(sampleState(), trigger));

  expect(context.event).toEqual(trigger.event);
});

test('unit and model arrive as the state has them', () => {
  const state = sampleState();

  const { unit, app, modelName, modelUuid } = parseContext(environmentOf(state, configChanged));

  expect({ unit, app, modelName, modelUuid }).toEqual({
    unit: 'sample/0',
    app: 'sample',
    modelName: state.model.name,
    modelUuid: state.model.uuid,
  });
});
