/** `cloud/down`: takes the local cloud down and leaves nothing of it on the machine. */

import { createProgress } from './build/progress.ts';
import { removeCloud } from './cloud.ts';
import { describeWait, runCommand } from './command-line.ts';
import { getLayout } from './layout.ts';
import { type LockHolder, withCloudLock } from './lock.ts';

const usage = `usage: cloud/down

Takes the local cloud down with everything in it: processes, mounts, namespaces, interfaces, firewall
rules, cgroups, volumes and buckets. Also clears up after a run that was killed. What was built and
unpacked stays in the cache, so that the next start is quick. Doing it twice is fine.
`;

await runCommand({ usage }, async () => {
  const layout = getLayout();
  const progress = createProgress();
  const request = {
    doing: 'down',
    onWait: (holder?: LockHolder) => progress.note(describeWait(holder)),
  };
  await withCloudLock(layout, request, async () => await removeCloud(layout, progress));
  progress.note('the cloud is down');
});
