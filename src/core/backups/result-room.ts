// What is too long for a result of an action leaves out what is oldest. Pure.

/** Linux takes no longer argument than 128 KiB, and results go to Juju as arguments. */
export const resultBytes = 120_000;

export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}

/** The last texts, as many as there is room for, each with a byte between it and the next. */
export function lastThatFit(texts: readonly string[], room: number): readonly string[] {
  let left = room;
  const first = texts.findLastIndex((text) => {
    left -= bytesOf(text) + 1;
    return left < 0;
  });
  return texts.slice(first + 1);
}
