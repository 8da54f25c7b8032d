// Where nothing has changed, nothing is written, not even what is there already; and nobody is asked
// the same thing twice.

import { expect } from '@jest/globals';

import { fileEntry } from '../support/pebble-state.ts';
import {
  configChanged,
  pebbleNotice,
  type Trigger,
  updateStatus,
} from '../support/scenario/events.ts';
import {
  after,
  backedUp,
  inContainer,
  running,
  underTest,
} from '../support/scenario/postgresql/journey.ts';
import type { PostgresqlState } from '../support/scenario/postgresql/postgresql.ts';
import type { RunResult } from '../support/scenario/run.ts';
import { scenario } from '../support/scenario/scenario.ts';

type Result = RunResult<PostgresqlState['world']>;

const reads: Readonly<Record<string, readonly string[]>> = {
  pebble: ['canConnect', 'checks', 'list', 'plan', 'pull', 'services', 'stat'],
  kube: ['get', 'list'],
  postgres: ['availableExtensions', 'close', 'databases', 'extensions'],
};

/** Calls that change something, or would if it were not so already. */
function writesOf({ calls, hookToolCalls }: Result): readonly string[] {
  const others = calls
    .filter(({ port }) => port !== 'juju')
    .filter(({ port, method, summary }) =>
      port === 'patroni'
        ? !summary.startsWith('{"method":"GET"')
        : reads[port]?.includes(method) !== true,
    )
    .map(({ port, method, summary }) => `${port} ${method} ${summary}`);
  const tools = hookToolCalls
    .map(({ tool }) => tool)
    .filter(
      (tool) => !/(?:-get|-list|-ids|^is-leader|^goal-state|^opened-ports|^juju-log)$/.test(tool),
    );
  return [...others, ...tools];
}

/** Looks at what other programs say that were made more than once. */
function repeatedLooks({ calls }: Result): readonly string[] {
  const looks = calls
    .map(({ port, method, summary }) => `${port} ${method} ${summary}`)
    .filter((call) => /charm-watch\.json|canConnect|\/cluster"|\/health"/.test(call));
  return looks.filter((call, index) => looks.indexOf(call) < index);
}

const seen = JSON.stringify({
  disk: { level: 'low', free_percent: 7, total: 1024 ** 3, read_only: false },
  archive: { waiting: 0, failing: false },
  fences: [],
});

/** The unit as the same event has left it, with all that a watcher tells. */
async function settled(given: PostgresqlState, event: Trigger): Promise<PostgresqlState> {
  const watched = inContainer(given, ({ files }) => ({
    files: { ...files, '/run/charm-watch.json': fileEntry(seen) },
  }));
  return await after(watched, configChanged, event);
}

const units = {
  'a leader': async () => await backedUp(),
  'a replica': async () => await running({ number: 1, others: [0, 2], primary: 0 }),
};
const events = [
  configChanged,
  updateStatus,
  pebbleNotice('postgresql', 'postgresql.charm/disk-space'),
  pebbleNotice('postgresql', 'postgresql.charm/on-role-change'),
];

for (const [unit, given] of Object.entries(units)) {
  for (const event of events) {
    const { event: of } = event;
    const name = of.kind === 'pebble-notice' ? of.noticeKey : of.kind === 'action' ? '' : of.name;
    scenario(`${unit} that is as it should be writes nothing (${name})`, {
      charm: underTest,
      given: async () => await settled(await given(), event),
      when: event,
      then: (result) => {
        expect(writesOf(result)).toEqual([]);
        // Whoever enters the database, as for the extensions, asks anew for the primary.
        const enters = result.calls.some(({ port }) => port === 'postgres');
        if (!enters) expect(repeatedLooks(result)).toEqual([]);
        expect(enters).toBe(unit === 'a leader' && event === configChanged);
        expect(result.calls.map(({ summary }) => summary)).toContain('"/run/charm-watch.json"');
      },
    });
  }
}
