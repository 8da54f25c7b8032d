/**
 * Writes the pictures and the page that shows them, anew after each round. The page also shows what
 * earlier runs have left.
 */

import { writeFile } from 'node:fs/promises';
import path from 'node:path';

import { titleOf } from './fault.ts';
import { renderIndex } from './index-page.ts';
import { renderPlot } from './plot.ts';
import type { Result } from './result.ts';
import type { Played } from './stage.ts';
import { summarise } from './summary.ts';

export async function writePlots(
  folder: string,
  { played, all }: { readonly played: readonly Played[]; readonly all: readonly Result[] },
): Promise<void> {
  const groups = Object.groupBy(played, ({ fault }) => titleOf(fault));
  for (const [title, panels = []] of Object.entries(groups)) {
    await writeFile(path.join(folder, `${title}.svg`), renderPlot(title, panels));
  }
  await writeFile(path.join(folder, 'index.html'), renderIndex(summarise(all)));
}
