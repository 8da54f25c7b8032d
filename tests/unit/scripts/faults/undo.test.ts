import { describe, expect, test } from '@jest/globals';

import { createUndoList } from '../../../../scripts/faults/undo.ts';

/** A list of three, of which some fail so many times. */
function makeList(failures: Readonly<Record<number, number>> = {}) {
  const said: string[] = [];
  const undone: number[] = [];
  const left: Record<number, number> = { ...failures };
  const list = createUndoList((text) => said.push(text));
  for (const number of [1, 2, 3]) {
    list.add(`number ${number}`, async () => {
      await Promise.resolve();
      const count = left[number] ?? 0;
      left[number] = count - 1;
      if (count > 0) throw new Error('no');
      undone.push(number);
    });
  }
  return { list, said, undone };
}

describe('the list of what has to be undone', () => {
  test('what was done last is undone first, and once', async () => {
    const { list, said, undone } = makeList();

    await list.undoAll();
    await list.undoAll();

    expect(undone).toStrictEqual([3, 2, 1]);
    expect(said).toStrictEqual(['number 3', 'number 2', 'number 1']);
  });

  test('what fails once is tried again', async () => {
    const { list, undone } = makeList({ 2: 1 });

    await list.undoAll();

    expect(undone).toStrictEqual([3, 2, 1]);
  });

  test('what fails twice is told, and keeps nothing else from being undone', async () => {
    const { list, undone } = makeList({ 2: 2 });

    await expect(list.undoAll()).rejects.toThrow('cannot undo a fault');

    expect(undone).toStrictEqual([3, 1]);
  });

  test('work under way ends before the list is closed', async () => {
    const { list, undone } = makeList();
    const order: string[] = [];
    let finish = (): void => undefined;
    const work = list.guard(async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      order.push(`worked, ${undone.length} undone`);
    });

    const closing = list.close();
    finish();
    await Promise.all([work, closing]);

    expect(order).toStrictEqual(['worked, 0 undone']);
    expect(undone).toStrictEqual([3, 2, 1]);
  });

  test('a closed list takes nothing more', async () => {
    const { list } = makeList();
    await list.close();

    expect(() => {
      list.add('another', async () => await Promise.resolve());
    }).toThrow('cannot break anything more');
  });
});
