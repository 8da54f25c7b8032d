/** What the writer is told, on the first line of its standard input: nothing of it is an argument. */

import * as v from 'valibot';

export const writerSettingsSchema = v.object({
  host: v.string(),
  database: v.string(),
  user: v.string(),
  password: v.string(),
  /** The first number to write; each number is tried once. */
  firstId: v.number(),
  /** From the start of one INSERT to the start of the next, at least. */
  intervalMs: v.number(),
  connectTimeoutMs: v.number(),
  statementTimeoutMs: v.number(),
});

export type WriterSettings = v.InferOutput<typeof writerSettingsSchema>;
