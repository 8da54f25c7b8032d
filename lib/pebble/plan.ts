// The plan in the form in which Pebble gives it, YAML, as typed data. Fields that we do not know
// are kept, so that a plan which has more than our layer is seen to differ from it. Pebble's YAML
// loses line breaks at the beginning of a text; nothing here can bring them back.

import * as v from 'valibot';

import { notUnderstood } from './envelope.ts';
import type { Plan } from './pebble.ts';

const text = v.exactOptional(v.string());
const texts = v.exactOptional(v.array(v.string()));
const map = v.exactOptional(v.record(v.string(), v.string()));
const override = v.picklist(['replace', 'merge']);
const startup = v.exactOptional(v.picklist(['enabled', 'disabled']));
const onSuccess = v.picklist(['restart', 'shutdown', 'failure-shutdown', 'ignore']);
const onFailure = v.picklist(['restart', 'shutdown', 'success-shutdown', 'ignore']);

const serviceSchema = v.looseObject({
  override,
  summary: text,
  command: text,
  startup,
  after: texts,
  before: texts,
  requires: texts,
  environment: map,
  user: text,
  group: text,
  'working-dir': text,
  'on-success': v.exactOptional(onSuccess),
  'on-failure': v.exactOptional(onFailure),
  'on-check-failure': v.exactOptional(v.record(v.string(), onFailure)),
  'backoff-delay': text,
  'backoff-factor': v.exactOptional(v.number()),
  'backoff-limit': text,
  'kill-delay': text,
});

const checkSchema = v.looseObject({
  override,
  level: v.exactOptional(v.picklist(['alive', 'ready'])),
  startup,
  period: text,
  timeout: text,
  threshold: v.exactOptional(v.number()),
  http: v.exactOptional(v.looseObject({ url: v.string(), headers: map })),
  tcp: v.exactOptional(v.looseObject({ port: v.number(), host: text })),
  exec: v.exactOptional(
    v.looseObject({
      command: v.string(),
      user: text,
      group: text,
      environment: map,
      'service-context': text,
      'working-dir': text,
    }),
  ),
});

const logTargetSchema = v.looseObject({
  override,
  type: v.picklist(['loki', 'opentelemetry', 'syslog']),
  location: v.string(),
  services: v.array(v.string()),
  labels: map,
});

const planSchema = v.object({
  services: v.optional(v.record(v.string(), serviceSchema), {}),
  checks: v.optional(v.record(v.string(), checkSchema), {}),
  'log-targets': v.optional(v.record(v.string(), logTargetSchema), {}),
});

/** The plan in a YAML text; `what` completes `cannot …`. */
export async function parsePlan(what: string, yaml: string): Promise<Plan> {
  const { parse } = await import('yaml');
  const parsed = v.safeParse(planSchema, parse(yaml) ?? {});
  if (!parsed.success) throw notUnderstood(what, 200, parsed.issues);
  return parsed.output;
}
