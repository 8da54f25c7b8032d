// Writes INI text as pgBackRest reads it. A value is the rest of its line, so a value with a line
// break cannot be written and is refused.

export type IniSection = Readonly<Record<string, string | readonly string[]>>;
export type IniDocument = Readonly<Record<string, IniSection>>;

/** Sections in the given order, keys sorted, a list as one line for each value. */
export function renderIni(document: IniDocument): string {
  const sections = Object.entries(document).map(([name, section]) => {
    const lines = Object.keys(section)
      .toSorted()
      .flatMap((key) => [section[key] ?? []].flat().map((value) => renderLine(key, value)));
    return [`[${name}]`, ...lines].join('\n');
  });
  return `${sections.join('\n\n')}\n`;
}

function renderLine(key: string, value: string): string {
  if (/[\r\n\0]/.test(value)) throw new Error(`cannot write INI key "${key}": line break in value`);
  return `${key}=${value}`;
}
