// The watcher, as a process, among stand-ins for what it watches: what it tells, whom it fences, and
// above all whom it leaves alone.

import { appendFile, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

import { describe, expect, test } from '@jest/globals';
import { execa } from 'execa';

import { asked, ended, fences, noticed, sleep } from '../support/watcher/observe.ts';
import { endOf, healthy, onStage, ttlS, until } from '../support/watcher/stage.ts';

describe.each([{ standby: false }, { standby: true }])('standby: $standby', ({ standby }) => {
  test.concurrent('a member that is well is told nothing about and left alone', async () => {
    await onStage({ standby }, async (stage) => {
      if (standby) stage.child('+', 'postgres: app: walreceiver streaming 0/3000148');
      await sleep(ttlS);

      expect(await stage.notices()).toEqual([]);
      expect([endOf(stage.patroni), endOf(stage.postmaster)]).toEqual([undefined, undefined]);
      expect(await stage.seen()).toMatchObject({
        fences: [],
        archive: { waiting: 0, failing: false },
        replication: { standby, streams: standby ? ['walreceiver'] : [] },
      });
    });
  });

  test.concurrent('a Patroni that refuses connections is starting or stopping', async () => {
    await onStage({ standby }, async (stage) => {
      await asked(stage);
      stage.patroni.kill('SIGUSR1');
      await sleep(ttlS);

      expect(await fences(stage)).toEqual([]);
      expect([endOf(stage.patroni), endOf(stage.postmaster)]).toEqual([undefined, undefined]);
    });
  });

  test.concurrent('a Patroni that answers nothing is killed, and with it a primary', async () => {
    await onStage({ standby }, async (stage) => {
      await asked(stage);
      await stage.answer({ '/liveness': null });

      expect(await ended(stage, 'patroni')).toBe('SIGKILL');
      expect(await noticed(stage, 'test/fenced')).toMatch(
        /^test\/fenced reason=Patroni was silent for \d+ s$/,
      );
      await sleep(1);
      expect(endOf(stage.postmaster)).toBe(standby ? undefined : 'SIGKILL');
    });
  });
});

test.concurrent('a Patroni whose loop hangs is silent although it answers', async () => {
  await onStage({}, async (stage) => {
    await asked(stage);
    await stage.answer({ '/liveness': [503, ''] });

    expect(await ended(stage, 'patroni')).toBe('SIGKILL');
    expect(await ended(stage, 'postmaster')).toBe('SIGKILL');
  });
});

test.concurrent('callbacks become notices in their order', async () => {
  await onStage({}, async (stage) => {
    await stage.callback('on_start', 'replica');
    await stage.callback('on_role_change', 'primary');

    await noticed(stage, 'test/on-role-change');
    expect(await stage.notices()).toEqual([
      'test/on-start role=replica',
      'test/on-role-change role=primary',
    ]);
  });
});

test.concurrent.each([true, false])(
  'the end of Patroni is told during a restore: %s',
  async (restores) => {
    await onStage({}, async (stage) => {
      if (restores) await writeFile(path.join(stage.volume, 'restore.json'), '{}');
      await asked(stage);
      stage.patroni.kill('SIGTERM');
      await ended(stage, 'patroni');
      if (restores) await noticed(stage, 'test/restore-ended');
      await sleep(4);

      const told = (await stage.notices()).filter((notice) => notice.startsWith('test/restore-'));
      expect(told).toHaveLength(restores ? 1 : 0);
    });
  },
);

test.concurrent('a stopped PostgreSQL is killed with its children; Patroni stays', async () => {
  await onStage({}, async (stage) => {
    const title = 'postgres: app: walsender replication 10.1.0.9(52144) streaming 0/3000148';
    stage.child('+', title);
    await until(async () =>
      JSON.stringify(await stage.seen()).includes('walsender 10.1.0.9') ? true : undefined,
    );
    const { pid } = stage.postmaster;
    const child = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim();
    stage.postmaster.kill('SIGSTOP');

    expect(await ended(stage, 'postmaster')).toBe('SIGKILL');
    await until(
      async () => {
        const { exitCode } = await execa('test', ['-e', `/proc/${child}`], { reject: false });
        return exitCode === 0 ? undefined : true;
      },
      // It would end by itself later than that.
      3_000,
    );
    expect(await noticed(stage, 'test/fenced')).toBe(
      'test/fenced reason=PostgreSQL was stopped for 1 s',
    );
    expect(await stage.seen()).toMatchObject({
      fences: [
        {
          at: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
          reason: 'PostgreSQL was stopped for 1 s',
        },
      ],
    });
    expect(endOf(stage.patroni)).toBeUndefined();
  });
});

test.concurrent('a stopped Patroni is killed before it counts as silent', async () => {
  await onStage({}, async (stage) => {
    await asked(stage);
    stage.patroni.kill('SIGSTOP');

    expect(await ended(stage, 'patroni')).toBe('SIGKILL');
    await sleep(ttlS / 2);
    expect(await fences(stage)).toEqual(['test/fenced reason=Patroni was stopped for 1 s']);
    expect(endOf(stage.postmaster)).toBeUndefined();
  });
});

test.concurrent('a stop that is shorter than the patience is put up with', async () => {
  await onStage({}, async (stage) => {
    for (let time = 0; time < 4; time += 1) {
      stage.postmaster.kill('SIGSTOP');
      await sleep(0.4);
      stage.postmaster.kill('SIGCONT');
      await sleep(0.7);
    }

    expect(await fences(stage)).toEqual([]);
    expect(endOf(stage.postmaster)).toBeUndefined();
  });
});

test.concurrent.each([{ pause: false }, { pause: true }])(
  'after a freeze of the container both are killed at once (paused: $pause)',
  async ({ pause }) => {
    await onStage({}, async (stage) => {
      await stage.answer({ '/cluster': [200, { members: [], pause }] });
      await asked(stage);
      stage.watcher.kill('SIGSTOP');
      await sleep(ttlS / 2 + 1);
      expect([endOf(stage.patroni), endOf(stage.postmaster)]).toEqual([undefined, undefined]);
      stage.watcher.kill('SIGCONT');

      const soonMs = 1_500;
      for (const child of [stage.patroni, stage.postmaster]) {
        const signal = await until(async () => await Promise.resolve(endOf(child)), soonMs);
        expect(signal).toBe('SIGKILL');
      }
      expect(await noticed(stage, 'test/fenced')).toMatch(/the container did not run for \d+ s$/);
    });
  },
);

test.concurrent('while the cluster is paused nobody is killed for being still', async () => {
  await onStage({}, async (stage) => {
    await stage.answer({ '/cluster': [200, { members: [], pause: true }] });
    await asked(stage);
    await stage.answer({ '/liveness': null });
    stage.postmaster.kill('SIGSTOP');
    await sleep(ttlS);

    expect(await fences(stage)).toEqual([]);
    expect([endOf(stage.patroni), endOf(stage.postmaster)]).toEqual([undefined, undefined]);
  });
});

test.concurrent('the end of PostgreSQL wakes Patroni at once', async () => {
  await onStage({}, async (stage) => {
    stage.postmaster.kill('SIGKILL');

    const wake = await until(
      async () => (await stage.requests()).find((line) => line.startsWith('PATCH')),
      1_500,
    );
    expect(wake).toBe('PATCH /config {"charm_wake": null}');
    expect(await fences(stage)).toEqual([]);
  });
});

test.concurrent('a PostgreSQL whose data directory is gone is killed, and that it is down is seen', async () => {
  await onStage({}, async (stage) => {
    expect(JSON.stringify(await stage.seen())).not.toContain('down');
    await rm(stage.data, { recursive: true });

    expect(await ended(stage, 'postmaster')).toBe('SIGKILL');
    expect(await noticed(stage, 'test/fenced')).toBe(
      'test/fenced reason=PostgreSQL ran without its data directory',
    );
    await until(async () => ('down' in (await stage.seen()) ? true : undefined));
    expect(endOf(stage.patroni)).toBeUndefined();
  });
});

test.concurrent('starts in vain are counted until one lasts, and not for other data', async () => {
  await onStage({}, async (stage) => {
    const version = path.join(stage.data, 'PG_VERSION');
    const startsAre = async (starts: number) => {
      await until(async () =>
        JSON.stringify(await stage.seen()).includes(`"starts":${starts}`) ? true : undefined,
      );
    };
    await writeFile(version, '17\n');
    stage.postmaster.kill('SIGKILL');
    await startsAre(0);
    for (const starts of [1, 2]) {
      const vain = stage.startPostmaster();
      // With its child the watcher shows that it has seen the start.
      vain.stdin?.write(`+postgres: walsender app 10.1.0.${starts}(5) streaming 0/3000148\n`);
      await until(
        async () =>
          JSON.stringify(await stage.seen()).includes(`walsender 10.1.0.${starts}"`) || undefined,
      );
      vain.kill('SIGKILL');
      await startsAre(starts);
    }

    await rm(version);
    await startsAre(0);
    stage.startPostmaster();
    await until(async () => ('down' in (await stage.seen()) ? undefined : true));
  });
});

const said = (level: string, text: string) =>
  `2026-01-31 12:00:00 UTC [42]: user= ${level}:  ${text}\n`;

test.concurrent('why PostgreSQL does not start is seen until a start gets further', async () => {
  await onStage({}, async (stage) => {
    const output = path.join(stage.logs, 'patroni-output.log');
    const seenIs = async (expected: object) => {
      await until(async () => {
        const { down } = await stage.seen();
        return JSON.stringify(down)?.includes(JSON.stringify(expected).slice(1, -1)) || undefined;
      });
    };
    const further = said('LOG', 'redirecting log output to logging collector process');
    await writeFile(output, `${said('FATAL', 'old')}${further}`);
    stage.postmaster.kill('SIGKILL');
    await seenIs({ refusal: null });

    await appendFile(output, 'pg_basebackup: error: FATAL:  not of the server\n');
    await appendFile(output, said('FATAL', 'could not access file "nothere"'));
    await appendFile(output, said('LOG', 'database system is shut down'));
    await seenIs({ refusal: 'could not access file "nothere"' });

    await appendFile(output, said('LOG', 'invalid value for parameter "TimeZone": "Mars"'));
    await appendFile(output, said('FATAL', 'configuration file "/a.conf" contains errors'));
    await seenIs({ refusal: 'invalid value for parameter "TimeZone": "Mars"' });
    await appendFile(output, further);
    await seenIs({ refusal: null });
  });
});

test.concurrent('a standby that does not come back to streaming is told, and that it did', async () => {
  await onStage({ standby: true }, async (stage) => {
    const title = 'postgres: walreceiver streaming 0/3000148';
    stage.child('+', title);
    await until(async () =>
      JSON.stringify(await stage.seen()).includes('walreceiver') ? true : undefined,
    );
    stage.child('-', title);
    await sleep(1);
    stage.child('+', title);
    await sleep(4);
    expect(await stage.notices()).toEqual([]);

    stage.child('-', title);
    expect(await noticed(stage, 'test/replication-broken')).toMatch(/ seconds=[34]$/);
    await sleep(1);
    expect(await stage.seen()).toMatchObject({
      replication: { streams: [], broken_at: expect.stringMatching(/^20.*Z$/) },
    });
    stage.child('+', title);
    await noticed(stage, 'test/replication-recovered');
    await sleep(1);
    expect(JSON.stringify(await stage.seen())).not.toContain('broken_at');
  });
});

test.concurrent('a primary that loses a standby wakes Patroni, whose commits may wait', async () => {
  await onStage({}, async (stage) => {
    const title = 'postgres: walsender replication 10.1.0.9(52144) streaming 0/3000148';
    stage.child('+', title);
    const wakes = async () =>
      (await stage.requests()).filter((line) => line.startsWith('PATCH')).length;
    await until(async () => ((await wakes()) === 1 ? true : undefined));
    stage.child('-', title);
    await until(async () => ((await wakes()) === 2 ? true : undefined), 2_000);
  });
});

test.concurrent('answers that make no sense are no reason to kill anybody, nor the end', async () => {
  await onStage({}, async (stage) => {
    await stage.answer({ '/config': [200, ['ttl']], '/cluster': [200, { members: 'none' }] });
    await writeFile(path.join(stage.volume, 'patroni.yml'), '[}');
    await sleep(ttlS);
    expect(await stage.notices()).toEqual([]);
    expect([endOf(stage.patroni), endOf(stage.postmaster)]).toEqual([undefined, undefined]);

    await stage.answer({ ...healthy, '/cluster': [200, { members: [] }] });
    expect(await noticed(stage, 'test/cluster-changed')).toBe('test/cluster-changed members=0');
  });
});
