// When the watcher says that a member has worked for a while, after which attempts to repair it are
// forgotten. A while is minutes, so its clock is played.

import path from 'node:path';

import { expect, test } from '@jest/globals';
import { execa } from 'execa';

import { repository } from '../../scripts/charms.ts';

const folder = path.join(repository, 'src/static/watcher');

/** By second: `fine`: what counts as such for the member; `again`: PostgreSQL was started anew. */
type Moment = readonly [second: number, what: 'fine' | 'broken' | 'again'];

const program = `
import json, sys, types
sys.path.insert(0, sys.argv[1])
import replication
standby, moments = json.loads(sys.argv[2])
quiet = types.SimpleNamespace(stream_back=lambda: None, stream_lost=lambda: None, wake=lambda: None,
                              send=lambda key, **data: None)
watcher = types.SimpleNamespace(files=types.SimpleNamespace(data=types.SimpleNamespace(standby=standby)),
                                patroni=quiet, lock_release=quiet)
seen = {}
part = replication.Replication(watcher, seen, quiet)
for second, what in moments:
    replication.time_text = lambda: second
    if what == "again":
        part.interrupted()
    else:
        part.report(["walreceiver"] if standby and what == "fine" else [], second)
print(json.dumps(seen["replication"].get("steady_at")))
`;

async function steadyAt(standby: boolean, moments: readonly Moment[]): Promise<unknown> {
  const given = JSON.stringify([standby, moments]);
  const { stdout } = await execa('python3', ['-B', '-c', program, folder, given]);
  const value: unknown = JSON.parse(stdout);
  return value;
}

const stories: readonly (readonly [string, readonly Moment[], number | null, 'primary'?])[] = [
  [
    'a stream that lasts',
    [
      [0, 'fine'],
      [299, 'fine'],
      [300, 'fine'],
      [400, 'fine'],
    ],
    300,
  ],
  [
    'one that has just come',
    [
      [0, 'fine'],
      [299, 'fine'],
    ],
    null,
  ],
  [
    'one with a break',
    [
      [0, 'fine'],
      [200, 'broken'],
      [201, 'fine'],
      [400, 'fine'],
    ],
    null,
  ],
  [
    'two that last',
    [
      [0, 'fine'],
      [300, 'fine'],
      [301, 'broken'],
      [400, 'fine'],
      [700, 'fine'],
    ],
    700,
  ],
  [
    'a break after it',
    [
      [0, 'fine'],
      [300, 'fine'],
      [301, 'broken'],
      [900, 'broken'],
    ],
    300,
  ],
  [
    'another start',
    [
      [0, 'fine'],
      [200, 'again'],
      [201, 'fine'],
      [400, 'fine'],
    ],
    null,
  ],
  [
    'a primary',
    [
      [0, 'broken'],
      [300, 'broken'],
    ],
    300,
    'primary',
  ],
];
for (const [what, moments, expected, role] of stories) {
  test.concurrent(what, async () => {
    expect(await steadyAt(role !== 'primary', moments)).toBe(expected);
  });
}
