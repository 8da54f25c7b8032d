// A pod that was replaced: whatever hook comes first starts the member again.

import { expect } from '@jest/globals';

import { configChanged, lifecycle, pebbleReady } from '../support/scenario/events.ts';
import { inNewContainer, running, underTest } from '../support/scenario/postgresql/journey.ts';
import { scenario } from '../support/scenario/scenario.ts';

for (const { hook, event } of [
  { hook: 'upgrade-charm', event: lifecycle('upgrade-charm') },
  { hook: 'config-changed', event: configChanged },
  { hook: 'postgresql-pebble-ready', event: pebbleReady('postgresql') },
]) {
  scenario(`the member of a new pod starts in ${hook}`, {
    charm: underTest,
    given: async () => inNewContainer(await running({ number: 1, others: [0], primary: 0 })),
    when: event,
    then: ({ state: after }) => {
      expect(after.containers['postgresql']?.services).toMatchObject({
        postgresql: { current: 'active' },
        watcher: { current: 'active' },
      });
      expect(after.unitStatus).toEqual({ level: 'active', message: '' });
    },
  });
}
