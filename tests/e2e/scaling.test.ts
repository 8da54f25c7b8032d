// Level 2. Labels: scale, failover.
// Units come and go, several at once and the primary among them, down to none and back; at each step
// the data is compared, Patroni, labels, Services and slots are asked who is there, and nothing is left of
// units that went.

import { describe, expect } from '@jest/globals';

import { kubectl } from '../../cloud/client.ts';
import { readTableSums } from '../../scripts/demo/checksums.ts';
import { listUnits, waitUntilAlone, waitUntilReplicated } from '../../scripts/demo/cluster.ts';
import { openServer } from '../../scripts/demo/database.ts';
import { deployPostgresql, postgresql, scalePostgresql } from '../../scripts/demo/deploy.ts';
import { database } from '../../scripts/demo/load.ts';
import type { TableSums } from '../../scripts/demo/report.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import { waitUntilAgreed, waitUntilForgotten } from '../support/e2e/cluster-shape.ts';
import { reserveVolume, volumeOf, waitUntilReleased } from '../support/e2e/retained-volume.ts';
import { image, useModel } from '../support/e2e/test-model.ts';
import { loadSmallData } from '../support/e2e/untouched.ts';

const first = `${postgresql}/0`;

describe('a cluster that is scaled', () => {
  const { model, say, check } = useModel('e2e-scaling');
  let wanted: TableSums;

  async function scaleTo(units: number): Promise<void> {
    await scalePostgresql(model, units);
    await waitUntilSettled(model, { [postgresql]: units }, { say, timeoutMs: 600_000 });
    const servers = listUnits(await readStatus(model)).map((unit) => openServer(model, unit));
    expect(servers).toHaveLength(units);
    await waitUntilReplicated(model, servers, say);
    for (const server of servers) {
      expect(await readTableSums(server, database)).toStrictEqual(wanted);
    }
    await waitUntilAgreed(model.name, units, say);
  }

  async function waitUntilPodsAre(names: readonly string[]): Promise<void> {
    const selector = `cluster-name=patroni-${postgresql}`;
    await waitFor(
      async () => {
        const query = ['-n', model.name, 'get', 'pods', '-l', selector, '-o', 'name'];
        const { stdout } = await kubectl(query);
        return stdout === names.join('\n')
          ? there(true)
          : notYet(`pods: ${stdout.split('\n').join(', ')}`);
      },
      { what: 'the pods of units that went to end', timeoutMs: 120_000, say },
    );
  }

  async function synchronousCount(): Promise<string> {
    const name = `patroni-${postgresql}-config`;
    const path = 'jsonpath={.metadata.annotations.config}';
    const { stdout } = await kubectl(['-n', model.name, 'get', 'endpoints', name, '-o', path]);
    return /"synchronous_node_count":(\d+)/.exec(stdout)?.[1] ?? stdout;
  }

  check('one unit with data becomes three, and three become five', async () => {
    await deployPostgresql(model, { units: 1, image });
    await waitUntilSettled(model, { [postgresql]: 1 }, { say, timeoutMs: 600_000 });
    const server = openServer(model, first);
    await loadSmallData(server);
    wanted = await readTableSums(server, database);

    await scaleTo(3);
    await scaleTo(5);

    expect(await synchronousCount()).toBe('4');
  });

  check('four units go at once, the primary among them, and leave nothing behind', async () => {
    await model.run('run', [`${postgresql}/3`, 'promote-to-primary', 'scope=unit'], {
      timeoutMs: 180_000,
    });
    await waitUntilSettled(model, { [postgresql]: 5 }, { say, timeoutMs: 600_000 });

    await scaleTo(1);

    const { stdout } = await model.run('show-unit', [first, '--format=json']);
    expect(stdout).toContain(`"endpoints":"[\\"${postgresql}-0.${postgresql}-endpoints\\"]"`);
    // Kubernetes gives the pods of units that went half a minute to end.
    await waitUntilPodsAre([`pod/${postgresql}-0`]);
    expect(await synchronousCount()).toBe('1');
    await waitUntilAlone(openServer(model, first), say);
    await waitUntilForgotten(model.name, 1, say);
  });

  check('after none there are three again, with the data of the volume that was kept', async () => {
    const volume = await volumeOf(model.name, first);
    await scalePostgresql(model, 0);
    await waitUntilReleased(volume, say);
    await reserveVolume(volume, { namespace: model.name, unit: first });

    await scaleTo(3);

    expect(await volumeOf(model.name, first)).toBe(volume);
  });
});
