/**
 * Runs inside the cloud: a client that inserts one growing number at a time, until its standard
 * input ends. Each number is tried once; after any failure the connection is thrown away and the
 * name of the primary is looked up again. Says on standard output, a line each:
 *
 *     ack NUMBER MILLISECONDS      the server has said that the number is committed
 *     open MILLISECONDS ADDRESS    connected
 *     fail MILLISECONDS REASON     not connected, or the fate of a number is unknown
 */

import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';

import pg from 'pg';
import * as v from 'valibot';

import { resolveAddress } from './address.ts';
import { type WriterSettings, writerSettingsSchema } from './writer-settings.ts';

const insert = 'insert into writes (id) values ($1)';
/** What PostgreSQL says when it commits without the replicas that it had to wait for. */
const withoutReplicas = /canceling (the )?wait for synchronous replication/;

let stopped = false;

async function main(settings: WriterSettings): Promise<void> {
  let id = settings.firstId;
  while (!stopped) {
    const startedMs = Date.now();
    const client = await connect(settings);
    if (client !== undefined) id = await write(client, id, settings);
    await pause(startedMs, settings.intervalMs);
  }
  process.exit(0);
}

async function connect(settings: WriterSettings): Promise<pg.Client | undefined> {
  let client: pg.Client | undefined;
  try {
    const host = await resolveAddress(settings.host);
    client = new pg.Client({
      host,
      port: 5432,
      database: settings.database,
      user: settings.user,
      password: settings.password,
      connectionTimeoutMillis: settings.connectTimeoutMs,
      application_name: 'faults-writer',
    });
    // A connection that breaks between two statements shows at the next one.
    client.on('error', () => undefined);
    await client.connect();
    say('open', host);
    return client;
  } catch (error) {
    if (client !== undefined) discard(client);
    say('fail', describe(error));
    return undefined;
  }
}

/** Writes until something fails; returns the next number. */
async function write(
  client: pg.Client,
  firstId: number,
  settings: WriterSettings,
): Promise<number> {
  let warned = false;
  client.on('notice', ({ message }) => {
    warned ||= withoutReplicas.test(message ?? '');
  });
  for (let id = firstId; ; id += 1) {
    if (stopped) return id;
    const startedMs = Date.now();
    try {
      await withDeadline(client.query(insert, [id]), settings.statementTimeoutMs);
      if (warned) throw new Error('committed without the replicas');
      process.stdout.write(`ack ${id} ${Date.now()}\n`);
    } catch (error) {
      say('fail', describe(error));
      discard(client);
      return id + 1;
    }
    await pause(startedMs, settings.intervalMs);
  }
}

async function withDeadline(work: Promise<unknown>, timeoutMs: number): Promise<void> {
  const ended = new AbortController();
  const deadline = sleep(timeoutMs, undefined, { signal: ended.signal }).then(
    () => {
      throw new Error(`no answer within ${timeoutMs} ms`);
    },
    () => undefined,
  );
  try {
    await Promise.race([work, deadline]);
  } finally {
    ended.abort();
  }
}

/** Closes the socket at once: a server that does not answer does not answer a farewell either. */
function discard(client: pg.Client): void {
  client.connection.stream.destroy();
}

async function pause(startedMs: number, intervalMs: number): Promise<void> {
  const restMs = startedMs + intervalMs - Date.now();
  if (restMs > 0) await sleep(restMs);
}

function say(word: 'open' | 'fail', text: string): void {
  process.stdout.write(`${word} ${Date.now()} ${text}\n`);
}

function describe(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replaceAll('\n', ' ');
}

const lines = createInterface({ input: process.stdin });
lines.once('line', (line) => {
  void main(v.parse(writerSettingsSchema, JSON.parse(line)));
});
lines.once('close', () => {
  stopped = true;
});
