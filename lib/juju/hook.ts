// What every handler is given: Juju, the ports of its charm, the event, and the three things a
// handler may do besides writing: walk (the path through its flowchart), defer, and contribute
// statuses.

import type { Log } from '../base/log.ts';
import type { JujuEvent } from './event.ts';
import type { Juju, Status } from './juju.ts';

/** Records the path through a flowchart; node ids are those of the chart. */
export interface Walk {
  /** An action node. */
  readonly step: (node: string) => void;
  /** A decision node; gives the answer back, so that it can stand in an `if`. */
  readonly decide: (node: string, answer: boolean) => boolean;
  /** The walk ends here, for a reason that no chart draws: something outside refuses every call. */
  readonly stop: () => void;
}

export interface Hook<P, E extends JujuEvent = JujuEvent> {
  readonly event: E;
  readonly juju: Juju;
  readonly ports: P;
  readonly log: Log;
  readonly walk: Walk;
  /** Handle this event again, first thing in the next dispatch. Actions cannot be deferred. */
  readonly defer: () => void;
  /** Contributes a candidate; at the end the most severe one is set (see status.ts). */
  readonly status: (status: Status) => void;
}

export type Handler<P> = (hook: Hook<P>) => Promise<void>;

/**
 * The one visible table of a charm: hook names (`leader-elected`, `s3-parameters-relation-changed`)
 * and actions (`action:create-backup`) to handlers. A hook without an entry does nothing.
 */
export interface CharmDefinition<P> {
  readonly handlers: Readonly<Record<string, Handler<P>>>;
  /**
   * Runs once at the end of every dispatch that did not fail, after all handlers: contributes the
   * statuses that hold whatever happened (missing relation, degraded cluster, …).
   */
  readonly collectStatus?: Handler<P>;
}
