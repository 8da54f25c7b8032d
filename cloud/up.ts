/** `cloud/up`: brings the local cloud up, or joins the one that is up. */

import { ensureArtifacts } from './build/artifacts.ts';
import { createProgress } from './build/progress.ts';
import { ensureCloud } from './cloud.ts';
import { describeWait, runCommand } from './command-line.ts';
import { getLayout } from './layout.ts';
import { type LockHolder, withCloudLock } from './lock.ts';

const usage = `usage: cloud/up

Brings up real Juju on real Kubernetes on this machine: builds what is missing, starts the cluster in
namespaces of its own and bootstraps a Juju controller. When the same cloud is up already it is
joined, and whatever died in it is started again; a different or half-finished one is replaced.
May be interrupted at any time and run again.
`;

const hint = `
The local cloud is up. Try:
  cloud/juju status                     cloud/juju add-model try
  cloud/kubectl get pods -A             cloud/enter COMMAND    any command in the cloud's network
  cloud/status                          cloud/down
`;

await runCommand({ usage }, async () => {
  const layout = getLayout();
  const progress = createProgress();
  const artifacts = await ensureArtifacts(progress);
  const request = {
    doing: 'up',
    onWait: (holder?: LockHolder) => progress.note(describeWait(holder)),
  };
  await withCloudLock(
    layout,
    request,
    async () => await ensureCloud({ layout, artifacts, progress }),
  );
  process.stdout.write(hint);
});
