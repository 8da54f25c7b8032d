// Handlers of the contract charm.

import { Secret } from '../../../../../lib/base/secret.ts';
import { readGrantedSecret } from '../../../../../lib/juju/granted-secret.ts';
import type { CharmDefinition, Hook } from '../../../../../lib/juju/hook.ts';
import type { Relation } from '../../../../../lib/juju/juju.ts';
import type { HookToolPort } from '../../../../../lib/juju/tools/port.ts';
import {
  type ContractFacts,
  type ContractPhase,
  hookToolContract,
  isContractPhase,
} from '../../../../contract/hook-tools.ts';

export interface ContractPorts {
  readonly hookTools: HookToolPort;
  /** Makes the process exit with 1, whatever the dispatch says. */
  abandon(): void;
}

const lifecycle = ['install', 'start', 'upgrade-charm', 'leader-elected', 'stop', 'remove'];
const secrets = ['secret-changed', 'secret-rotate', 'secret-expired', 'secret-remove'];
const storage = ['data-storage-attached', 'data-storage-detaching'];
const workload = ['workload-pebble-ready', 'workload-pebble-custom-notice'];
const relations = ['peers', 'give', 'take'].flatMap((endpoint) =>
  ['created', 'joined', 'changed', 'departed', 'broken'].map(
    (change) => `${endpoint}-relation-${change}`,
  ),
);

const noted = [...lifecycle, ...secrets, ...storage, ...workload, ...relations];

export const charm: CharmDefinition<ContractPorts> = {
  handlers: {
    ...Object.fromEntries(noted.map((name) => [name, noteContext])),
    'config-changed': deferWhenTold,
    'give-relation-joined': giveSecret,
    'take-relation-changed': takeSecret,
    'update-status': readMuch,
    'action:run-contract': runContract,
    'action:defer': async ({ defer }) => {
      await Promise.resolve();
      defer();
    },
  },
  collectStatus: async ({ status }) => {
    await Promise.resolve();
    status({ level: 'active', message: '' });
  },
};

async function noteContext({ event, juju, log }: Hook<ContractPorts>): Promise<void> {
  await Promise.resolve();
  log('INFO', `context ${JSON.stringify({ ...juju.context, event })}`);
}

/** Announces, grants and publishes in one hook. */
async function giveSecret(hook: Hook<ContractPorts>): Promise<void> {
  await noteContext(hook);
  const { juju } = hook;
  const relation = await juju.relation('give');
  if (relation === undefined || !(await juju.isLeader())) return;
  const content = { password: new Secret('given') };
  const uri = await juju.setSecret({ label: 'given', owner: 'application', content });
  juju.grantSecret(uri, relation);
  relation.setApp({ 'given-uri': uri });
}

async function takeSecret(hook: Hook<ContractPorts>): Promise<void> {
  await noteContext(hook);
  const { juju, log } = hook;
  const relation = await juju.relation('take');
  const { 'given-uri': uri } = (await relation?.data((await relation.app()) ?? '')) ?? {};
  if (uri === undefined) return;
  const content = await readGrantedSecret(juju, uri, { label: 'taken' });
  log('INFO', `taken: ${Object.keys(content ?? { 'not granted': true }).join(' ')}`);
}

/** With `text=defer` the event comes back once; with `text=throw` the deferred one fails first. */
async function deferWhenTold({ juju, log, defer }: Hook<ContractPorts>): Promise<void> {
  const { text = '' } = await juju.config();
  if (text === '') return;
  const seen = Number((await juju.state('seen')) ?? 0);
  log('INFO', `config-changed: text=${text} seen=${seen}`);
  juju.setState({ seen: String(seen + 1) });
  if (text === 'throw' && juju.context.event.name !== 'config-changed') {
    throw new Error('thrown by a deferred event');
  }
  if (text === 'throw' || (text === 'defer' && seen % 2 === 0)) defer();
}

/** About what a quiet hook of a database charm reads. */
async function readMuch({ juju, walk, log }: Hook<ContractPorts>): Promise<void> {
  const peers = await juju.relation('peers');
  const units = (await peers?.units()) ?? [];
  for (const owner of [juju.context.app, juju.context.unit, ...units]) await peers?.data(owner);
  walk.decide('is_leader', await juju.isLeader());
  await juju.config();
  const planned = await juju.plannedUnits();
  const location = await juju.storageLocation('data');
  const address = await juju.bindAddress('peers');
  log('DEBUG', `planned=${planned} location=${location ?? '?'} address=${address ?? '?'}`);
}

async function runContract({ juju, ports }: Hook<ContractPorts>): Promise<void> {
  const action = juju.action();
  const { phase } = await action.params();
  if (!isContractPhase(phase)) throw new Error(`there is no phase "${String(phase)}"`);
  const peers = await juju.relation('peers');
  const related = (await juju.relation('give')) ?? (await juju.relation('take'));
  if (peers === undefined || related === undefined) throw new Error('relate the charm first');
  const facts: ContractFacts = {
    phase,
    unit: juju.context.unit,
    app: juju.context.app,
    storage: 'data',
    peers: referenceOf(peers),
    related: referenceOf(related),
    relatedApp: (await related.app()) ?? '',
  };
  const transcript = await hookToolContract(ports.hookTools, facts);
  action.setResults({ facts: JSON.stringify(facts), transcript: JSON.stringify(transcript) });
  if (endsBadly(phase)) ports.abandon();
}

function endsBadly(phase: ContractPhase): boolean {
  return phase === 'abandon';
}

function referenceOf({ endpoint, id }: Relation): { endpoint: string; id: number } {
  return { endpoint, id };
}
