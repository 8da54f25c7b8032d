// The queue of deferred events in the unit's state: plain events as JSON, oldest first. Juju takes
// 65,536 bytes in one value, so a long queue goes on in further keys.

import type { Log } from '../base/log.ts';
import { JujuError } from './error.ts';
import type { JujuEvent } from './event.ts';
import type { TransactionalJuju } from './model.ts';
import { isRecord, tryParse } from './tools/json.ts';
import { formatRelation } from './tools/relation.ts';

const keyPrefix = 'deferred-events-';

const chunkLength = 60_000;

/** Events that wait, oldest first; what cannot be read is logged and left out. */
export async function loadQueue(
  juju: Pick<TransactionalJuju, 'state'>,
  log: Log,
): Promise<readonly JujuEvent[]> {
  let text = '';
  for (let index = 0; ; index += 1) {
    const chunk = await juju.state(`${keyPrefix}${index}`);
    if (chunk === undefined) return text === '' ? [] : parseQueue(text, log);
    text += chunk;
  }
}

/** Puts the queue into the state. */
export async function saveQueue(
  juju: TransactionalJuju,
  queue: readonly JujuEvent[],
): Promise<void> {
  const text = queue.length === 0 ? '' : toAscii(JSON.stringify(queue));
  const change: Record<string, string> = {};
  for (const key of await juju.stateKeys()) if (key.startsWith(keyPrefix)) change[key] = '';
  for (let start = 0; start < text.length; start += chunkLength) {
    change[`${keyPrefix}${start / chunkLength}`] = text.slice(start, start + chunkLength);
  }
  juju.setState(change);
}

/** The queue with an event at its end, unless the same one waits already. */
export function enqueue(queue: readonly JujuEvent[], event: JujuEvent): readonly JujuEvent[] {
  const key = identityOf(event);
  return queue.some((each) => identityOf(each) === key) ? queue : [...queue, event];
}

/** Throws unless the event may be handled later. */
export function refuseUndeferrable(event: JujuEvent): void {
  if (isDeferrable(event)) return;
  throw new JujuError(`cannot defer "${event.name}": it must be handled when it comes`, {
    code: 'not-deferrable',
  });
}

function isDeferrable(event: JujuEvent): boolean {
  switch (event.kind) {
    case 'action':
      return false;
    case 'lifecycle':
      return !isFinal(event);
    case 'secret':
      return event.change !== 'rotate' && event.change !== 'expired';
    case 'relation':
    case 'storage':
    case 'pebble-ready':
    case 'pebble-notice':
    case 'pebble-check':
      return true;
  }
}

/** The unit goes away, or its pod does: not the time to catch up on anything. */
export function isFinal(event: JujuEvent): boolean {
  return event.kind === 'lifecycle' && (event.name === 'stop' || event.name === 'remove');
}

/** What makes two events the same for the queue. */
function identityOf(event: JujuEvent): string {
  return JSON.stringify([event.name, ...distinguish(event)]);
}

function distinguish(event: JujuEvent): readonly unknown[] {
  switch (event.kind) {
    case 'relation':
      return [formatRelation(event.relation), event.remoteUnit, event.departingUnit];
    case 'storage':
      return [event.storage, event.index];
    case 'secret':
      return [event.id, event.revision];
    case 'pebble-notice':
      return [event.noticeKey];
    case 'pebble-check':
      return [event.check];
    case 'lifecycle':
    case 'pebble-ready':
    case 'action':
      return [];
  }
}

/** One byte for each character, so that the text may be cut anywhere. */
function toAscii(json: string): string {
  return json.replaceAll(
    /[^ -~]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** A version of the charm that was refreshed away may have deferred what this one does not know. */
function parseQueue(text: string, log: Log): readonly JujuEvent[] {
  const parsed = tryParse(text);
  const entries: readonly unknown[] = Array.isArray(parsed) ? parsed : [parsed];
  const events = entries.filter(isEvent);
  if (events.length < entries.length) {
    log('ERROR', `dropping ${entries.length - events.length} deferred events: cannot read them`);
  }
  return events;
}

type Check = (event: Readonly<Record<string, unknown>>) => boolean;

const checks: Readonly<Record<JujuEvent['kind'], Check>> = {
  action: () => false,
  lifecycle: () => true,
  relation: (event) =>
    isRecord(event['relation']) &&
    typeof event['relation']['endpoint'] === 'string' &&
    typeof event['relation']['id'] === 'number' &&
    typeof event['change'] === 'string',
  storage: hasTexts('change', 'storage'),
  secret: hasTexts('change', 'id'),
  'pebble-ready': hasTexts('container'),
  'pebble-notice': hasTexts('container', 'noticeId', 'noticeKey'),
  'pebble-check': hasTexts('container', 'change', 'check'),
};

function isEvent(value: unknown): value is JujuEvent {
  if (!isRecord(value) || typeof value['name'] !== 'string') return false;
  const { kind } = { kind: value['kind'] };
  return isKind(kind) && checks[kind](value);
}

function isKind(kind: unknown): kind is JujuEvent['kind'] {
  return typeof kind === 'string' && Object.hasOwn(checks, kind);
}

function hasTexts(...fields: readonly string[]): Check {
  return (event) => fields.every((field) => typeof event[field] === 'string');
}
