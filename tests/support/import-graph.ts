// Who imports whom in the sources, types included, read from the text of the import statements: the
// bundler's metafile knows only what is left at run time.

import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export interface Import {
  /** File that imports, relative to the repository. */
  readonly from: string;
  /** File relative to the repository, or the name of a package or Node module. */
  readonly to: string;
  readonly isPackage: boolean;
}

const statement =
  /(?:^|\n)\s*(?:import|export)\s(?:[^;'"]*?\sfrom\s+)?'(?<name>[^']+)'|\bimport\(\s*'(?<lazy>[^']+)'\s*\)/g;

/** The imports of every TypeScript file below the given folders of the repository. */
export async function readImports(
  repository: string,
  folders: readonly string[],
): Promise<readonly Import[]> {
  const imports: Import[] = [];
  for (const file of await listSources(repository, folders)) {
    imports.push(...parseImports(file, await readFile(path.join(repository, file), 'utf8')));
  }
  return imports;
}

/** The imports that the text of a file states. */
export function parseImports(file: string, text: string): readonly Import[] {
  return [...text.matchAll(statement)].map(({ groups }) => {
    const name = groups?.['name'] ?? groups?.['lazy'] ?? '';
    const isPackage = !name.startsWith('.');
    return { from: file, to: isPackage ? name : resolve(file, name), isPackage };
  });
}

/** TypeScript files below the given folders, relative to the repository, sorted. */
export async function listSources(
  repository: string,
  folders: readonly string[],
): Promise<readonly string[]> {
  const files: string[] = [];
  for (const folder of folders) {
    const entries = await readdir(path.join(repository, folder), { recursive: true });
    files.push(
      ...entries.filter((name) => name.endsWith('.ts')).map((name) => `${folder}/${name}`),
    );
  }
  return files.filter((file) => !file.includes('node_modules/')).toSorted();
}

/** One cycle as the files on it, or nothing. */
export function findCycle(imports: readonly Import[]): readonly string[] | undefined {
  const targets = Map.groupBy(
    imports.filter(({ isPackage }) => !isPackage),
    ({ from }) => from,
  );
  const done = new Set<string>();
  function visit(file: string, trail: readonly string[]): readonly string[] | undefined {
    if (trail.includes(file)) return [...trail.slice(trail.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const { to } of targets.get(file) ?? []) {
      const cycle = visit(to, [...trail, file]);
      if (cycle !== undefined) return cycle;
    }
    done.add(file);
    return undefined;
  }
  for (const file of targets.keys()) {
    const cycle = visit(file, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

function resolve(from: string, name: string): string {
  return path.posix.join(path.posix.dirname(from), name);
}
