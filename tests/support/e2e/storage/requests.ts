/** What the stand can be asked for, and what it answers. */

import * as v from 'valibot';

const addressSchema = v.object({ host: v.string(), port: v.number() });

/** Versity's gateway knows users who may make buckets (`userplus`), who may not, and who may all. */
const userSchema = v.object({
  accessKey: v.string(),
  secretKey: v.string(),
  role: v.picklist(['user', 'userplus', 'admin']),
});

const ownServerSchema = v.object({
  megabytes: v.number(),
  users: v.array(userSchema),
  certificate: v.string(),
  key: v.string(),
});

export const setUpSchema = v.object({
  /** Where to listen: an address of the server's certificate. */
  host: v.string(),
  /** A server that is there, or one of its own. */
  target: v.union([addressSchema, ownServerSchema]),
});

const effects = v.picklist(['cut', 'refuse', 'drop']);

/** Only of a server of its own. */
const changeSchema = v.variant('kind', [
  v.object({ kind: v.literal('users'), users: v.array(userSchema) }),
  v.object({ kind: v.picklist(['fill', 'free']) }),
  v.object({ kind: v.picklist(['hide', 'show']), bucket: v.string() }),
]);

export const requestSchema = v.variant('kind', [
  v.object({ kind: v.literal('look') }),
  v.object({ kind: v.literal('behave'), how: v.picklist(['refuse', 'pause', 'pass']) }),
  v.object({ kind: v.literal('throttle'), bytesPerSecond: v.number() }),
  v.object({
    kind: v.literal('when-moved'),
    direction: v.picklist(['up', 'down']),
    bytes: v.number(),
    effect: effects,
  }),
  v.object({ kind: v.literal('when-runs'), words: v.array(v.string()), effect: effects }),
  v.object({ kind: v.literal('server'), change: changeSchema }),
]);

export const answerSchema = v.object({
  port: v.number(),
  /** Bytes that clients have sent. */
  sent: v.number(),
  /** Whether what was waited for has come, and its effect with it. */
  fired: v.boolean(),
});

export type SetUp = v.InferOutput<typeof setUpSchema>;
export type OwnServer = v.InferOutput<typeof ownServerSchema>;
export type User = v.InferOutput<typeof userSchema>;
export type Effect = v.InferOutput<typeof effects>;
export type Change = v.InferOutput<typeof changeSchema>;
export type Request = v.InferOutput<typeof requestSchema>;
export type Answer = v.InferOutput<typeof answerSchema>;
