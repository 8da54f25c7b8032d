/** `node cloud/up.ts`: brings the local cloud up, or joins the one that is up. */

import { ensureArtifacts } from './build/artifacts.ts';
import { createProgress } from './build/progress.ts';
import { ensureCloud } from './cloud.ts';
import { runCommand } from './command-line.ts';
import { getLayout } from './layout.ts';
import { withCloudLock } from './lock.ts';

const usage = `usage: node cloud/up.ts

Brings up real Juju on real Kubernetes on this machine: builds what is missing, starts the cluster in
namespaces of its own and bootstraps a Juju controller. When the same cloud is up already it is
joined, and whatever died in it is started again; a different or half-finished one is replaced.
May be interrupted at any time and run again.
`;

const hint = `
The local cloud is up. Try:
  cloud/bin/juju status                 cloud/bin/juju add-model try
  cloud/bin/kubectl get pods -A         cloud/enter COMMAND    any command in the cloud's network
  node cloud/status.ts                  node cloud/down.ts
`;

await runCommand({ usage }, async () => {
  const layout = getLayout();
  const progress = createProgress();
  const artifacts = await ensureArtifacts(progress);
  const request = {
    doing: 'up',
    onWait: (holder?: { pid: number; doing: string }) => {
      const who = holder === undefined ? 'another process' : `process ${holder.pid} (${holder.doing})`;
      progress.note(`waiting: ${who} changes the cloud`);
    },
  };
  await withCloudLock(layout, request, async () => await ensureCloud({ layout, artifacts, progress }));
  process.stdout.write(hint);
});
