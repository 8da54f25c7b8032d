import { expect, test } from '@jest/globals';

import type { SqlConnection } from '../../../../lib/sql/connection.ts';
import { identifier, list, literal, sql } from '../../../../lib/sql/sql.ts';

test('plain values are bound in order', () => {
  const statement = sql`SELECT ${'a'}, ${1}, ${true}, ${null}`;

  expect(statement.render()).toEqual({
    text: 'SELECT $1, $2, $3, $4',
    values: ['a', 1, true, null],
  });
});

test('names and literals are quoted in place', () => {
  const statement = sql`ALTER ROLE ${identifier('a"b')} PASSWORD ${literal("it's")}`;

  expect(statement.render()).toEqual({
    text: `ALTER ROLE "a""b" PASSWORD 'it''s'`,
    values: [],
  });
});

test('values of nested parts are numbered through', () => {
  const condition = sql`name = ${'x'} AND kind = ${'y'}`;

  expect(sql`SELECT ${1} WHERE ${condition} LIMIT ${5}`.render()).toEqual({
    text: 'SELECT $1 WHERE name = $2 AND kind = $3 LIMIT $4',
    values: [1, 'x', 'y', 5],
  });
});

test('a list is separated by commas', () => {
  const names = list([identifier('a'), sql`${'b'}`, literal('c')]);

  expect(sql`(${names})`.render()).toEqual({ text: `("a", $1, 'c')`, values: ['b'] });
  expect(sql`(${list([])})`.render()).toEqual({ text: '()', values: [] });
});

test('what looks like a statement is none', () => {
  const lookAlike = { pieces: [], render: () => ({ text: 'DROP', values: [] }) };
  const query: SqlConnection['query'] = async (statement) => {
    await Promise.resolve(statement);
    return [];
  };

  // The compiler refuses both; the type check of the tests fails if it ever stops doing so.
  // @ts-expect-error a text is no statement
  void query(`SELECT ${'interpolated'}`);
  // @ts-expect-error the private field is missing
  void query(lookAlike);

  expect(sql`${'DROP'}`.render().values).toEqual(['DROP']);
});
