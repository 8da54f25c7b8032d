// Level 2. Labels: deploy, scale.
// An application goes and takes all that it had in Kubernetes with it; one of the same name can come after
// it, also when something of its predecessor is left, or it went by force.

import { describe, expect } from '@jest/globals';

import { listUnits, waitUntilReplicated } from '../../scripts/demo/cluster.ts';
import { openServer } from '../../scripts/demo/database.ts';
import { deployPostgresql, postgresql } from '../../scripts/demo/deploy.ts';
import { readStatus, waitUntilSettled } from '../../scripts/demo/settle.ts';
import { notYet, there, waitFor } from '../../scripts/demo/wait.ts';
import {
  listRemainders,
  namesOf,
  type Remainder,
  readMetadata,
  writePatroniNotes,
} from '../support/e2e/kubernetes-leftovers.ts';
import { image, useModel } from '../support/e2e/test-model.ts';

const cluster = `patroni-${postgresql}`;
const notes = [cluster, `${cluster}-config`, `${cluster}-sync`].map((name) => `Endpoints/${name}`);
const services = [cluster, `${cluster}-config`, `${cluster}-sync`]
  .concat(`${postgresql}-primary`, `${postgresql}-replicas`, `${postgresql}-endpoints`)
  .map((name) => `Service/${name}`);
/** After Juju has said that the application is gone. */
const collectedMs = 60_000;

describe('an application that is removed', () => {
  const { model, say, check } = useModel('e2e-removal');
  const size = 3;
  let left: readonly Remainder[] = [];
  let identifiers: readonly string[] = [];

  /** Deploys, and returns the identifier of the database that Patroni remembers then. */
  async function deploy(): Promise<string> {
    await deployPostgresql(model, { units: size, image });
    await waitUntilSettled(model, { [postgresql]: size }, { say, timeoutMs: 600_000 });
    const units = listUnits(await readStatus(model));
    const servers = units.map((unit) => openServer(model, unit));
    await waitUntilReplicated(model, servers, say);
    const config = await readMetadata(model.name, `endpoints/${cluster}-config`);
    const remembered = config.annotations['initialize'] ?? '';
    for (const server of servers) {
      expect(await server.query('SELECT system_identifier FROM pg_control_system()')).toBe(
        remembered,
      );
    }
    return remembered;
  }

  async function remove(...options: readonly string[]): Promise<void> {
    const args = [postgresql, '--destroy-storage', '--no-prompt', ...options];
    await model.run('remove-application', args, { timeoutMs: 120_000 });
    await waitFor(
      async () => {
        const { applications } = await readStatus(model);
        const units = applications[postgresql];
        return units === undefined ? there(true) : notYet(`${units.length} units are still there`);
      },
      { what: 'the application to be gone', timeoutMs: 600_000, say },
    );
  }

  check('its Services, their Endpoints and locks are gone within a minute', async () => {
    identifiers = [await deploy()];
    left = await listRemainders(model.name, postgresql);
    expect(namesOf(left)).toEqual(expect.arrayContaining([...notes, ...services]));

    await remove();

    await waitFor(
      async () => {
        const names = namesOf(await listRemainders(model.name, postgresql));
        return names.length === 0 ? there(true) : notYet(`there are ${names.join(', ')}`);
      },
      { what: 'nothing to be left in Kubernetes', timeoutMs: collectedMs, say },
    );
  });

  check('its name can be used again, whatever a member wrote that outlived it', async () => {
    await writePatroniNotes(model.name, left);
    expect(namesOf(await listRemainders(model.name, postgresql))).toEqual(notes);

    const identifier = await deploy();

    expect(identifier).toMatch(/^\d+$/);
    expect(identifiers).not.toContain(identifier);
    identifiers = [...identifiers, identifier];
    const born = Date.parse(
      (await readMetadata(model.name, `statefulset/${postgresql}`)).creationTimestamp,
    );
    for (const note of notes) {
      const { creationTimestamp } = await readMetadata(model.name, note);
      expect(Date.parse(creationTimestamp)).toBeGreaterThanOrEqual(born);
    }
  });

  check('its name can be used again after it was removed by force', async () => {
    const former = await readMetadata(model.name, `statefulset/${postgresql}`);
    await remove('--force', '--no-wait');
    say(`left: ${namesOf(await listRemainders(model.name, postgresql)).join(', ')}`);

    const identifier = await deploy();

    expect(identifier).toMatch(/^\d+$/);
    expect(identifiers).not.toContain(identifier);
    expect((await readMetadata(model.name, `statefulset/${postgresql}`)).uid).not.toBe(former.uid);
  });
});
