// A small charm for the kit's own tests: one container, one peer relation, one database relation.

import type { CharmDefinition, Handler } from '../../../lib/juju/hook.ts';
import type { Pebble } from '../../../lib/pebble/pebble.ts';
import { pebbleState } from '../../support/pebble-state.ts';
import { baseState, peerRelation, relation } from '../../support/scenario/builders.ts';
import { parseCharmFiles } from '../../support/scenario/charm-files.ts';
import type { CharmUnderTest } from '../../support/scenario/run.ts';
import type { State } from '../../support/scenario/state.ts';

/** A world with one counter that somebody outside keeps. */
export interface CounterWorld {
  readonly count: number;
  readonly passwordOutside?: string;
}

export interface TestPorts {
  readonly pebble: Pebble;
  readonly outside: Outside;
  password(): string;
}

export interface Outside {
  count(): Promise<number>;
  setCount(count: number): Promise<void>;
  setPassword(password: string): Promise<void>;
  /** The fake was not made for it. */
  explode(): Promise<void>;
}

export const files = parseCharmFiles({
  metadata: `
name: sample
containers: { web: {} }
storage: { data: { type: filesystem } }
peers: { sample-peers: { interface: sample_peers } }
provides: { database: { interface: sample_client } }
requires: { store: { interface: s3, limit: 1 } }
`,
  config: `
options:
  size: { type: int, default: 3 }
  label: { type: string }
  fast: { type: boolean }
  ratio: { type: float }
  keys: { type: secret }
`,
  actions: `
back-up: { params: { kind: { type: string, default: full }, times: { type: integer } }, required: [times] }
list: {}
`,
});

/** A charm with these handlers between the fakes. */
export function sample(
  handlers: Readonly<Record<string, Handler<TestPorts>>>,
  collectStatus?: Handler<TestPorts>,
): CharmUnderTest<TestPorts, CounterWorld> {
  const charm: CharmDefinition<TestPorts> = {
    handlers,
    ...(collectStatus === undefined ? {} : { collectStatus }),
  };
  return {
    charm,
    files,
    ports: (host) => ({
      pebble: host.watch('pebble', host.pebble('web')),
      password: () => host.random.password(16),
      outside: host.watch('outside', {
        count: async () => await Promise.resolve(host.world.get().count),
        setCount: async (count: number) => {
          host.world.update((now) => ({ ...now, count }));
          await Promise.resolve();
        },
        setPassword: async (passwordOutside: string) => {
          host.world.update((now) => ({ ...now, passwordOutside }));
          await Promise.resolve();
        },
        explode: async () => {
          throw await Promise.resolve(host.unexpected('outside explode'));
        },
      }),
    }),
  };
}

export const peers = peerRelation({
  endpoint: 'sample-peers',
  app: 'sample',
  units: { 'sample/1': { color: 'blue' } },
});

export const client = relation({
  endpoint: 'database',
  id: 4,
  remoteApp: 'shop',
  remoteAppData: { database: 'orders' },
});

export function sampleState(part: Partial<State<CounterWorld>> = {}): State<CounterWorld> {
  return baseState({
    unit: 'sample/0',
    world: { count: 0 },
    relations: [peers, client],
    containers: { web: pebbleState() },
    ...part,
  });
}
