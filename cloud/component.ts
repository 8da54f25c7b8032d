/** `cloud/component`: stops and starts single components, for tests of what happens then. */

import { waitForApi } from './cloud.ts';
import { runCommand } from './command-line.ts';
import { findComponent, startComponent, stopComponent } from './component-process.ts';
import { componentNames } from './components.ts';
import { getLayout } from './layout.ts';
import { withCloudLock } from './lock.ts';
import { findRunningCloud, type RunningCloud } from './running.ts';

const usage = `usage: cloud/component stop|start|restart NAME

Stops or starts one component of the running local cloud; its data stay. A stopped component is
started again by the next \`up\`, too. After a start the API server has answered.

components: ${componentNames.join(', ')}
`;

const actions = {
  stop: async ({ inside }: RunningCloud, name: string): Promise<void> =>
    await stopComponent(inside, name),
  start,
  restart: async (cloud: RunningCloud, name: string): Promise<void> => {
    await stopComponent(cloud.inside, name);
    await start(cloud, name);
  },
} as const;

async function start({ state, inside }: RunningCloud, name: string): Promise<void> {
  const component = state.components.find((candidate) => candidate.name === name);
  if (component === undefined) throw new Error(`cannot start "${name}": no such component`);
  if ((await findComponent(inside, name)) === undefined) await startComponent(inside, component);
  if ((await findComponent(inside, 'kube-apiserver')) !== undefined) await waitForApi(inside);
}

function parseAction(text: string | undefined): keyof typeof actions {
  if (text === 'stop' || text === 'start' || text === 'restart') return text;
  throw new Error(`cannot "${text}" a component: stop, start and restart are known`);
}

await runCommand({ usage, positionals: { min: 2, max: 2 } }, async ({ positionals }) => {
  const [verb, name] = positionals;
  const action = parseAction(verb);
  if (name === undefined || !componentNames.some((known) => known === name)) {
    throw new Error(`cannot ${action} "${name}": the components are ${componentNames.join(', ')}`);
  }
  const layout = getLayout();
  const request = { doing: `${action} ${name}`, onWait: () => undefined };
  await withCloudLock(layout, request, async () => {
    const cloud = await findRunningCloud(layout);
    if (cloud === undefined) throw new Error(`cannot ${action} "${name}": the cloud is not up`);
    await actions[action](cloud, name);
  });
});
