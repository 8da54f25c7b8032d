import { describe, expect, test } from '@jest/globals';

import { believeLog, isCalledLost } from '../../../../scripts/faults/unit-status.ts';

const lost = {
  name: 'db/0',
  workload: 'unknown',
  message: 'agent lost, see `juju debug-logs` or `juju show-status-log` for more information',
  agent: 'lost',
  leader: false,
};
const since = '2026-01-31T12:00:00Z';

describe('a unit that Juju calls lost', () => {
  test('is told from one that shows nothing yet', () => {
    expect(isCalledLost(lost)).toBe(true);
    expect(isCalledLost({ ...lost, message: '' })).toBe(false);
  });

  test.each([
    { summary: 'a short time ago', seconds: 60, believed: true },
    { summary: 'long ago', seconds: 101, believed: false },
  ])('that has shown something $summary is believed: $believed', ({ seconds, believed }) => {
    const log = JSON.stringify([{ status: 'active', message: 'Primary', since, type: 'workload' }]);

    const unit = believeLog(lost, log, Date.parse(since) + seconds * 1000);

    expect(unit).toStrictEqual(
      believed ? { ...lost, workload: 'active', message: 'Primary' } : lost,
    );
  });

  test('that has shown nothing to remark is active without a message', () => {
    const log = JSON.stringify([{ status: 'active', since }]);

    expect(believeLog(lost, log, Date.parse(since))).toMatchObject({
      workload: 'active',
      message: '',
    });
  });

  test('that has never shown anything stays lost', () => {
    expect(believeLog(lost, '[]', 0)).toStrictEqual(lost);
  });
});
