// Records what real hook tools answer to the contract, for hook-tools.test.ts to compare the
// in-memory ones with. Wants the contract charm (pack-contract-charm.ts) deployed as `alpha`, with
// two units, and as `beta`, and `alpha:give` related to `beta:take`; all of it freshly.
// Usage: record-hook-tools.ts JUJU MODEL, where JUJU is the client's path.

import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

import * as v from 'valibot';

import { runProcess } from '../../lib/base/process.ts';
import { recordedPhases, recordings } from './recorded-phases.ts';
import { summarise } from './transcript.ts';

const [juju = 'juju', model = 'default'] = process.argv.slice(2);
const resultSchema = v.record(
  v.string(),
  v.object({ results: v.object({ facts: v.string(), transcript: v.string() }) }),
);
const factsSchema = v.object({ unit: v.string(), app: v.string(), relatedApp: v.string() });
const transcriptSchema = v.array(
  v.object({
    step: v.string(),
    calls: v.array(v.object({ tool: v.string(), exitCode: v.number() })),
    value: v.optional(v.unknown()),
    error: v.optional(v.object({ code: v.string() })),
  }),
);
const statusSchema = v.object({
  applications: v.record(
    v.string(),
    v.object({ units: v.record(v.string(), v.object({ leader: v.optional(v.boolean()) })) }),
  ),
});

await mkdir(recordings, { recursive: true });
const alpha = v.parse(statusSchema, await ask('status')).applications['alpha']?.units ?? {};
const units = {
  leader: 'alpha/leader',
  follower: Object.keys(alpha).find((unit) => alpha[unit]?.leader !== true) ?? 'alpha/1',
  other: 'beta/leader',
};
for (const { phase, on } of recordedPhases) {
  const answer = v.parse(
    resultSchema,
    await ask('run', units[on], 'run-contract', `phase=${phase}`),
  );
  const [task] = Object.values(answer);
  if (task === undefined) throw new Error(`cannot record "${phase}": no result`);
  const summary = summarise({
    facts: v.parse(factsSchema, JSON.parse(task.results.facts)),
    transcript: v.parse(transcriptSchema, JSON.parse(task.results.transcript)),
  });
  const file = path.join(recordings, `${phase}.json`);
  await writeFile(file, `${JSON.stringify(summary, undefined, 1)}\n`);
  process.stdout.write(`${file}\n`);
}

async function ask(command: string, ...args: readonly string[]): Promise<unknown> {
  const result = await runProcess({
    command: juju,
    args: [command, '-m', model, '--format=json', ...args],
    timeoutMs: 300_000,
  });
  if (result.stdout === '') throw new Error(`cannot ask Juju: ${result.stderr}`);
  const value: unknown = JSON.parse(result.stdout);
  return value;
}
