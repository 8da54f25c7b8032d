/** What the writer has seen, and what follows from it. Pure. */

export interface Ack {
  readonly id: number;
  readonly atMs: number;
}

export interface Window {
  readonly fromMs: number;
  readonly toMs: number;
}

export interface Gap {
  readonly fromMs: number;
  readonly toMs: number;
}

/** A line of the writer that acknowledges a number. */
export function parseAck(line: string): Ack | undefined {
  const [, id, atMs] = /^ack (\d+) (\d+)$/.exec(line) ?? [];
  return id === undefined ? undefined : { id: Number(id), atMs: Number(atMs) };
}

/**
 * The longest time without an acknowledgement that overlaps the window. Acknowledgements are in the
 * order of time; the time before the first and after the last of them, up to the window's ends,
 * counts, too.
 */
export function findGap(acks: readonly Ack[], window: Window): Gap {
  const times = acks.map(({ atMs }) => atMs);
  const first = times[0] ?? window.toMs;
  const last = times.at(-1) ?? window.fromMs;
  const edges = [Math.min(window.fromMs, first), ...times, Math.max(window.toMs, last)];
  const gaps = edges.slice(1).map((toMs, index) => ({ fromMs: edges[index] ?? toMs, toMs }));
  const overlapping = gaps.filter((gap) => gap.toMs > window.fromMs && gap.fromMs < window.toMs);
  return overlapping.reduce((longest, gap) => (lengthOf(gap) > lengthOf(longest) ? gap : longest), {
    fromMs: window.fromMs,
    toMs: window.fromMs,
  });
}

export function lengthOf(gap: Gap): number {
  return gap.toMs - gap.fromMs;
}

/** How many writes were acknowledged in each step of the time from a start. */
export function countPerStep(
  acks: readonly Ack[],
  window: Window,
  stepMs: number,
): readonly number[] {
  const counts = Array.from({ length: Math.ceil((window.toMs - window.fromMs) / stepMs) }, () => 0);
  for (const { atMs } of acks) {
    const step = Math.floor((atMs - window.fromMs) / stepMs);
    const count = counts[step];
    if (count !== undefined) counts[step] = count + 1;
  }
  return counts;
}
