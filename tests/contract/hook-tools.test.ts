// The in-memory hook tools against what the real ones answered (see record-hook-tools.ts): the same
// phases, in the same order, from a state like the one that was recorded.

import { readFile } from 'node:fs/promises';
import path from 'node:path';

import { beforeAll, describe, expect, test } from '@jest/globals';
import * as v from 'valibot';

import {
  baseState,
  peerRelation,
  relation,
  secret,
  storage,
} from '../support/scenario/builders.ts';
import { readCharmFiles } from '../support/scenario/charm-files.ts';
import { action } from '../support/scenario/events.ts';
import { commit } from '../support/scenario/jujuc/commit.ts';
import { jujucFor } from '../support/scenario/jujuc/jujuc.ts';
import { type JujuState, openHook } from '../support/scenario/jujuc/open-hook.ts';
import { type ContractFacts, type ContractPhase, hookToolContract } from './hook-tools.ts';
import { type RecordedPhase, recordedPhases, recordings } from './recorded-phases.ts';
import { type StepSummary, summarise } from './transcript.ts';

const files = readCharmFiles(path.join(import.meta.dirname, '../support/charms/contract-charm'));
const peers = { endpoint: 'peers', id: 0 };
const give = { endpoint: 'give', id: 2 };
const addresses = {
  'egress-subnets': '10.1.0.1/32',
  'ingress-address': '10.1.0.1',
};

const active = { level: 'active', message: '' } as const;
// The contract charm announces it when it is related.
const given = secret({ owner: 'application', label: 'given', content: { password: 'given' } });

describe('the in-memory hook tools answer like the real ones', () => {
  const answers = new Map<ContractPhase, readonly StepSummary[]>();

  beforeAll(async () => {
    let state = leaderState();
    for (const [index, phase] of recordedPhases.entries()) {
      const seen = seenBy(phase.on, state);
      const { summary, after } = await runPhase(phase, seen, `r${index}`);
      answers.set(phase.phase, summary);
      if (phase.on === 'leader') state = after;
    }
  });

  for (const { phase } of recordedPhases) {
    test(`in phase "${phase}"`, async () => {
      const recorded: unknown = JSON.parse(
        await readFile(path.join(recordings, `${phase}.json`), 'utf8'),
      );

      expect(answers.get(phase)?.filter(isExact)).toEqual(asSteps(recorded).filter(isExact));
    });
  }
});

/** Where the in-memory tools differ: on purpose, or in what no charm of ours decides on. */
const simplified: ReadonlySet<string> = new Set([
  // Other units have no status of their own in a scenario.
  'goal state',
  'application status',
  // Addresses have no interface names and host names; on Kubernetes only the public one exists.
  'network',
  'network of a relation',
  'private address',
  'public address',
  // The path of a resource depends on its kind.
  'resource',
  // The short form of a URI: Juju prints both, depending on its version.
  'add a secret of the application',
  'add a secret of the unit',
  // Juju 3.6 refuses what 4.1 allows.
  'own app bag towards another application',
  // The policy `never`, and times of expiry.
  'about it',
  'change attributes only',
]);

function isExact({ step }: Pick<StepSummary, 'step'>): boolean {
  return !simplified.has(step);
}

function asSteps(recorded: unknown): readonly StepSummary[] {
  return v.parse(
    v.array(v.looseObject({ step: v.string(), calls: v.array(v.string()) })),
    recorded,
  );
}

interface Ran {
  readonly summary: readonly StepSummary[];
  readonly after: JujuState;
}

async function runPhase(
  { phase, commits }: RecordedPhase,
  state: JujuState,
  runTag: string,
): Promise<Ran> {
  const trigger = action('run-contract', { phase });
  const hook = openHook({ files, trigger, runTag, state });
  const facts = factsOf(phase, state);
  const transcript = await hookToolContract(jujucFor(hook), facts);
  return {
    summary: summarise({ facts, transcript }),
    // The contract charm ends every dispatch with this status.
    after: { ...(commits ? commit(hook) : hook.state), unitStatus: active },
  };
}

function factsOf(phase: ContractPhase, { unit }: JujuState): ContractFacts {
  const alpha = unit.startsWith('alpha/');
  return {
    phase,
    unit,
    app: alpha ? 'alpha' : 'beta',
    storage: 'data',
    peers,
    related: alpha ? give : { ...give, endpoint: 'take' },
    relatedApp: alpha ? 'beta' : 'alpha',
  };
}

function leaderState(): JujuState {
  const localUnit = addresses;
  const localApp = { 'given-uri': `secret://11111111-2222-4333-8444-555555555555/${given.id}` };
  return baseState({
    unit: 'alpha/1',
    world: undefined,
    leader: true,
    jujuVersion: '4.1-beta2',
    unitStatus: active,
    appStatus: active,
    secrets: [given],
    storages: [storage('data', '/var/lib/juju/storage/data-0', 1)],
    relations: [
      peerRelation({ ...peers, app: 'alpha', localUnit, units: { 'alpha/0': addresses } }),
      relation({
        ...give,
        remoteApp: 'beta',
        localUnit,
        localApp,
        remoteUnits: { 'beta/0': addresses },
      }),
    ],
  });
}

/** The same world from another unit. */
function seenBy(who: RecordedPhase['on'], leader: JujuState): JujuState {
  switch (who) {
    case 'leader':
      return leader;
    case 'follower':
      return {
        ...leader,
        unit: 'alpha/0',
        leader: false,
        secrets: leader.secrets.filter((each) => each.owner !== 'unit'),
      };
    case 'other':
      return {
        ...leader,
        unit: 'beta/0',
        relations: leader.relations
          .filter((each) => each.endpoint === give.endpoint)
          .map((each) => ({
            ...each,
            endpoint: 'take',
            remoteApp: 'alpha',
            remoteAppData: each.localApp,
            localApp: {},
            remoteUnits: { 'alpha/0': {}, 'alpha/1': {} },
          })),
        secrets: leader.secrets
          .filter((each) => each.owner === 'application')
          .map(({ id, revisions, grants }) => ({ id, revisions, grants, owner: 'foreign' })),
      };
  }
}
