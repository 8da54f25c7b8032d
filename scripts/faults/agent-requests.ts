/** What the agent on the node can be asked for, and what it answers. */

import * as v from 'valibot';

/** A program of the workload: PostgreSQL with all its processes, Patroni, the charm's watcher, or the first process. */
const programSchema = v.picklist(['postgresql', 'patroni', 'watcher', 'pebble']);
const containerSchema = v.object({ podUid: v.string(), containerId: v.string() });
const addressSchema = v.object({ name: v.string(), address: v.string() });

export const requestSchema = v.variant('kind', [
  v.object({
    kind: v.literal('signal'),
    container: containerSchema,
    program: programSchema,
    signal: v.picklist(['SIGKILL', 'SIGSTOP']),
  }),
  v.object({ kind: v.literal('continue'), podUid: v.string() }),
  v.object({ kind: v.literal('freeze'), podUid: v.string(), containerId: v.optional(v.string()) }),
  v.object({ kind: v.literal('thaw'), podUid: v.string() }),
  v.object({ kind: v.literal('cut'), address: v.string(), mark: v.string() }),
  v.object({
    kind: v.literal('divert-probes'),
    address: v.string(),
    port: v.number(),
    mark: v.string(),
  }),
  v.object({ kind: v.literal('mend'), mark: v.string() }),
  v.object({ kind: v.literal('members'), pods: v.array(addressSchema) }),
  v.object({
    kind: v.literal('await-hook'),
    model: v.string(),
    hook: v.string(),
    /** Of the Pebble notice that it is for. */
    noticeKey: v.optional(v.string()),
    timeoutMs: v.number(),
  }),
]);

export type AgentRequest = v.InferOutput<typeof requestSchema>;
export type Program = v.InferOutput<typeof programSchema>;
export type ContainerId = v.InferOutput<typeof containerSchema>;
export type PodAddress = v.InferOutput<typeof addressSchema>;

/** What a member says of itself; `silent` when it does not answer. */
const viewSchema = v.object({
  name: v.string(),
  role: v.picklist(['primary', 'replica', 'silent']),
  state: v.string(),
  timeline: v.number(),
});

export const membersAnswerSchema = v.object({ views: v.array(viewSchema) });
export const countAnswerSchema = v.object({ count: v.number() });
export const hookAnswerSchema = v.object({ unit: v.string() });

export type MembersAnswer = v.InferOutput<typeof membersAnswerSchema>;
export type MemberView = v.InferOutput<typeof viewSchema>;
