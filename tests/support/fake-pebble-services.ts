// The plan and the services of the in-memory Pebble: pure functions from one state to the next,
// with the refusals of the real one.

import { fromApiFailure, PebbleError } from '../../lib/pebble/errors.ts';
import { combineLayers, isSame, mergeLayers } from '../../lib/pebble/layer.ts';
import type {
  Layer,
  LayerCheck,
  LayerService,
  Plan,
  ServiceInfo,
} from '../../lib/pebble/pebble.ts';
import { parseDurationNs } from '../../lib/pebble/time.ts';
import type { PebbleState, ServiceState } from './pebble-state.ts';

/** The plan that the state's layers make. */
export function planOf(state: PebbleState): Plan {
  return combineLayers(state.layers.map(({ layer }) => layer));
}

/** The state with a layer added, or merged into the one of the same label. */
export function addLayer(state: PebbleState, label: string, layer: Layer): PebbleState {
  const known = state.layers.some((one) => one.label === label);
  const layers = known
    ? state.layers.map((one) =>
        one.label === label ? { label, layer: mergeLayers(one.layer, layer) } : one,
      )
    : [...state.layers, { label, layer }];
  const next = { ...state, layers };
  const problem = findProblem(label, layer, planOf(next));
  if (problem === undefined) return next;
  const failure = { message: problem, status: 400 };
  throw fromApiFailure(`add layer ${JSON.stringify(label)}`, failure);
}

/** What the services of the plan are doing. */
export function listServices(
  state: PebbleState,
  names: readonly string[] | undefined,
): readonly ServiceInfo[] {
  const { services } = planOf(state);
  return Object.entries(services)
    .filter(([name]) => names === undefined || names.includes(name))
    .map(([name, { startup = 'disabled' }]) => ({
      name,
      startup,
      current: state.services[name]?.current ?? ('inactive' as const),
    }))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
}

/** A state, and the error that the call which led to it ends with. */
export interface Outcome {
  readonly state: PebbleState;
  readonly failure?: PebbleError;
}

/** Starts services and what they require. */
export function startServices(state: PebbleState, what: string, names: readonly string[]): Outcome {
  const plan = planOf(state);
  const services = { ...state.services };
  const failed: string[] = [];
  for (const name of withRequired(plan, what, names)) {
    const config = plan.services[name];
    if (config === undefined) continue;
    const before = services[name];
    const started = startOne(before, config);
    if (started.current !== 'active') failed.push(name);
    services[name] = started;
  }
  const next = { ...state, services };
  return failed.length === 0
    ? { state: next }
    : { state: next, failure: startFailed(what, next, failed) };
}

/** Stops services and what requires them. */
export function stopServices(
  state: PebbleState,
  what: string,
  names: readonly string[],
): PebbleState {
  const plan = planOf(state);
  const services = { ...state.services };
  for (const name of withDependants(plan, what, names)) {
    const before = services[name];
    if (before !== undefined) services[name] = { ...before, current: 'inactive' };
  }
  return { ...state, services };
}

/** Stops and starts exactly these services; what they require is started. */
export function restartServices(
  state: PebbleState,
  what: string,
  names: readonly string[],
): Outcome {
  withDependants(planOf(state), what, names);
  const services = { ...state.services };
  for (const name of names) {
    const before = services[name];
    if (before !== undefined) services[name] = { ...before, current: 'inactive' };
  }
  return startServices({ ...state, services }, what, names);
}

export interface Replanned extends Outcome {
  /** Ran with another configuration before. */
  readonly restarted: readonly string[];
  /** Did not run before. */
  readonly started: readonly string[];
}

/**
 * Parity: a service that was ever started and whose configuration changed since is started, even
 * when it had been stopped and is not enabled.
 */
export function replanServices(state: PebbleState): Replanned {
  const plan = planOf(state);
  const wasActive = (name: string) => isActive(state.services[name]);
  const changed = Object.entries(state.services)
    .filter(([name, { config }]) => differs(config, plan.services[name]))
    .map(([name]) => name);
  const enabled = Object.keys(plan.services).filter(
    (name) => plan.services[name]?.startup === 'enabled',
  );
  const stopped = stopServices(state, 'replan', changed);
  const outcome = startServices(stopped, 'replan', [...new Set([...changed, ...enabled])]);
  const started = Object.keys(outcome.state.services).filter(
    (name) => isActive(outcome.state.services[name]) && !wasActive(name),
  );
  return { ...outcome, restarted: changed.filter(wasActive), started };
}

function differs(config: LayerService | undefined, planned: LayerService | undefined): boolean {
  return config !== undefined && planned !== undefined && !isSame(config, planned);
}

function isActive(service: ServiceState | undefined): boolean {
  return service?.current === 'active';
}

function startOne(before: ServiceState | undefined, config: LayerService): ServiceState {
  const failure = before?.startFailure;
  if (isActive(before)) return { current: 'active', config };
  if (failure === undefined) return { current: 'active', config };
  const current = config['on-failure'] === 'ignore' ? 'error' : 'backoff';
  return { current, config, startFailure: failure };
}

function startFailed(what: string, state: PebbleState, names: readonly string[]): PebbleError {
  const reasons = names.map((name) => `Start service "${name}": exited quickly`);
  const log = names.map((name) => state.services[name]?.startFailure ?? '').join('\n');
  return new PebbleError(`cannot ${what}: ${reasons.join('; ')}`, {
    code: 'change-failed',
    fields: { change: '1', log },
  });
}

function withRequired(plan: Plan, what: string, names: readonly string[]): readonly string[] {
  checkKnown(plan, what, names);
  return closure(names, (name) => plan.services[name]?.requires ?? []).toReversed();
}

function withDependants(plan: Plan, what: string, names: readonly string[]): readonly string[] {
  checkKnown(plan, what, names);
  const requires = (one: string, name: string) =>
    plan.services[one]?.requires?.includes(name) === true;
  return closure(names, (name) => Object.keys(plan.services).filter((one) => requires(one, name)));
}

function closure(
  names: readonly string[],
  next: (name: string) => readonly string[],
): readonly string[] {
  const found = new Set(names);
  // A set can grow while it is walked.
  for (const name of found) for (const one of next(name)) found.add(one);
  return [...found];
}

function checkKnown(plan: Plan, what: string, names: readonly string[]): void {
  const unknown = names.find((name) => plan.services[name] === undefined);
  if (unknown === undefined) return;
  const message = `cannot change services: service "${unknown}" does not exist`;
  throw fromApiFailure(what, { message, status: 400 });
}

/** Why Pebble would not take the layer; `undefined` when it would. */
function findProblem(label: string, layer: Layer, plan: Plan): string | undefined {
  if (label === '') return 'label must be set';
  if (label.startsWith('pebble-')) return 'cannot use reserved label prefix "pebble-"';
  const problems = [
    ...Object.keys(layer.services ?? {})
      .filter((name) => name === 'pebble' || name.startsWith('-'))
      .map((name) => `cannot use service name "${name}"`),
    ...Object.entries(plan.services).flatMap(([name, service]) => serviceProblems(name, service)),
    ...loopProblems(plan),
    ...Object.entries(plan.checks).flatMap(([name, check]) => checkProblems(name, check)),
    ...Object.entries(plan['log-targets']).flatMap(([name, target]) =>
      target.services
        .map((service) => service.replace(/^-/, ''))
        .filter((service) => service !== 'all' && plan.services[service] === undefined)
        .map((service) => `log target "${name}" specifies unknown service "${service}"`),
    ),
  ];
  return problems[0];
}

/** Required services must exist; an order counts only among those that do. */
function loopProblems(plan: Plan): readonly string[] {
  const names = Object.keys(plan.services);
  const missing = Object.values(plan.services)
    .flatMap(({ requires = [] }) => requires)
    .filter((name) => plan.services[name] === undefined);
  const earlier = (name: string) => [
    ...(plan.services[name]?.after ?? []),
    ...names.filter((one) => plan.services[one]?.before?.includes(name) === true),
  ];
  const looping = names.filter((name) => {
    const others = earlier(name).filter((one) => one !== name);
    return closure(others, earlier).includes(name);
  });
  const loop = looping.length === 0 ? [] : [`services in before/after loop: ${looping.join(', ')}`];
  return [...missing.map((name) => `service "${name}" does not exist`), ...loop];
}

function serviceProblems(name: string, service: LayerService): readonly string[] {
  const { command = '', 'backoff-factor': factor = 2 } = service;
  const times = [service['backoff-delay'], service['backoff-limit'], service['kill-delay']];
  return [
    ...(command === '' ? [`plan must define "command" for service "${name}"`] : []),
    ...(factor < 1 ? [`plan service "${name}" backoff-factor must be 1.0 or greater`] : []),
    ...invalidTimes(times),
  ];
}

function checkProblems(name: string, check: LayerCheck): readonly string[] {
  const kinds = [check.http, check.tcp, check.exec].filter((kind) => kind !== undefined);
  return [
    ...(kinds.length === 1
      ? []
      : [`plan must specify one of "http", "tcp", or "exec" for check "${name}"`]),
    ...invalidTimes([check.period, check.timeout]),
  ];
}

function invalidTimes(times: readonly (string | undefined)[]): readonly string[] {
  return times.flatMap((time) =>
    time === undefined || parseDurationNs(time) !== undefined ? [] : [`invalid duration "${time}"`],
  );
}
