/** Writes the pictures and the page that shows them, anew after each round. */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { titleOf } from './fault.ts';
import { renderIndex } from './index-page.ts';
import { renderPlot } from './plot.ts';
import type { Played } from './stage.ts';
import { summarise } from './summary.ts';

export async function writePlots(folder: string, played: readonly Played[]): Promise<void> {
  const groups = Object.groupBy(played, ({ fault }) => titleOf(fault));
  for (const [title, panels = []] of Object.entries(groups)) {
    await writeFile(path.join(folder, `${title}.svg`), renderPlot(title, panels));
  }
  const rows = summarise(played.map(({ result }) => result));
  await writeFile(path.join(folder, 'index.html'), renderIndex(rows));
}
