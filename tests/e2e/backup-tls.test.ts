// Level 2. Labels: backup, tls.
// pgBackRest's server between units that have certificates. There is no relation to a provider of them
// yet: the test makes them, puts them in their place and tells the charm, as that relation will.

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { afterAll, beforeAll, describe, expect } from '@jest/globals';

import { CloudCommandError, kubectl, s3Info } from '../../cloud/client.ts';
import { requireAction, runAction } from '../../scripts/demo/action.ts';
import { parseBackups } from '../../scripts/demo/backups.ts';
import { findPrimary, listUnits, waitUntilArchiving } from '../../scripts/demo/cluster.ts';
import {
  deployPostgresql,
  deployS3Integrator,
  integrateS3,
  postgresql,
  s3Integrator,
} from '../../scripts/demo/deploy.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { runInPod } from '../../scripts/faults/sql.ts';
import { memberHost, memberOfUnit, tlsFiles } from '../../src/core/names.ts';
import {
  type Authority,
  announce,
  type CertificateFiles,
  issue,
  makeAuthority,
  place,
} from '../support/e2e/certificates.ts';
import { image, useModel } from '../support/e2e/test-model.ts';
import relay from '../support/e2e/tls_relay.py';

describe('backups over TLS between units', () => {
  const { model, say, check } = useModel('e2e-backup-tls');
  const expected = { [postgresql]: 3, [s3Integrator]: 1 };
  const stanza = `${model.name}.patroni-${postgresql}`;
  let folder = '';
  let authority: Authority;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'backup-tls-'));
    authority = await makeAuthority(folder, 'members');
  });
  afterAll(async () => {
    await rm(folder, { recursive: true });
  });

  const memberOf = (unit: string) => ({ namespace: model.name, pod: memberOfUnit(unit) });
  const hostOf = (unit: string) => memberHost(unit, postgresql);
  const settle = async () => await waitUntilSettled(model, expected, { say, timeoutMs: 600_000 });
  const units = async () => listUnits(await readStatus(model));

  /** The primary, and the others. */
  async function roles(): Promise<{ readonly primary: string; readonly replicas: string[] }> {
    const { unit: primary } = await findPrimary(model);
    return { primary, replicas: (await units()).filter((unit) => unit !== primary) };
  }

  /** Of update-status. */
  async function setInterval(time: string): Promise<void> {
    await model.run('model-config', [`update-status-hook-interval=${time}`]);
  }

  const pebble = async (unit: string, command: string): Promise<string> => {
    const script = `PEBBLE_SOCKET=/charm/container/pebble.socket exec /charm/bin/pebble ${command}`;
    return await runInPod(memberOf(unit), { script });
  };

  /** What Pebble says of a unit's server; a pod that is being replaced says nothing. */
  async function serverOf(unit: string): Promise<string> {
    try {
      const rows = (await pebble(unit, 'services')).split('\n');
      const row = rows.find((one) => one.startsWith('pgbackrest server'));
      return row?.trim().split(/\s{2,}/)[2] ?? 'none';
    } catch (error) {
      if (error instanceof CloudCommandError) return 'out of reach';
      throw error;
    }
  }

  /** Each unit has its word, and an event: the relation will bring one, here an option that changes does. */
  async function tell(tls: 'enabled' | ''): Promise<void> {
    for (const unit of await units()) await announce(model, unit, tls);
    const value = tls === 'enabled' ? 'true' : 'false';
    await model.run('config', [postgresql, `logging_log_lock_waits=${value}`]);
  }

  async function waitForServers(): Promise<void> {
    await waitFor(
      async () => {
        const all = await units();
        const shown = await Promise.all(all.map(async (unit) => `${unit} ${await serverOf(unit)}`));
        const run = shown.length === 3 && shown.every((one) => one.endsWith(' active'));
        return run ? there(true) : notYet(shown.join(', '));
      },
      { what: 'a server on every unit', timeoutMs: 420_000, say, intervalMs: 3_000 },
    );
  }

  const asPostgres = async (unit: string, command: string, input = '') =>
    await runInPod(memberOf(unit), {
      script: `runuser -u postgres -- ${command} 2>&1; echo "exit $?"`,
      input,
      timeoutMs: 120_000,
    });

  const backUp = async (unit: string) =>
    await runAction(model, { unit, action: 'create-backup', timeoutMs: 300_000 });

  /** Makes a backup on this unit; gives what pgBackRest has noted of it. */
  async function backUpOn(unit: string): Promise<string> {
    const outcome = await backUp(unit);
    if (outcome.kind === 'failed') throw new Error(outcome.message);
    const id = outcome.results['backup-id'] ?? '';
    const label = `${id.replaceAll(/[-:Z]/g, '').replace('T', '-')}F`;
    return await asPostgres(unit, `pgbackrest repo-get backup/${stanza}/${label}/backup.manifest`);
  }

  /** What a program on `unit` gets from the server of another: the folders of its repository. */
  function listing(server: string, files: CertificateFiles, port = 8432): string {
    const options = {
      stanza,
      'io-timeout': 5,
      'log-level-file': 'off',
      'repo1-host': server,
      'repo1-host-port': port,
      'repo1-host-type': 'tls',
      'repo1-host-ca-file': files.ca,
      'repo1-host-cert-file': files.cert,
      'repo1-host-key-file': files.key,
    };
    const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
    return ['pgbackrest', '--no-config', ...words, 'repo-ls', 'backup'].join(' ');
  }

  const filesIn = (directory: string): CertificateFiles => ({
    ca: tlsFiles.ca,
    cert: `${directory}/cert.pem`,
    key: `${directory}/key.pem`,
  });

  check('three units whose backups work, without certificates on the primary only', async () => {
    // Starts servers again that have been stopped: only when the test waits for that.
    await setInterval('60m');
    await deployPostgresql(model, { units: 3, image });
    await waitUntilSettled(model, { [postgresql]: 3 }, { say, timeoutMs: 600_000 });
    const where = { ...(await s3Info()), bucket: 'tls', path: `${model.name}-${Date.now()}` };
    await deployS3Integrator(model, where);
    await integrateS3(model);
    await waitUntilArchiving(model, say);
    await settle();
    const { replicas } = await roles();

    expect(await Promise.all((await units()).map(serverOf))).toEqual(['none', 'none', 'none']);
    expect(await backUp(replicas[0] ?? '')).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('TLS is not enabled'),
    });
  });

  check('with certificates every unit serves the others', async () => {
    for (const unit of await units()) {
      await place(memberOf(unit), await issue(authority, hostOf(unit)), tlsFiles);
    }
    await tell('enabled');
    await waitForServers();
    await settle();
  });

  check('a replica is backed up, and the primary is not', async () => {
    const { primary, replicas } = await roles();

    expect(await backUp(primary)).toMatchObject({
      kind: 'failed',
      message: 'Unit cannot perform backups as it is the cluster primary',
    });
    expect(await backUpOn(replicas[0] ?? '')).toMatch(/^option-backup-standby=true$/m);
  });

  check('that goes through the server of the primary, which comes back', async () => {
    await settle();
    const { primary, replicas } = await roles();
    await pebble(primary, `stop 'pgbackrest server'`);

    expect(await backUp(replicas[0] ?? '')).toMatchObject({
      kind: 'failed',
      message: expect.stringContaining('unable to find primary cluster'),
    });
    await setInterval('1m');
    await waitForServers();
    await setInterval('60m');
    await settle();
    expect(await backUpOn(replicas[0] ?? '')).toContain('backup-label');
  });

  check('only members with a certificate of the same authority are answered', async () => {
    const { primary, replicas } = await roles();
    const [client = ''] = replicas;
    const member = memberOf(client);
    const own = hostOf(client);
    const foreign = await makeAuthority(folder, 'foreign');
    await place(member, await issue(foreign, own), {
      ...filesIn('/tmp/foreign'),
      ca: '/tmp/foreign/ca.pem',
    });
    const stranger = await issue(authority, `stranger.${postgresql}-endpoints`);
    await place(member, stranger, { ...filesIn('/tmp/stranger'), ca: '/tmp/stranger/ca.pem' });
    const ask = async (files: CertificateFiles) =>
      await asPostgres(client, listing(hostOf(primary), files));

    expect(await ask(tlsFiles)).toBe(`${stanza}\nexit 0`);
    expect(await ask(filesIn('/tmp/foreign'))).toMatch(/unknown ca[^]*exit [1-9]/);
    expect(await ask(filesIn('/tmp/stranger'))).toMatch(/access denied[^]*exit [1-9]/);
  });

  check('nor is a client without one', async () => {
    const { primary, replicas } = await roles();
    const [client = ''] = replicas;
    const ask = async (own: 'with' | 'without', port: number) => {
      const { ca, cert, key } = tlsFiles;
      const words = [
        cert,
        key,
        hostOf(primary),
        ca,
        own,
        port,
        listing(hostOf(client), tlsFiles, port),
      ];
      return await asPostgres(client, `python3 - ${words.join(' ')}`, relay);
    };

    expect(await ask('with', 18_432)).toBe(`${stanza}\nexit 0`);
    const refused = await ask('without', 18_433);
    expect(refused).not.toContain(stanza);
    expect(refused).toMatch(/exit [1-9]/);
  });

  check('units that are started anew, the primary among them, serve the others again', async () => {
    const { primary: former } = await roles();
    await kubectl(['-n', model.name, 'delete', 'pod', memberOfUnit(former)], {
      timeoutMs: 120_000,
    });
    await waitForServers();
    await settle();
    const { primary, replicas } = await roles();

    expect(primary).not.toBe(former);
    expect(await backUpOn(former)).toMatch(/^option-backup-standby=true$/m);
    const { backups = '' } = await requireAction(model, {
      unit: replicas[0] ?? '',
      action: 'list-backups',
    });
    // The new timeline has a row, too.
    const made = parseBackups(backups).filter(({ action }) => action.endsWith('backup'));
    expect(made.map(({ status }) => status.replace(/:[^]*/, ''))).toEqual([
      'finished',
      'failed',
      'finished',
      'finished',
    ]);
  });

  check('without certificates nobody is served any more', async () => {
    await tell('');
    await waitFor(
      async () => {
        const shown = await Promise.all((await units()).map(serverOf));
        return shown.every((one) => one !== 'active') ? there(true) : notYet(shown.join(', '));
      },
      { what: 'the end of all servers', timeoutMs: 420_000, say, intervalMs: 3_000 },
    );
    await settle();
    const { primary } = await roles();

    expect(await backUp(primary)).toMatchObject({ kind: 'completed' });
  });
});
