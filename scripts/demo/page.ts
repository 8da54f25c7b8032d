/** The report as one self-contained page: no script, nothing loaded from elsewhere. Pure. */

import { type Cell, escapeHtml, renderTable } from './html.ts';
import { pageStyle } from './page-style.ts';
import { findDifferences, type Report, type TableSum } from './report.ts';
import { clock, renderTimelineSvg, sumSeconds } from './timeline.ts';

export function renderPage(report: Report): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Charmed PostgreSQL K8s: demo report</title>
<style>${pageStyle}</style>
</head>
<body>
<main>
${renderVerdict(report)}
<section><h2>Timeline</h2>${renderTimelineSvg(report.phases)}</section>
<section><h2>Data</h2>
<p>Rows and checksum of each table before the backup, and after the restore as each unit’s own server
answers. The checksum is the sum of a 64-bit hash of every row, so the order of rows does not matter.</p>
${renderData(report)}</section>
<section><h2>Backups</h2>${renderBackups(report)}</section>
<section><h2>Versions</h2>${renderVersions(report)}</section>
</main>
</body>
</html>
`;
}

function renderVerdict(report: Report): string {
  const differences = findDifferences(report.before, report.after);
  const units = Object.keys(report.after).length;
  const rows = Object.values(report.before).reduce((sum, table) => sum + table.rows, 0);
  const isSame = differences.length === 0;
  const title = isSame ? 'Everything is back' : 'The data is not the same';
  const text = isSame
    ? 'PostgreSQL was deployed, backed up to S3, wrecked and restored. Every table is the same on every unit.'
    : differences.join('; ');
  const facts: readonly (readonly [string, string])[] = [
    [clock(sumSeconds(report.phases)), 'minutes in all'],
    [rows.toLocaleString('en-US'), 'rows compared'],
    [`${Object.keys(report.before).length}`, 'tables'],
    [`${units}`, 'units'],
  ];
  const cards = facts.map(([value, name]) => `<li><b>${value}</b>${name}</li>`).join('');
  return `<header class="${isSame ? 'good' : 'bad'}">
<p class="product">Charmed PostgreSQL K8s</p>
<h1>${title}</h1>
<p>${escapeHtml(text)}</p>
<ul>${cards}</ul>
</header>`;
}

function renderData({ before, after }: Report): string {
  const units = Object.keys(after);
  const rows = Object.entries(before).map(([table, sum]): readonly Cell[] => [
    { text: table },
    { text: sum.rows.toLocaleString('en-US'), className: 'figure' },
    { text: sum.checksum, className: 'figure mono' },
    ...units.map((unit) => compareCell(sum, after[unit]?.[table])),
  ]);
  return renderTable(['Table', 'Rows', 'Checksum before', ...units], rows);
}

function compareCell(before: TableSum, after: TableSum | undefined): Cell {
  if (after === undefined) return { text: '✗ missing', className: 'different' };
  if (after.rows !== before.rows) return { text: `✗ ${after.rows} rows`, className: 'different' };
  if (after.checksum !== before.checksum)
    return { text: `✗ ${after.checksum}`, className: 'different' };
  return { text: '✓ same', className: 'same' };
}

function renderBackups({ backups }: Report): string {
  const head = [
    'Backup',
    'Action',
    'Status',
    'Started',
    'Finished',
    'LSN start / stop',
    'Timeline',
  ];
  const rows = backups.map((backup): readonly Cell[] => [
    { text: backup.id, className: 'mono' },
    { text: backup.action },
    { text: backup.status },
    { text: backup.started, className: 'mono' },
    { text: backup.finished, className: 'mono' },
    { text: backup.lsn, className: 'mono' },
    { text: backup.timeline, className: 'figure' },
  ]);
  return renderTable(head, rows);
}

function renderVersions({ versions }: Report): string {
  const rows = Object.entries(versions).map(([name, version]) => [
    { text: name },
    { text: version, className: 'mono' },
  ]);
  return renderTable(['Part', 'Version'], rows);
}
