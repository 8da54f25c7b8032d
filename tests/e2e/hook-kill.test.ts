// Level 1. Labels: failover, deploy.
// Hooks killed at any moment, pods deleted while they are set up, the controller restarted: the
// model ends active, and all units hold the same data.

import { describe, expect } from '@jest/globals';

import { kubectl } from '../../cloud/client.ts';
import { readTableSums } from '../../scripts/demo/checksums.ts';
import { findPrimary, listUnits, waitUntilReplicated } from '../../scripts/demo/cluster.ts';
import { openServer } from '../../scripts/demo/database.ts';
import { deployPostgresql, postgresql, scalePostgresql } from '../../scripts/demo/deploy.ts';
import { database } from '../../scripts/demo/load.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { killHooks } from '../support/e2e/hook-killer.ts';
import { image, useModel } from '../support/e2e/test-model.ts';
import { loadSmallData } from '../support/e2e/untouched.ts';

const controllerNamespace = 'controller-local';

describe('a deployment that is disturbed', () => {
  const { model, juju, say, check } = useModel('e2e-hook-kill');
  const expected = { [postgresql]: 3 };

  async function deletePod(name: string): Promise<void> {
    await waitFor(
      async () => {
        const args = ['-n', model.name, 'delete', 'pod', name, '--wait=false'];
        const { exitCode } = await kubectl(args, { allowFailure: true });
        return exitCode === 0 ? there(true) : notYet(`pod ${name} is not there yet`);
      },
      { what: `pod ${name}`, timeoutMs: 60_000, say, intervalMs: 250 },
    );
  }

  check('hooks are killed at any moment and pods deleted during deployment', async () => {
    const killing = killHooks({
      model: model.name,
      delaysMs: [0, 300, 40, 500, 80, 150, 20, 220],
      quietMs: 20_000,
    });
    await deployPostgresql(model, { units: 3, image });
    await deletePod(`${postgresql}-1`);
    await deletePod(`${postgresql}-0`);
    const killed = await killing;
    say(`killed: ${killed.join(', ')}`);

    await waitUntilSettled(model, expected, { say, timeoutMs: 600_000 });

    expect(killed.length).toBeGreaterThan(8);
  });

  check('the cluster that came out of it works', async () => {
    const primary = await findPrimary(model);
    await loadSmallData(primary);
    const servers = listUnits(await readStatus(model)).map((unit) => openServer(model, unit));
    await waitUntilReplicated(model, servers, say);

    const wanted = await readTableSums(primary, database);

    expect(servers).toHaveLength(3);
    for (const server of servers) {
      expect(await readTableSums(server, database)).toStrictEqual(wanted);
    }
  });

  check('the controller is restarted while a unit is added', async () => {
    await scalePostgresql(model, 4);
    await kubectl(['-n', controllerNamespace, 'delete', 'pod', 'controller-0', '--wait=true']);
    await waitFor(
      async () => {
        const { exitCode } = await juju(['models'], { allowFailure: true, timeoutMs: 10_000 });
        return exitCode === 0 ? there(true) : notYet('the controller does not answer');
      },
      { what: 'the controller', timeoutMs: 180_000, say },
    );

    await waitUntilSettled(model, { [postgresql]: 4 }, { say, timeoutMs: 600_000 });

    const servers = listUnits(await readStatus(model)).map((unit) => openServer(model, unit));
    await waitUntilReplicated(model, servers, say);
    expect(servers).toHaveLength(4);
  });
});
