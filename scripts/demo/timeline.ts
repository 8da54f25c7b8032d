/** The phases of a run on a common time axis: as text for a terminal, as SVG for the page. Pure. */

import { escapeHtml } from './html.ts';
import type { Phase } from './report.ts';

interface Bar extends Phase {
  readonly start: number;
}

const barCells = 40;

/** One line per phase: when it started, how long it took, and where it lies in the whole. */
export function renderTimeline(phases: readonly Phase[]): string {
  const { bars, total } = layOut(phases);
  const width = Math.max(0, ...bars.map(({ name }) => name.length));
  const lines = bars.map(({ name, start, seconds }) => {
    const from = Math.min(barCells - 1, Math.floor((start / total) * barCells));
    const cells = Math.max(1, Math.round((seconds / total) * barCells));
    const bar = ' '.repeat(from) + '█'.repeat(Math.min(cells, barCells - from));
    return `${clock(start).padStart(6)}  ${name.padEnd(width)}  ${renderSeconds(seconds).padStart(8)}  ${bar}`;
  });
  return [...lines, `${clock(total).padStart(6)}  end`].join('\n');
}

const chart = { width: 960, labels: 330, numbers: 70, row: 30, axis: 34 } as const;

/** The same as a chart; colours come from the page's style sheet. */
export function renderTimelineSvg(phases: readonly Phase[]): string {
  const { bars, total } = layOut(phases);
  const plot = chart.width - chart.labels - chart.numbers;
  const height = bars.length * chart.row + chart.axis;
  const x = (seconds: number): number => round(chart.labels + (seconds / total) * plot);
  const grid = listTicks(total).map(
    (tick) =>
      `<line class="grid" x1="${x(tick)}" x2="${x(tick)}" y1="0" y2="${height - chart.axis}"/>` +
      `<text class="tick" x="${x(tick)}" y="${height - 12}" text-anchor="middle">${clock(tick)}</text>`,
  );
  const rows = bars.map(({ name, start, seconds }, index) => {
    const top = index * chart.row;
    const middle = top + chart.row / 2 + 4;
    const width = Math.max(3, round((seconds / total) * plot));
    return (
      `<g><title>${escapeHtml(name)}: ${renderSeconds(seconds)} from ${clock(start)}</title>` +
      `<text class="label" x="${chart.labels - 14}" y="${middle}" text-anchor="end">${escapeHtml(name)}</text>` +
      `<rect class="bar" x="${x(start)}" y="${top + 7}" width="${width}" height="${chart.row - 14}" rx="4"/>` +
      `<text class="number" x="${x(start) + width + 8}" y="${middle}">${renderSeconds(seconds)}</text></g>`
    );
  });
  return (
    `<svg viewBox="0 0 ${chart.width} ${height}" role="img" aria-label="Timeline of the demo">` +
    `${grid.join('')}${rows.join('')}</svg>`
  );
}

/** Seconds as minutes and seconds, `3:07`. */
export function clock(seconds: number): string {
  const whole = Math.round(seconds);
  return `${Math.floor(whole / 60)}:${`${whole % 60}`.padStart(2, '0')}`;
}

export function sumSeconds(phases: readonly Phase[]): number {
  return phases.reduce((sum, { seconds }) => sum + seconds, 0);
}

function layOut(phases: readonly Phase[]): {
  readonly bars: readonly Bar[];
  readonly total: number;
} {
  let start = 0;
  const bars = phases.map((phase) => {
    const bar = { ...phase, start };
    start += phase.seconds;
    return bar;
  });
  return { bars, total: Math.max(start, 1) };
}

const tickSteps = [5, 10, 15, 30, 60, 120, 300, 600, 1200, 3600];

/** Round times, at most eight of them. */
function listTicks(total: number): readonly number[] {
  const step = tickSteps.find((candidate) => total / candidate <= 8) ?? 7200;
  return Array.from({ length: Math.floor(total / step) + 1 }, (_, index) => index * step);
}

function renderSeconds(seconds: number): string {
  return `${seconds.toFixed(1)} s`;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
