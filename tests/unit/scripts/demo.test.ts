import { describe, expect, test } from '@jest/globals';

import { parseBackups } from '../../../scripts/demo/backups.ts';
import { parseTableSums } from '../../../scripts/demo/checksums.ts';
import { renderRow } from '../../../scripts/demo/documents.ts';
import { parseOptions } from '../../../scripts/demo/options.ts';
import { createProgress, type Screen } from '../../../scripts/demo/progress.ts';
import { describeUnsettled, parseStatus } from '../../../scripts/demo/status.ts';
import { renderBackupTable } from '../../../src/core/backups/backup-table.ts';

const ownCloud = {
  CLOUD: 'existing',
  S3_ENDPOINT: 'https://s3.example.com',
  S3_BUCKET: 'b',
  S3_ACCESS_KEY: 'k',
  S3_SECRET_KEY: 's',
  POSTGRESQL_IMAGE: 'registry.example.com/postgresql:17',
};

describe('options', () => {
  test('nothing set means the local cloud, cleared up at the end', () => {
    expect(parseOptions({})).toStrictEqual({
      where: { kind: 'local' },
      keep: false,
      image: 'docker.io/local/charmed-postgresql:17',
    });
  });

  test('an existing cloud comes with its own storage and image', () => {
    expect(parseOptions({ ...ownCloud, KEEP: '1', S3_CA_FILE: '/ca.pem' })).toStrictEqual({
      where: {
        kind: 'existing',
        s3: {
          endpoint: 'https://s3.example.com',
          region: '',
          bucket: 'b',
          accessKey: 'k',
          secretKey: 's',
          caFile: '/ca.pem',
        },
      },
      keep: true,
      image: 'registry.example.com/postgresql:17',
    });
  });

  test('everything that an existing cloud lacks is named at once', () => {
    expect(() => parseOptions({ CLOUD: 'existing', S3_ENDPOINT: 'https://s3' })).toThrow(
      'S3_ACCESS_KEY, S3_SECRET_KEY, S3_BUCKET, POSTGRESQL_IMAGE not set',
    );
  });

  test('an unknown cloud is refused', () => {
    expect(() => parseOptions({ CLOUD: 'mine' })).toThrow('CLOUD="mine"');
  });
});

describe('status', () => {
  const unit = (workload: string, message: string, agent: string) => ({
    'workload-status': { current: workload, message },
    'juju-status': { current: agent },
  });
  const status = (units: Readonly<Record<string, object>>) =>
    parseStatus(JSON.stringify({ model: {}, applications: { pg: { units } } }));

  test('a model has settled when all units are active and idle and one of them leads', () => {
    const settled = status({
      'pg/0': { ...unit('active', 'Primary', 'idle'), leader: true },
      'pg/1': unit('active', '', 'idle'),
    });

    expect(describeUnsettled(settled, { pg: 2 })).toBeUndefined();
  });

  test('everything that is missing is named', () => {
    const unsettled = status({
      'pg/0': unit('blocked', 'no bucket', 'idle'),
      'pg/1': unit('active', '', 'executing'),
    });

    expect(describeUnsettled(unsettled, { pg: 3, s3: 1 })).toBe(
      'pg has 2 of 3 units; pg/0 blocked: no bucket; pg/1 executing; ' +
        'pg has no leader; s3 has 0 of 1 units; s3 has no leader',
    );
  });

  test('a primary that misses its replicas has not settled', () => {
    const degraded = status({
      'pg/0': { ...unit('active', 'Primary (degraded)', 'idle'), leader: true },
    });

    expect(describeUnsettled(degraded, { pg: 1 })).toBe('pg/0 active: Primary (degraded)');
  });

  test('an application without units is read', () => {
    expect(parseStatus('{"applications":{"pg":{}}}')).toStrictEqual({ applications: { pg: [] } });
  });
});

test('checksums are read per table, with more digits than a number holds', () => {
  const output = 'public.documents|5910|-123456789012345678901\npublic.odd|name|0|0';

  expect(parseTableSums(output)).toStrictEqual({
    'public.documents': { rows: 5910, checksum: '-123456789012345678901' },
    'public.odd|name': { rows: 0, checksum: '0' },
  });
});

test('the table of list-backups is read back', () => {
  const table = renderBackupTable(
    { bucket: 'b', path: '/p' },
    {
      failed: [],
      timelines: [],
      backups: [
        {
          label: '20261121-110000F',
          id: '2026-11-21T11:00:00Z',
          type: 'full',
          stanza: 'demo.patroni-postgresql-k8s',
          references: [],
          archiveId: '17-1',
          bytes: {},
          lsnStart: '0/3000028',
          lsnStop: '0/30000F8',
          startSeconds: 1_795_258_800,
          stopSeconds: 1_795_258_809,
          timeline: '1',
        },
      ],
    },
  );

  expect(parseBackups(table)).toStrictEqual([
    {
      id: '2026-11-21T11:00:00Z',
      action: 'full backup',
      status: 'finished',
      reference: 'None',
      lsn: '0/3000028 / 0/30000F8',
      started: '2026-11-21T11:00:00Z',
      finished: '2026-11-21T11:00:09Z',
      timeline: '1',
      path: '/demo.patroni-postgresql-k8s/20261121-110000F',
    },
  ]);
});

test('a row for COPY keeps tabs, line ends and backslashes', () => {
  expect(renderRow(['a\tb', 'c\\N', 'd\r\n'])).toBe('a\\tb\tc\\\\N\td\\r\\n\n');
});

describe('progress', () => {
  function createScreen(isTerminal: boolean) {
    const written: string[] = [];
    const screen: Screen = { isTerminal, columns: 60, write: (text) => written.push(text) };
    return { screen, written };
  }

  test('a file gets a line when a phase starts, for each new wait, and when it is done', async () => {
    const { screen, written } = createScreen(false);
    let nowMs = 0;
    const progress = createProgress({ screen, nowMs: () => nowMs });

    await progress.phase('load', async () => {
      progress.waiting('rows');
      progress.waiting('rows');
      nowMs += 61_230;
    });

    expect(written).toStrictEqual([
      '    0:00  load\n',
      '          … rows\n',
      'ok   61.2 s  load\n',
    ]);
    expect(progress.phases).toStrictEqual([{ name: 'load', seconds: 61.2 }]);
  });

  test('a terminal has its last line rewritten, cut to its width', async () => {
    const { screen, written } = createScreen(true);
    const progress = createProgress({ screen, nowMs: () => 0 });

    await progress.phase('load', async () => {
      progress.waiting('x'.repeat(100));
    });

    expect(written.at(1)).toBe(`\r\u001B[K   … 0.0 s  load: ${'x'.repeat(41)}`);
    expect(written.at(-1)).toBe('\r\u001B[Kok    0.0 s  load\n');
  });

  test('a failed phase is shown as such and does not count', async () => {
    const { screen, written } = createScreen(false);
    const progress = createProgress({ screen, nowMs: () => 0 });

    const failing = progress.phase('load', async () => {
      throw new Error('no rows');
    });

    await expect(failing).rejects.toThrow('no rows');
    expect(written.at(-1)).toBe('failed 0.0 s  load\n');
    expect(progress.phases).toStrictEqual([]);
  });
});
