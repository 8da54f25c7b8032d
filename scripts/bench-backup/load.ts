/**
 * The database that is measured, as SQL: rows like those of pgbench, which compress well, and texts of
 * random digits, which hardly do. Pure.
 */

export const database = 'bench';

/** Bytes of a row with all that PostgreSQL adds. */
const rowBytes = { accounts: 128, notes: 296 } as const;
const accountsShare = 0.6;

export interface Load {
  readonly accounts: number;
  readonly notes: number;
}

export function loadOf(megabytes: number): Load {
  const bytes = megabytes * 1e6;
  return {
    accounts: Math.round((bytes * accountsShare) / rowBytes.accounts),
    notes: Math.round((bytes * (1 - accountsShare)) / rowBytes.notes),
  };
}

export const createTables = `create table accounts
  (id bigint not null, branch integer not null, balance integer not null, filler character(84) not null);
create table notes (id bigint not null, body text not null);`;

/** 256 digits, other ones in each row: it depends on the row, so it is reckoned for each. */
const randomText =
  "(select string_agg(md5(random()::text || i || j), '') from generate_series(1, 8) j)";

/** Rows from one load to a larger one. */
export function fillSql(from: Load, to: Load): string {
  return `insert into accounts
  select i, i % 100, 0, '' from generate_series(${from.accounts + 1}, ${to.accounts}) i;
insert into notes
  select i, ${randomText} from generate_series(${from.notes + 1}, ${to.notes}) i;
checkpoint;`;
}

/** Changes a tenth, in one piece: each turn another one. The room of the old rows is used again. */
export function changeSql({ accounts, notes }: Load, turn: number): string {
  const [from, to] = [(turn % 10) / 10, ((turn % 10) + 1) / 10];
  const range = (rows: number): string =>
    `id > ${Math.round(rows * from)} and id <= ${Math.round(rows * to)}`;
  return `update accounts set balance = balance + 1 where ${range(accounts)};
update notes set body = reverse(body) where ${range(notes)};
vacuum accounts, notes;
checkpoint;`;
}
