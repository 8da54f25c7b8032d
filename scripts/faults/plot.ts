/** Writes over time as a picture: one panel for each round, the fault marked in it. Pure. */

import { escapeHtml } from '../demo/html.ts';
import type { Result } from './result.ts';
import type { RoundRecord } from './round.ts';
import { countPerStep, type Window } from './writes.ts';

export interface Panel {
  readonly result: Result;
  readonly record: Pick<RoundRecord, 'startMs' | 'endMs' | 'doneMs' | 'wholeMs' | 'acks'>;
}

const stepMs = 500;
/** How much of the time before the fault is shown. */
const leadMs = 3000;
const size = { width: 860, panel: 150, left: 46, right: 14, top: 34, bottom: 26 } as const;
const plotWidth = size.width - size.left - size.right;
const plotHeight = size.panel - size.top - size.bottom;

const style = `text{font:11px system-ui,sans-serif;fill:#333}.title{font-weight:600}
.bar{fill:#3b6fb6}.fault{fill:#d6453d;opacity:.14}.start{stroke:#d6453d}.end{stroke:#d6453d;stroke-dasharray:4 3}
.whole{stroke:#2e8b57}.axis{stroke:#999}rect.page{fill:#fff}`;

export function renderPlot(title: string, panels: readonly Panel[]): string {
  const height = 24 + panels.length * size.panel;
  const body = panels.map((panel, index) => renderPanel(panel, 24 + index * size.panel)).join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${size.width} ${height}" role="img" aria-label="${escapeHtml(title)}">
<style>${style}</style>
<rect class="page" width="${size.width}" height="${height}"/>
<text class="title" x="${size.left}" y="18">${escapeHtml(title)}: acknowledged writes in each half second</text>
${body}</svg>
`;
}

function renderPanel({ result, record }: Panel, y: number): string {
  const window = { fromMs: record.startMs - leadMs, toMs: record.doneMs };
  const counts = countPerStep(record.acks, window, stepMs);
  const most = Math.max(1, ...counts);
  const at = (ms: number): number =>
    round(size.left + ((ms - window.fromMs) / (window.toMs - window.fromMs)) * plotWidth);
  const bars = counts
    .map((count, step) => ({ count, x: at(window.fromMs + step * stepMs) }))
    .filter(({ count }) => count > 0)
    .map(({ count, x }) => {
      const tall = round((count / most) * plotHeight);
      const wide = Math.max(0.5, round((stepMs / (window.toMs - window.fromMs)) * plotWidth) - 0.2);
      return `<rect class="bar" x="${x}" y="${round(plotHeight - tall)}" width="${round(wide)}" height="${tall}"/>`;
    })
    .join('');
  const faultWidth = Math.max(0, round(at(record.endMs) - at(record.startMs)));
  return `<g transform="translate(0 ${y + size.top})">
<text x="${size.left}" y="-8">${escapeHtml(describe(result))}</text>
<rect class="fault" x="${at(record.startMs)}" y="0" width="${faultWidth}" height="${plotHeight}"/>
${bars}
${mark('start', at(record.startMs))}${mark('end', at(record.endMs))}${
  record.wholeMs === undefined ? '' : mark('whole', at(record.wholeMs))
}
<line class="axis" x1="${size.left}" y1="${plotHeight}" x2="${size.width - size.right}" y2="${plotHeight}"/>
<text x="${size.left - 6}" y="10" text-anchor="end">${most}</text>
${renderTicks(window, record.startMs, at)}
</g>
`;
}

function mark(name: string, x: number): string {
  return `<line class="${name}" x1="${x}" y1="0" x2="${x}" y2="${plotHeight}"/>`;
}

/** Seconds since the fault began, at round numbers and not too many of them. */
function renderTicks(window: Window, zeroMs: number, at: (ms: number) => number): string {
  const lengthS = (window.toMs - window.fromMs) / 1000;
  const stepS = [1, 2, 5, 10, 20, 50, 100].find((step) => lengthS / step <= 12) ?? 200;
  const count = Math.floor((window.toMs - zeroMs) / 1000 / stepS);
  return Array.from({ length: count + 1 }, (_, index) => index * stepS)
    .map((second) => {
      const x = at(zeroMs + second * 1000);
      return `<text x="${x}" y="${plotHeight + 14}" text-anchor="middle">${second} s</text>`;
    })
    .join('');
}

function describe(result: Result): string {
  const { round: number, write_gap_s: gap, lost, duplicated, recovered_s: recovered } = result;
  const whole =
    recovered === null ? 'not whole within the bound' : `whole ${recovered} s after the end`;
  return `round ${number}: gap ${gap} s, ${lost ?? '?'} lost, ${duplicated ?? '?'} duplicated, ${whole}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
