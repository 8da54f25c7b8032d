import { describe, expect, test } from '@jest/globals';

import {
  addAttempt,
  decideRestart,
  parseRound,
  type RestartMember,
  type RestartStep,
  renderRound,
} from '../../../../src/core/rolling-restart.ts';

function member(name: string, part: Partial<RestartMember> = {}): RestartMember {
  return {
    name,
    role: name === 'pg-0' ? 'leader' : 'standby',
    ready: true,
    applied: true,
    pending: true,
    attempts: 0,
    ...part,
  };
}

const done = { pending: false } as const;
const more = { max_connections: { from: '100', to: '200' } } as const;
const less = { max_connections: { from: '200', to: '100' } } as const;
const memory = { shared_buffers: { from: '128MB', to: '1GB' } } as const;

interface Row {
  readonly summary: string;
  readonly members: readonly RestartMember[];
  readonly paused?: true;
  readonly step: RestartStep;
}

const rows: readonly Row[] = [
  {
    summary: 'with nothing pending there is nothing to do',
    members: [member('pg-0', done), member('pg-1', done)],
    step: { kind: 'finished' },
  },
  {
    summary: 'a unit without the configuration is waited for although nothing is pending yet',
    members: [member('pg-0', done), member('pg-1', { ...done, applied: false })],
    step: { kind: 'wait', for: 'pg-1 to take over the configuration' },
  },
  {
    summary: 'a member that is down is waited for although nothing is pending yet',
    members: [member('pg-0', done), member('pg-1', { ...done, ready: false })],
    step: { kind: 'wait', for: 'pg-1 to run' },
  },
  {
    summary: 'the first replica goes first',
    members: [member('pg-0'), member('pg-1'), member('pg-2')],
    step: { kind: 'restart', member: 'pg-1' },
  },
  {
    summary: 'a replica that is done is left alone',
    members: [member('pg-0'), member('pg-1', done), member('pg-2')],
    step: { kind: 'restart', member: 'pg-2' },
  },
  {
    summary: 'an asynchronous replica goes before the primary, too',
    members: [member('pg-0'), member('pg-1', done), member('pg-2', { role: 'replica' })],
    step: { kind: 'restart', member: 'pg-2' },
  },
  {
    summary: 'nobody is restarted while another member is down',
    members: [member('pg-0'), member('pg-1'), member('pg-2', { ...done, ready: false })],
    step: { kind: 'wait', for: 'pg-2 to run' },
  },
  {
    summary: 'nobody is restarted while failover is paused',
    members: [member('pg-0'), member('pg-1')],
    paused: true,
    step: { kind: 'wait', for: 'failover to be resumed' },
  },
  {
    summary: 'nobody is restarted while there is no primary',
    members: [member('pg-0', { role: 'replica' }), member('pg-1')],
    step: { kind: 'wait', for: 'a primary' },
  },
  {
    summary: 'the primary hands over to a standby that is done',
    members: [member('pg-0'), member('pg-1', { ...done, role: 'replica' }), member('pg-2', done)],
    step: { kind: 'switchover', leader: 'pg-0', candidate: 'pg-2' },
  },
  {
    summary:
      'the primary is restarted in place when no standby is synchronous, and none becomes it',
    members: [member('pg-0'), member('pg-1', { ...done, role: 'replica' })],
    step: { kind: 'restart', member: 'pg-0', lacksStandby: true },
  },
  {
    summary: 'a replica for which restarts are of no use is not waited for',
    members: [member('pg-0'), member('pg-1', { attempts: 3, role: 'replica' })],
    step: { kind: 'restart', member: 'pg-0' },
  },
  {
    summary: 'a single member is restarted in place',
    members: [member('pg-0')],
    step: { kind: 'restart', member: 'pg-0' },
  },
  {
    summary: 'the leader of a standby cluster is restarted in place',
    members: [member('pg-0', { role: 'standby_leader' }), member('pg-1', done)],
    step: { kind: 'restart', member: 'pg-0' },
  },
  {
    summary: 'an increase goes to the replicas first',
    members: [member('pg-0', { changes: more }), member('pg-1', { changes: more })],
    step: { kind: 'restart', member: 'pg-1' },
  },
  {
    summary: 'a decrease goes to the primary first, in place',
    members: [member('pg-0', { changes: less }), member('pg-1', { changes: less })],
    step: { kind: 'restart', member: 'pg-0' },
  },
  {
    summary: 'a replica that waits for a decrease takes over another change before',
    members: [
      member('pg-0', { changes: { ...less, ...memory } }),
      member('pg-1', { changes: { ...less, ...memory } }),
    ],
    step: { kind: 'restart', member: 'pg-1' },
  },
  {
    summary: 'after the primary the replicas follow with a decrease',
    members: [member('pg-0', done), member('pg-1', { changes: less, attempts: 1 })],
    step: { kind: 'restart', member: 'pg-1' },
  },
  {
    summary: 'without being told what changes, a replica is not restarted twice before the primary',
    members: [member('pg-0'), member('pg-1', { attempts: 1 })],
    step: { kind: 'restart', member: 'pg-0' },
  },
  {
    summary: 'a replica that restarts did not help is given up',
    members: [member('pg-0', done), member('pg-1', { attempts: 3 }), member('pg-2', done)],
    step: { kind: 'stuck', members: ['pg-1'] },
  },
  {
    summary: 'a primary that a restart in place did not help is given up',
    members: [member('pg-0', { attempts: 1 }), member('pg-1', done)],
    step: { kind: 'stuck', members: ['pg-0'] },
  },
];

describe('the next step', () => {
  for (const { summary, members, paused = false, step } of rows) {
    test(summary, () => {
      expect(decideRestart({ members, paused })).toEqual(step);
    });
  }
});

describe('the round', () => {
  test('is read as it was written', () => {
    const round = addAttempt(addAttempt({ configuration: 'a', attempts: {} }, 'pg-1'), 'pg-1');

    expect(parseRound(renderRound(round), 'a')).toEqual({
      configuration: 'a',
      attempts: { 'pg-1': 2 },
    });
  });

  test.each([
    { summary: 'there is none', text: undefined },
    { summary: 'it was for another configuration', text: '{"configuration":"b","attempts":{}}' },
    { summary: 'it cannot be read', text: '{"configuration"' },
    { summary: 'it is no object', text: '"a"' },
  ])('begins anew when $summary', ({ text }) => {
    expect(parseRound(text, 'a')).toBeUndefined();
  });

  test('leaves out attempts that are no numbers', () => {
    const text = '{"configuration":"a","attempts":{"pg-1":"x","pg-2":1}}';

    expect(parseRound(text, 'a')).toEqual({ configuration: 'a', attempts: { 'pg-2': 1 } });
  });
});

// Clusters that behave like Patroni's, for steps to be carried out on.

interface Simulated {
  readonly name: string;
  role: RestartMember['role'];
  /** Values that it runs with. */
  readonly runs: Record<string, number>;
  attempts: number;
}

interface Simulation {
  readonly members: Simulated[];
  readonly wanted: Readonly<Record<string, number>>;
  /** Whether Patroni tells what changes. */
  readonly tells: boolean;
}

const parameters = ['max_connections', 'max_wal_senders', 'shared_buffers'] as const;

function viewOf({ members, wanted, tells }: Simulation): readonly RestartMember[] {
  return members.map(({ name, role, runs, attempts }) => {
    const changed = parameters.filter((parameter) => runs[parameter] !== wanted[parameter]);
    const changes = Object.fromEntries(
      changed.map((parameter) => [
        parameter,
        { from: String(runs[parameter]), to: String(wanted[parameter]) },
      ]),
    );
    const told = tells && changed.length > 0 ? { changes } : {};
    return member(name, { role, pending: changed.length > 0, attempts, ...told });
  });
}

/** What a start of PostgreSQL takes over; a standby keeps what its primary has more of. */
function start(simulation: Simulation, one: Simulated): void {
  const leader = simulation.members.find(({ role }) => role === 'leader');
  for (const parameter of parameters) {
    const value = simulation.wanted[parameter] ?? 0;
    const least =
      one === leader || parameter === 'shared_buffers' ? 0 : (leader?.runs[parameter] ?? 0);
    one.runs[parameter] = Math.max(value, least);
  }
}

function carryOut(simulation: Simulation, step: RestartStep): void {
  const named = (name: string): Simulated => {
    const found = simulation.members.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no member ${name}`);
    return found;
  };
  if (step.kind === 'switchover') {
    const [former, candidate] = [named(step.leader), named(step.candidate)];
    former.role = 'standby';
    candidate.role = 'leader';
    start(simulation, former);
  }
  if (step.kind === 'restart') {
    const one = named(step.member);
    start(simulation, one);
    if (parameters.some((parameter) => one.runs[parameter] !== simulation.wanted[parameter])) {
      one.attempts += 1;
    }
  }
}

/** Numbers from a seed (mulberry32), the same in every run. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

function generate(seed: number): Simulation {
  const pick = seeded(seed);
  const values = () => Object.fromEntries(parameters.map((one) => [one, 50 + pick(3) * 50]));
  const wanted = values();
  const old = values();
  const members = Array.from(
    { length: 1 + pick(5) },
    (_, index): Simulated => ({
      name: `pg-${index}`,
      role: index === 0 ? 'leader' : pick(4) === 0 ? 'replica' : 'standby',
      runs: { ...old },
      attempts: 0,
    }),
  );
  return { members, wanted, tells: pick(3) > 0 };
}

const generated = Array.from({ length: 500 }, (_, seed) => seed);

/** All steps until there is none left. */
function play(
  simulation: Simulation,
  before: (step: RestartStep) => void = () => undefined,
): readonly RestartStep[] {
  const steps: RestartStep[] = [];
  for (;;) {
    const step = decideRestart({ members: viewOf(simulation), paused: false });
    steps.push(step);
    if (step.kind !== 'restart' && step.kind !== 'switchover') return steps;
    if (steps.length > 100) throw new Error('it does not end');
    before(step);
    carryOut(simulation, step);
  }
}

function targetOf(step: RestartStep): string | undefined {
  if (step.kind === 'restart') return step.member;
  return step.kind === 'switchover' ? step.leader : undefined;
}

/** Whether a replica would take anything over by a restart now. */
function couldReplicaGo(simulation: Simulation): boolean {
  return simulation.members.some((one) => {
    const trial = structuredClone(one);
    start(simulation, trial);
    return one.role !== 'leader' && JSON.stringify(trial) !== JSON.stringify(one);
  });
}

describe('generated clusters', () => {
  test('end with the new values on every member', () => {
    for (const seed of generated) {
      const simulation = generate(seed);

      const steps = play(simulation);

      expect({ seed, end: steps.at(-1) }).toEqual({ seed, end: { kind: 'finished' } });
      for (const { runs } of simulation.members) expect(runs).toEqual(simulation.wanted);
    }
  });

  test('disturb the primary once at most, and no replica more than twice', () => {
    for (const seed of generated) {
      const simulation = generate(seed);
      const counts: Record<string, number> = {};

      for (const step of play(simulation)) {
        const name = targetOf(step);
        if (name !== undefined) counts[name] = (counts[name] ?? 0) + 1;
      }

      const { 'pg-0': ofPrimary = 0, ...ofReplicas } = counts;
      expect({ seed, ofPrimary: ofPrimary <= 1 }).toEqual({ seed, ofPrimary: true });
      expect(Math.max(0, ...Object.values(ofReplicas))).toBeLessThanOrEqual(2);
    }
  });

  test('keep the primary until no replica can go before it', () => {
    for (const seed of generated) {
      const simulation = generate(seed);
      const early: RestartStep[] = [];

      play(simulation, (step) => {
        const leader = simulation.members.find(({ role }) => role === 'leader');
        if (targetOf(step) === leader?.name && couldReplicaGo(simulation)) early.push(step);
      });

      expect({ seed, early }).toEqual({ seed, early: [] });
    }
  });

  test('are left alone while any member is down', () => {
    for (const seed of generated) {
      const pick = seeded(seed + 100_000);
      const view = viewOf(generate(seed));
      const down = pick(view.length);
      const members = view.map((one, index) => ({ ...one, ready: index !== down }));

      expect(decideRestart({ members, paused: pick(2) === 0 }).kind).toBe('wait');
    }
  });

  test('that restarts never help are given up', () => {
    for (const seed of generated) {
      const simulation = generate(seed);
      let steps = 0;
      for (;;) {
        const step = decideRestart({ members: viewOf(simulation), paused: false });
        if (step.kind !== 'restart') break;
        const one = simulation.members.find(({ name }) => name === step.member);
        if (one !== undefined) one.attempts += 1;
        steps += 1;
        if (steps > 3 * simulation.members.length) break;
      }

      expect(steps).toBeLessThanOrEqual(3 * simulation.members.length);
    }
  });
});
