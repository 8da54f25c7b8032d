// Entry of the PostgreSQL charm: builds the ports to the outside and runs one dispatch.

import { systemClock } from '../lib/base/clock.ts';
import { environment, exitWith } from '../lib/base/environment.ts';
import { createHttp } from '../lib/base/http.ts';
import { systemRandom } from '../lib/base/random.ts';
import { parseContext } from '../lib/juju/context.ts';
import { dispatch } from '../lib/juju/dispatch.ts';
import { createHookToolPort } from '../lib/juju/tools/process-port.ts';
import { createKube } from '../lib/kube/client.ts';
import { inClusterUrl, readServiceAccount } from '../lib/kube/service-account.ts';
import { createPebble } from '../lib/pebble/client.ts';
import { openObjectStore } from './adapters/object-store.ts';
import { connectInPod } from './adapters/pod-postgres.ts';
import { containerName } from './core/names.ts';
import { charm } from './hooks.ts';
import type { PostgresqlPorts } from './ports.ts';

function createPorts(env: NodeJS.ProcessEnv): PostgresqlPorts {
  const http = createHttp();
  const namespace = parseContext(env).modelName;
  const kube = createKube({
    http,
    namespace,
    url: inClusterUrl(env),
    credentials: readServiceAccount,
  });
  return {
    pebble: createPebble({
      container: containerName,
      socketPath: `/charm/containers/${containerName}/pebble.socket`,
      clock: systemClock,
    }),
    http,
    kube,
    clock: systemClock,
    random: systemRandom,
    connectPostgres: async (target) => await connectInPod(kube, target),
    openObjectStore,
  };
}

async function main(): Promise<void> {
  const env = environment();
  exitWith(await dispatch({ env, port: createHookToolPort(), ports: createPorts(env), charm }));
}

void main();
