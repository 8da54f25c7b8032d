// What one dispatch has seen outside of Juju: Patroni's answers and the watcher's file, which also
// tells that Pebble answers. The handler and whoever collects the statuses after it share one view. It
// holds as long as nothing has been done that could change it, and not for long: whoever waits or
// changes something looks anew.

import type { Clock } from '../../lib/base/clock.ts';
import type { WatchState } from '../core/watch-state.ts';
import type { Health, Cluster as PatroniCluster } from './patroni-answers.ts';

/** Patroni's list, `undefined` when no member answers, and whether it is from the own member. */
export interface Listed {
  readonly cluster: PatroniCluster | undefined;
  readonly byOwn: boolean;
}

interface View {
  readonly sinceMs: number;
  listed?: Listed;
  /** The own member's word, `undefined` when it does not answer. */
  own?: { readonly health: Health | undefined };
  watched?: WatchState;
}

/** What a view needs of a hook; `juju` is the same for all handlers of one dispatch. */
export interface Looking {
  readonly juju: object;
  readonly ports: { readonly clock: Pick<Clock, 'nowMs'> };
}

const views = new WeakMap<object, View>();

// A quiet hook is done by then, and services take a second to start.
const validMs = 2_000;

/** What has been seen lately; parts of it are filled in by those who look. */
export function viewOf({ juju, ports }: Looking): View {
  const nowMs = ports.clock.nowMs();
  const known = views.get(juju);
  if (known !== undefined && nowMs - known.sinceMs < validMs) return known;
  const view: View = { sinceMs: nowMs };
  views.set(juju, view);
  return view;
}

/** To be called by whoever does something that may change it. */
export function forgetView({ juju }: Pick<Looking, 'juju'>): void {
  views.delete(juju);
}
