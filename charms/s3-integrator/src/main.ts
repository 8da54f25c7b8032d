// Entry of the S3 integrator: runs one dispatch. The charm talks to nobody but Juju.

import { environment, exitWith } from '../../../lib/base/environment.ts';
import { dispatch } from '../../../lib/juju/dispatch.ts';
import { createHookToolPort } from '../../../lib/juju/tools/process-port.ts';
import { charm } from './charm.ts';

async function main(): Promise<void> {
  const port = createHookToolPort();
  exitWith(await dispatch({ env: environment(), port, ports: undefined, charm }));
}

void main();
