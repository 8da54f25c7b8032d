// The handlers. Almost every event has the same one: read what the operator wants and what related
// charms ask for, and make the data bags say so. What is wrong is corrected by the operator and
// heals in that very event; until then, related charms keep what they were given.

import * as v from 'valibot';

import { present } from '../../../lib/base/present.ts';
import { Secret } from '../../../lib/base/secret.ts';
import {
  announceS3,
  provideS3,
  readS3Request,
  removeS3Secret,
  type S3Offer,
  s3OfferFields,
} from '../../../lib/interfaces/s3.ts';
import type { JujuEvent } from '../../../lib/juju/event.ts';
import type { CharmDefinition, Handler, Hook } from '../../../lib/juju/hook.ts';
import type { Juju, Relation } from '../../../lib/juju/juju.ts';
import { removeObsoleteRevision } from '../../../lib/juju/obsolete-revisions.ts';
import { adoptClearKeys, readKeys, storeKeys } from './keys.ts';
import { type Location, parseSettings } from './settings.ts';

const endpoint = 's3-credentials';
const masked = '************';

const keySchema = v.pipe(v.string(), v.trim(), v.nonEmpty());
const keysSchema = v.object({ 'access-key': keySchema, 'secret-key': keySchema });

/** Publishes the offer to every related charm that has asked; the leader alone. */
const publish: Handler<undefined> = async ({ juju, event }) => {
  if (!(await juju.isLeader())) return;
  await adoptClearKeys(juju);
  const settings = parseSettings(await juju.config());
  const reading = await readKeys(juju);
  for (const relation of await juju.relations(endpoint)) {
    if (isBreaking(event, relation)) continue;
    announceS3(relation);
    if (settings.kind === 'invalid' || reading.kind !== 'ready') continue;
    await answer(juju, relation, { ...settings.location, ...reading.keys });
  }
};

/** Gives a related charm what it asked for; what the operator has chosen goes before its wishes. */
async function answer(juju: Juju, relation: Relation, offer: S3Offer): Promise<void> {
  const request = await readS3Request(relation);
  if (request.kind === 'silent') return;
  const { bucket, path } = { ...request, ...offer };
  const complete = { ...offer, ...present({ bucket, path }) };
  await provideS3(juju, relation, { generation: request.generation, offer: complete });
}

function isBreaking(event: JujuEvent, { id }: Relation): boolean {
  return event.kind === 'relation' && event.change === 'broken' && event.relation.id === id;
}

const relationBroken: Handler<undefined> = async (hook) => {
  const { juju, event } = hook;
  if (event.kind === 'relation' && (await juju.isLeader())) {
    await removeS3Secret(juju, juju.relationById(endpoint, event.relation.id));
  }
  await publish(hook);
};

const syncCredentials: Handler<undefined> = async (hook) => {
  const { juju } = hook;
  const action = juju.action();
  if (!(await juju.isLeader())) {
    action.fail('The action can be run only on leader unit.');
    return;
  }
  if ((await juju.config())['credentials']) {
    action.fail('The option credentials names a secret: change that one, or reset the option.');
    return;
  }
  const params = v.safeParse(keysSchema, await action.params());
  if (!params.success) {
    action.fail('Both access-key and secret-key must have a value.');
    return;
  }
  const { 'access-key': accessKey, 'secret-key': secretKey } = params.output;
  await storeKeys(juju, { accessKey: new Secret(accessKey), secretKey: new Secret(secretKey) });
  await publish(hook);
  action.setResults({ ok: 'Credentials successfully updated.' });
};

const getConnectionInfo: Handler<undefined> = async ({ juju }) => {
  const action = juju.action();
  const settings = parseSettings(await juju.config());
  if ((await readKeys(juju)).kind !== 'ready') action.fail('Credentials are not set!');
  else if (settings.kind === 'invalid') action.fail(settings.problems.join('; '));
  else action.setResults(describe(settings.location));
};

const getCredentials: Handler<undefined> = async ({ juju }) => {
  const action = juju.action();
  if ((await readKeys(juju)).kind === 'ready')
    action.setResults({ ok: 'Credentials are configured.' });
  else action.fail('Credentials are not set!');
};

const collectStatus: Handler<undefined> = async (hook) => {
  const problems = (await hook.juju.isLeader()) ? await findProblems(hook) : [];
  for (const message of problems) {
    hook.log('WARNING', message);
    hook.status({ level: 'blocked', message });
  }
  hook.status({ level: 'active', message: '' });
};

/** All that the operator has to correct, the most urgent first. */
async function findProblems({ juju }: Hook<undefined>): Promise<readonly string[]> {
  const settings = parseSettings(await juju.config());
  const invalid = settings.kind === 'invalid' ? settings.problems : [];
  const wrong = invalid.length === 0 ? [] : [`Invalid options: ${invalid.join('; ')}`];
  return [...(await findKeyProblems(juju)), ...wrong];
}

async function findKeyProblems(juju: Juju): Promise<readonly string[]> {
  const reading = await readKeys(juju);
  switch (reading.kind) {
    case 'ready':
      return [];
    case 'unreadable':
      return [`Cannot read the secret of option credentials, try: ${grantCommand(juju)}`];
    case 'missing':
      // Parity: the text and its list notation, which people search for.
      return [`Missing parameters: [${reading.missing.map((name) => `'${name}'`).join(', ')}]`];
  }
}

function grantCommand(juju: Juju): string {
  return `juju grant-secret <name> ${juju.context.app}`;
}

function describe(location: Location): Readonly<Record<string, string>> {
  return { ...present(s3OfferFields(location)), 'access-key': masked, 'secret-key': masked };
}

export const charm: CharmDefinition<undefined> = {
  handlers: {
    start: publish,
    'leader-elected': publish,
    'config-changed': publish,
    'secret-changed': publish,
    'secret-remove': removeObsoleteRevision,
    'upgrade-charm': publish,
    // Repairs what was missed, for instance a secret that was granted later.
    'update-status': publish,
    's3-credentials-relation-created': publish,
    's3-credentials-relation-changed': publish,
    's3-credentials-relation-broken': relationBroken,
    'action:sync-s3-credentials': syncCredentials,
    'action:get-s3-connection-info': getConnectionInfo,
    'action:get-s3-credentials': getCredentials,
  },
  collectStatus,
};
