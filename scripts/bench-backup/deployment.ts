/** A cluster of one unit with its backups set up, in a model of its own. */

import { s3Info } from '../../cloud/client.ts';
import { stanzaName } from '../../src/core/names.ts';
import { waitUntilArchiving } from '../demo/cluster.ts';
import { deployPostgresql, deployS3Integrator, integrateS3, postgresql } from '../demo/deploy.ts';
import type { Juju } from '../demo/juju.ts';
import { createModel, destroyModel } from '../demo/model.ts';
import { waitUntilSettled } from '../demo/settle.ts';
import type { Say } from '../demo/wait.ts';
import { type CharmBench, expected } from './charm.ts';

const image = 'docker.io/local/charmed-postgresql:17';

export async function deploy(juju: Juju, name: string, say: Say): Promise<CharmBench> {
  await destroyModel(juju, name, say);
  const model = await createModel(juju, name, say);
  // What a hook does beside a measurement is part of it.
  await model.run('model-config', ['update-status-hook-interval=1h']);
  await deployPostgresql(model, { units: 1, image });
  const path = `bench-backup-${Date.now()}`;
  await deployS3Integrator(model, { ...(await s3Info()), bucket: 'bench-backup', path });
  await waitUntilSettled(model, expected, { say });
  await integrateS3(model);
  await waitUntilArchiving(model, say);
  await waitUntilSettled(model, expected, { say });
  const member = { namespace: name, pod: `${postgresql}-0` };
  return { model, say, bench: { member, stanza: stanzaName(name, postgresql) } };
}
