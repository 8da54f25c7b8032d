// Measures a quiet hook where it runs: in the charm container of a deployed unit, through
// `juju exec`. Prints what it finds and writes dist/hook-bench.json. Calls of hook tools and requests
// are counted in runs of their own, because counting costs time. Processor time includes that of the
// hook tools; on a busy machine it says more than the time that passed.
//   bench-hook MODEL UNIT [HOOK] [ROUNDS]

import { mkdirSync, writeFileSync } from 'node:fs';

import { juju } from '../cloud/client.ts';

interface Measurement {
  readonly milliseconds: number;
  readonly cpuMilliseconds: number;
  readonly peakKilobytes: number;
  readonly requests: number;
}

const usage = 'usage: bench-hook MODEL UNIT [HOOK] [ROUNDS]\n';

async function main(args: readonly string[]): Promise<void> {
  const [model, unit, hook = 'update-status', rounds = '20'] = args;
  if (model === undefined || unit === undefined || !/^\d+$/.test(rounds)) {
    process.stderr.write(usage);
    process.exitCode = 2;
    return;
  }
  const exec = async (script: string): Promise<string> =>
    (await juju(['exec', '-m', model, '--unit', unit, '--', script])).stdout;

  const tools = countTools(await exec(countingScript(hook)));
  const measured = parseMeasurements(await exec(timingScript(hook, Number(rounds))));
  const report = {
    unit,
    hook,
    rounds: measured.length,
    milliseconds: spread(measured.map(({ milliseconds }) => milliseconds)),
    cpuMilliseconds: spread(measured.map(({ cpuMilliseconds }) => cpuMilliseconds)),
    peakMegabytes: spread(measured.map(({ peakKilobytes }) => Math.round(peakKilobytes / 1024))),
    requests: spread(measured.map(({ requests }) => requests)),
    hookToolCalls: Object.values(tools).reduce((sum, count) => sum + count, 0),
    hookTools: tools,
  };
  mkdirSync('dist', { recursive: true });
  writeFileSync('dist/hook-bench.json', `${JSON.stringify(report, undefined, 2)}\n`);
  process.stdout.write(`${JSON.stringify(report, undefined, 2)}\n`);
}

/** A folder of tools in front of the real ones, each of which writes its name down first. */
function countingScript(hook: string): string {
  return [
    'set -e; shims=$(mktemp -d); real=$(dirname "$(command -v is-leader)")',
    'for tool in "$real"/*; do name=$(basename "$tool")',
    'printf \'#!/bin/sh\\necho %s >>%s/calls\\nexec %s "$@"\\n\' "$name" "$shims" "$tool" >"$shims/$name"',
    'chmod +x "$shims/$name"; done',
    `export PATH=$shims:$PATH; ${dispatchOf(hook)}`,
    'cat "$shims/calls"; rm -rf "$shims"',
  ].join('\n');
}

/** Writes the largest resident size of the process and the number of its requests over HTTP. */
const probe = [
  'let requests = 0',
  'require("diagnostics_channel").subscribe("http.client.request.start", () => { requests += 1 })',
  'const seen = () => process.resourceUsage().maxRSS + " " + requests',
  'process.on("exit", () => require("fs").writeFileSync(process.env.PROBE_FILE, seen()))',
].join(';');

/** Each round: nanoseconds before and after, seconds of user and system, and what the probe saw. */
function timingScript(hook: string, rounds: number): string {
  return [
    'set -e; probe=$(mktemp --suffix=.cjs)',
    `echo '${probe}' >"$probe"`,
    'export PROBE_FILE="$probe.seen" TIMEFORMAT="%U %S"',
    `for round in $(seq ${rounds + 2}); do before=$(date +%s%N)`,
    `{ time ${dispatchOf(hook)}; } 2>"$probe.cpu"`,
    'after=$(date +%s%N)',
    `NODE_OPTIONS="--require $probe"; export NODE_OPTIONS; ${dispatchOf(hook)}; unset NODE_OPTIONS`,
    'echo "measured $((after - before)) $(cat "$probe.cpu") $(cat "$PROBE_FILE")"; done',
    'rm -f "$probe" "$probe.cpu" "$PROBE_FILE"',
  ].join('\n');
}

function dispatchOf(hook: string): string {
  // `juju exec` is an action to Juju; the hook is not to think that it is one.
  const unset = ['NAME', 'UUID', 'TAG'].map((name) => `-u JUJU_ACTION_${name}`).join(' ');
  const set = `JUJU_DISPATCH_PATH=hooks/${hook} JUJU_HOOK_NAME=${hook}`;
  return `env ${unset} ${set} ./dispatch >/dev/null 2>&1`;
}

function countTools(output: string): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const name of output.split('\n').filter((line) => /^[a-z-]+$/.test(line))) {
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/** The first two rounds warm up. */
function parseMeasurements(output: string): readonly Measurement[] {
  const line = /^measured (\d+) ([\d.]+) ([\d.]+) (\d+) (\d+)$/gm;
  return [...output.matchAll(line)].slice(2).map((match) => ({
    milliseconds: Math.round(Number(match[1]) / 1e6),
    cpuMilliseconds: Math.round((Number(match[2]) + Number(match[3])) * 1000),
    peakKilobytes: Number(match[4]),
    requests: Number(match[5]),
  }));
}

function spread(values: readonly number[]): { readonly least: number; readonly median: number } {
  const sorted = values.toSorted((left, right) => left - right);
  return { least: sorted[0] ?? 0, median: sorted[Math.floor(sorted.length / 2)] ?? 0 };
}

await main(process.argv.slice(2));
