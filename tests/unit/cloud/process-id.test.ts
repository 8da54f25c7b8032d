import { expect, test } from '@jest/globals';

import { parseStat } from '../../../cloud/process-id.ts';

const rest = '1 4242 4242 0 -1 4194560 99 0 0 0 1 2 0 0 20 0 1 0 123456 2723840 208';

test.each([
  { summary: 'a plain name', line: `77 (etcd) S ${rest}`, state: 'S' },
  { summary: 'a name with a space', line: `77 (tmux: server) R ${rest}`, state: 'R' },
  {
    summary: 'a name that looks like the end of a name',
    line: `77 (a) Z (b) S ${rest}`,
    state: 'S',
  },
  { summary: 'a line end', line: `77 (sh) Z ${rest}\n`, state: 'Z' },
])('a process is known by id and start time: $summary', ({ line, state }) => {
  expect(parseStat(line)).toEqual({ pid: 77, startTicks: 123_456, state });
});

test.each([
  { summary: 'nothing', line: '' },
  { summary: 'a line cut short', line: '77 (etcd) S 1 4242' },
  { summary: 'no id', line: `(etcd) S ${rest}` },
])('a line that names no process is refused: $summary', ({ line }) => {
  expect(() => parseStat(line)).toThrow('cannot read process state');
});
