// SQL statements as values. Only the `sql` tag makes them, so a text put together by
// interpolation is no statement and does not compile where one is wanted:
//
//   sql`SELECT oid FROM pg_catalog.pg_roles WHERE rolname = ${name}`      -- bound
//   sql`CREATE ROLE ${identifier(name)} PASSWORD ${literal(verifier)}`    -- quoted
//   sql`GRANT ${list([identifier('a'), identifier('b')])} TO admin`       -- nested

import { quoteIdentifier, quoteLiteral } from './quoting.ts';

export type SqlValue = string | number | boolean | null;

type Piece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'value'; readonly value: SqlValue };

/** A statement or a part of one. Its private field keeps look-alikes from passing for it. */
class SqlPart {
  readonly #pieces: readonly Piece[];

  constructor(pieces: readonly Piece[]) {
    this.#pieces = pieces;
  }

  /** What stands in an outer statement. */
  get pieces(): readonly Piece[] {
    return this.#pieces;
  }

  /** Text with `$1`, `$2` and so on in the order of the values. */
  render(): { readonly text: string; readonly values: readonly SqlValue[] } {
    const values: SqlValue[] = [];
    const texts = this.#pieces.map((piece) =>
      piece.kind === 'text' ? piece.text : `$${values.push(piece.value)}`,
    );
    return { text: texts.join(''), values };
  }
}

export type Sql = SqlPart;

/** Plain values are bound; parts made by the functions of this module are put in place. */
export function sql(strings: TemplateStringsArray, ...parts: readonly (Sql | SqlValue)[]): Sql {
  const pieces = strings.flatMap((text, index): readonly Piece[] => {
    const part = parts[index];
    return [{ kind: 'text', text }, ...(part === undefined ? [] : piecesOf(part))];
  });
  return new SqlPart(pieces);
}

/** A name, quoted. */
export function identifier(name: string): Sql {
  return new SqlPart([{ kind: 'text', text: quoteIdentifier(name) }]);
}

/** A string, quoted: for statements such as CREATE ROLE that know no bound values. */
export function literal(text: string): Sql {
  return new SqlPart([{ kind: 'text', text: quoteLiteral(text) }]);
}

/** Parts separated by commas. */
export function list(parts: readonly Sql[]): Sql {
  const comma = { kind: 'text', text: ', ' } as const;
  return new SqlPart(
    parts.flatMap((part, index) => (index === 0 ? part.pieces : [comma, ...part.pieces])),
  );
}

function piecesOf(part: Sql | SqlValue): readonly Piece[] {
  return part instanceof SqlPart ? part.pieces : [{ kind: 'value', value: part }];
}
