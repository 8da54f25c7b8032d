/** What to look at when something went wrong: the model's status and the end of its log. */

import type { Model } from './model.ts';

const logLines = 60;

/** Never fails: a part that cannot be had says why. */
export async function describeTrouble(model: Model): Promise<string> {
  const parts: readonly (readonly [string, string, readonly string[]])[] = [
    [`juju status -m ${model.name}`, 'status', []],
    [
      `the last ${logLines} lines of its log`,
      'debug-log',
      // Each status that any unit ever had is in the log too, many times the rest.
      [`--limit=${logLines}`, '--no-tail', '--ms', '--exclude-module=juju.services'],
    ],
  ];
  const texts: string[] = [];
  for (const [title, command, args] of parts) {
    const options = { allowFailure: true, timeoutMs: 30_000 };
    const { stdout, stderr } = await model.run(command, args, options);
    texts.push(`--- ${title}\n${stdout}${stderr === '' ? '' : `\n${stderr}`}`);
  }
  return texts.join('\n');
}
