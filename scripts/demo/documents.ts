/**
 * Real text for the demo: licences that every Debian machine has, and this project's own pages, line
 * by line. As a table it holds what generated rows do not: long lines, blank ones, quotes.
 */

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

const root = path.join(import.meta.dirname, '..', '..');
const folders = ['/usr/share/common-licenses', path.join(root, 'docs'), root];
const textFile = /^[A-Z][A-Za-z0-9.-]*$|\.(?:md|mmd|yaml)$/;

export const documentsSql = `
create table documents (file text not null, line int not null, text text not null,
  primary key (file, line));`;

/** Rows as COPY reads them. */
export async function renderDocuments(): Promise<string> {
  const rows: string[] = [];
  for (const file of await listFiles()) {
    const lines = (await readFile(file, 'utf8')).split('\n');
    const name = path.relative(root, file).replace(/^(?:\.\.\/)+/, '/');
    rows.push(...lines.map((text, index) => renderRow([name, `${index + 1}`, text])));
  }
  return rows.join('');
}

/** One row in COPY's text format. */
export function renderRow(cells: readonly string[]): string {
  return `${cells.map(escapeCell).join('\t')}\n`;
}

const escapes: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  '\t': '\\t',
  '\n': '\\n',
  '\r': '\\r',
};

function escapeCell(text: string): string {
  return text
    .replaceAll('\0', '')
    .replaceAll(/[\\\t\n\r]/g, (character) => escapes[character] ?? '');
}

async function listFiles(): Promise<readonly string[]> {
  const files: string[] = [];
  for (const folder of folders) {
    const entries = await readEntries(folder, { recursive: folder !== root });
    const names = entries.filter((entry) => entry.isFile() && textFile.test(entry.name));
    files.push(...names.map((entry) => path.join(entry.parentPath, entry.name)));
  }
  return [...new Set(files)].toSorted();
}

async function readEntries(folder: string, options: { readonly recursive: boolean }) {
  try {
    return await readdir(folder, { ...options, withFileTypes: true });
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw error;
  }
}
