/** The page that shows all of it: the table of medians, and below it every picture. Pure. */

import { escapeHtml, renderTable } from '../demo/html.ts';
import { heads, type Row } from './summary.ts';

const style = `body{font:15px/1.5 system-ui,sans-serif;max-width:64rem;margin:2rem auto;padding:0 1rem;color:#222}
table{border-collapse:collapse;width:100%}th,td{padding:.25rem .6rem;text-align:right;border-bottom:1px solid #ddd}
th:first-child,td:first-child{text-align:left}td.bad{color:#b3261e;font-weight:600}.scroll{overflow-x:auto}img{width:100%;margin-top:1rem}`;

export function renderIndex(rows: readonly Row[]): string {
  const cells = rows.map((row) =>
    Object.entries(row).map(([name, text]) => ({
      text: String(text),
      ...(name === 'passed' && isShort(row) ? { className: 'bad' } : {}),
    })),
  );
  const pictures = rows
    .map(({ title }) => escapeHtml(title))
    .map((title) => `<img src="${title}.svg" alt="${title}: writes over time">`)
    .join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Faults</title><style>${style}</style></head>
<body><h1>Faults</h1>
<p>Medians over the rounds, the largest value in brackets. A gap is the longest time without an
acknowledged write. In the pictures the fault is red, from its start to its end (dashed); the green
line is the moment from which the cluster was whole again.</p>
${renderTable(Object.values(heads), cells)}
${pictures}
</body></html>
`;
}

function isShort({ passed }: Row): boolean {
  const [good, all] = passed.split('/');
  return good !== all;
}
