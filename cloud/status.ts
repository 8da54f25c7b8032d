/** `cloud/status`: says what of the local cloud runs. */

import { runCommand } from './command-line.ts';
import { getLayout } from './layout.ts';
import { describeCloud, renderReport } from './report.ts';

const usage = `usage: cloud/status [--format text|json]

Says whether the local cloud is up, half up or down; which components run, with process and memory;
what the Juju controller manages; and where the API server, the S3 server and their keys are.
`;

await runCommand({ usage, options: ['format'] }, async ({ values }) => {
  const format = values['format'] ?? 'text';
  if (format !== 'text' && format !== 'json') {
    throw new Error(`cannot print status as "${format}": text and json are known`);
  }
  const report = await describeCloud(getLayout());
  const text =
    format === 'json' ? `${JSON.stringify(report, undefined, 2)}\n` : renderReport(report);
  process.stdout.write(text);
});
