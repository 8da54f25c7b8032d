/** Text into HTML: escaping, and tables. Pure. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? character);
}

export interface Cell {
  readonly text: string;
  readonly className?: string;
}

export function renderTable(head: readonly string[], rows: readonly (readonly Cell[])[]): string {
  const titles = head.map((title) => `<th scope="col">${escapeHtml(title)}</th>`).join('');
  const body = rows.map((row) => `<tr>${row.map(renderCell).join('')}</tr>`).join('\n');
  return `<div class="scroll"><table><thead><tr>${titles}</tr></thead>\n<tbody>${body}</tbody></table></div>`;
}

function renderCell(cell: Cell): string {
  const attribute = cell.className === undefined ? '' : ` class="${cell.className}"`;
  return `<td${attribute}>${escapeHtml(cell.text)}</td>`;
}
