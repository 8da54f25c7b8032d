// What the in-memory hook tools work on during one run: the durable state (changed at once by the
// tools that Juju does not roll back) and the writes that Juju keeps until the process exits with 0.

import type { HookToolCall } from '../../../../lib/juju/tools/port.ts';
import type { CharmFiles } from '../charm-files.ts';
import type { Trigger } from '../events.ts';
import type { DataBag, RelationState, ShownStatus, State } from '../state.ts';
import { type Arguments, type FlagTable, ToolError } from './arguments.ts';

/** The part of a state that Juju keeps. */
export type JujuState = Omit<State<unknown>, 'containers' | 'world'>;

export interface LogLine {
  readonly level: string;
  readonly message: string;
}

export interface PendingSecret {
  readonly id: string;
  readonly owner?: 'application' | 'unit';
  readonly label?: string;
  readonly description?: string;
  readonly rotate?: string;
  readonly expire?: string;
  readonly content?: DataBag;
}

export interface ActionOutcome {
  readonly results: Record<string, string>;
  failed?: string;
  message?: string;
}

export interface OpenHook {
  readonly files: CharmFiles;
  readonly trigger: Trigger;
  /** Tells apart what is made in different runs on the same state. */
  readonly runTag: string;
  state: JujuState;
  readonly pending: {
    /** Whole databags after the writes, by relation. */
    readonly unitBags: Map<number, DataBag>;
    readonly appBags: Map<number, DataBag>;
    readonly ports: { readonly open: Set<string>; readonly close: Set<string> };
    controllerState?: DataBag;
    readonly storages: Map<string, number>;
    readonly creates: Map<string, PendingSecret>;
    readonly updates: Map<string, PendingSecret>;
    readonly deletes: Map<string, ReadonlySet<number> | 'all'>;
    readonly grants: Map<string, Map<number, string>>;
    readonly revokes: Map<string, Set<string>>;
    readonly trackLatest: Set<string>;
  };
  readonly log: LogLine[];
  readonly statusHistory: ShownStatus[];
  readonly actionLog: string[];
  readonly action: ActionOutcome;
  readonly calls: HookToolCall[];
  secretsMade: number;
  /** What status-get gave first; Juju goes on giving it to this hook, whatever was set since. */
  statusRead?: ShownStatus;
}

/** One hook tool: how it reads its arguments, and what it gives for them. */
export interface Tool {
  readonly flags?: FlagTable;
  /** Gives the value to print, a `Text` for plain text, or `undefined` for nothing. */
  run(hook: OpenHook, args: Arguments, call: HookToolCall): unknown;
}

/** Output that is printed as it is. */
export class Text {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

export function openHook(part: Pick<OpenHook, 'files' | 'trigger' | 'runTag' | 'state'>): OpenHook {
  return {
    ...part,
    pending: {
      unitBags: new Map(),
      appBags: new Map(),
      ports: { open: new Set(), close: new Set() },
      storages: new Map(),
      creates: new Map(),
      updates: new Map(),
      deletes: new Map(),
      grants: new Map(),
      revokes: new Map(),
      trackLatest: new Set(),
    },
    log: [],
    statusHistory: [],
    actionLog: [],
    action: { results: {} },
    calls: [],
    secretsMade: 0,
  };
}

export function requireAction(hook: OpenHook): void {
  if (hook.trigger.event.kind !== 'action') throw new ToolError('not running an action');
}

/** The relation that `-r`, `--relation` or the event names. */
export function relationFrom(hook: OpenHook, args: Arguments): RelationState | undefined {
  const written = args.text('r') ?? args.text('relation');
  const { event } = hook.trigger;
  if (written === undefined) {
    if (event.kind !== 'relation') return undefined;
    return hook.state.relations.find((one) => one.id === event.relation.id);
  }
  const id = /^(?:.*:)?(\d+)$/.exec(written)?.[1];
  const found = hook.state.relations.find((one) => String(one.id) === id);
  if (found !== undefined) return found;
  const reason = id === undefined ? 'invalid relation id' : 'relation not found';
  throw new ToolError(`invalid value ${JSON.stringify(written)} for option -r: ${reason}`, 2);
}

/** Like `relationFrom`; having none is a wrong call. */
export function requireRelation(hook: OpenHook, args: Arguments): RelationState {
  const relation = relationFrom(hook, args);
  if (relation === undefined) throw new ToolError('no relation id specified', 2);
  return relation;
}

/** The open ports after the changes of this hook, sorted. */
export function portsOf({ state, pending }: OpenHook): readonly string[] {
  const kept = state.openedPorts.filter((port) => !pending.ports.close.has(port));
  const numberOf = (port: string): number => Number.parseInt(port, 10);
  return [...new Set([...kept, ...pending.ports.open])].sort(
    (left, right) => numberOf(left) - numberOf(right),
  );
}
