// The hook tools about the unit itself: leadership, planned units, configuration, status, workload
// version, network, ports, storage, controller state, log and actions.
// Source: Juju's hook tools and the hook context behind them.

import type { ConfigValue } from '../../../../lib/juju/juju.ts';
import { appOf, numberOf, type ShownStatus } from '../state.ts';
import { type Arguments, expectAtMost, parsePairs, ToolError, usageError } from './arguments.ts';
import { readPairsFile } from './relation-tools.ts';
import { requireAction, type Session, type Tool } from './session.ts';

const format = { text: ['format'] };
const maxStateKeyBytes = 256;
const maxStateValueBytes = 65_536;
const settable = ['maintenance', 'blocked', 'waiting', 'active'] as const;

export const unitTools: Readonly<Record<string, Tool>> = {
  'is-leader': { flags: format, run: (session) => session.state.leader },
  'goal-state': { flags: format, run: goalState },
  'config-get': {
    flags: { text: ['format'], boolean: ['a', 'all'] },
    run: (session, args) => {
      const [key] = args.operands;
      const settings = settingsOf(session);
      return key === undefined ? settings : (settings[key] ?? null);
    },
  },
  'status-get': {
    flags: { text: ['format'], boolean: ['include-data', 'application'] },
    run: (session, args) => {
      if (args.flag('application')) return applicationStatus(session, args);
      return statusDetails(session.state.unitStatus, args);
    },
  },
  'status-set': { flags: { boolean: ['application'] }, run: setStatus },
  'application-version-set': {
    run: (session, args) => {
      const [version] = args.operands;
      if (version === undefined) throw usageError('no version specified');
      session.state = { ...session.state, workloadVersion: version };
    },
  },
  'network-get': {
    flags: {
      text: ['format', 'r', 'relation'],
      boolean: ['bind-address', 'ingress-address', 'egress-subnets', 'primary-address'],
    },
    run: networkGet,
  },
  'open-port': {
    flags: { text: ['format', 'endpoints'] },
    run: (session, args) => changePort(session, args, 'open'),
  },
  'close-port': {
    flags: { text: ['format', 'endpoints'] },
    run: (session, args) => changePort(session, args, 'close'),
  },
  'opened-ports': {
    flags: { text: ['format'], boolean: ['endpoints'] },
    run: (session) => session.state.openedPorts,
  },
  'storage-list': {
    flags: format,
    run: (session, args) =>
      session.state.storages
        .filter((one) => args.operands[0] === undefined || one.name === args.operands[0])
        .map((one) => `${one.name}/${one.index}`),
  },
  'storage-get': { flags: { text: ['format', 's'] }, run: storageGet },
  'storage-add': { run: storageAdd },
  'state-get': {
    flags: { text: ['format'], boolean: ['strict'] },
    run: (session, args) => {
      const stored = session.pending.controllerState ?? session.state.controllerState;
      const [key = '-'] = args.operands;
      if (key === '-' || key === '') return Object.keys(stored).length === 0 ? null : stored;
      if (stored[key] === undefined && args.flag('strict'))
        throw new ToolError(`${JSON.stringify(key)} not found`);
      return stored[key] ?? '';
    },
  },
  'state-set': {
    flags: { text: ['file'] },
    run: (session, args, call) => {
      const changes = new Map([...readPairsFile(args, call), ...parsePairs(args.operands)]);
      for (const [key, value] of changes) checkStateSize(key, value);
      const stored = session.pending.controllerState ?? session.state.controllerState;
      session.pending.controllerState = { ...stored, ...Object.fromEntries(changes) };
    },
  },
  'state-delete': {
    run: (session, args) => {
      const stored = { ...(session.pending.controllerState ?? session.state.controllerState) };
      delete stored[args.operands[0] ?? ''];
      session.pending.controllerState = stored;
    },
  },
  'juju-log': {
    flags: { text: ['log-level', 'l', 'format'], boolean: ['debug'] },
    run: (session, args) => {
      if (args.operands.length === 0) throw usageError('no message specified');
      const level = args.flag('debug')
        ? 'DEBUG'
        : (args.text('log-level') ?? args.text('l') ?? 'INFO');
      session.log.push({ level, message: args.operands.join(' ') });
    },
  },
};

function goalState(session: Session): unknown {
  const { state } = session;
  const since = '2026-01-01 00:00:00Z';
  const app = appOf(state.unit);
  const known = new Set([state.unit, ...state.dyingUnits]);
  for (const relation of state.relations) {
    for (const unit of Object.keys(relation.remoteUnits)) if (appOf(unit) === app) known.add(unit);
  }
  const highest = Math.max(...[...known].map(numberOf));
  const living = [...known].filter((unit) => !state.dyingUnits.includes(unit)).length;
  const coming = Array.from(
    { length: state.plannedUnits - living },
    (_, index) => `${app}/${highest + 1 + index}`,
  );
  const units = [...known, ...coming].map((unit) => {
    const status = coming.includes(unit) ? 'allocating' : 'active';
    return [unit, { status: state.dyingUnits.includes(unit) ? 'dying' : status, since }] as const;
  });
  const relations = state.relations.map((one) => {
    const members = [one.remoteApp, ...Object.keys(one.remoteUnits)];
    return [
      one.endpoint,
      Object.fromEntries(members.map((name) => [name, { status: 'joined', since }])),
    ] as const;
  });
  return { units: Object.fromEntries(units), relations: Object.fromEntries(relations) };
}

function settingsOf(session: Session): Readonly<Record<string, ConfigValue>> {
  const defaults = Object.entries(session.files.options).flatMap(([name, option]) =>
    option.default === undefined ? [] : [[name, option.default] as const],
  );
  return { ...Object.fromEntries(defaults), ...session.state.config };
}

function statusDetails(status: ShownStatus, args: Arguments): Readonly<Record<string, unknown>> {
  if (!args.flag('include-data')) return { status: status.level };
  return { status: status.level, message: status.message, 'status-data': {} };
}

function applicationStatus(session: Session, args: Arguments): unknown {
  if (!session.state.leader)
    throw new ToolError('finding application status: this unit is not the leader');
  const own = statusDetails(session.state.unitStatus, args);
  const application = statusDetails(session.state.appStatus, args);
  return { 'application-status': { ...application, units: { [session.state.unit]: own } } };
}

function setStatus(session: Session, args: Arguments): undefined {
  const [written, message = '', ...extra] = args.operands;
  if (written === undefined) throw usageError('invalid args, require <status> [message]');
  const level = settable.find((one) => one === written);
  if (level === undefined) {
    throw usageError(
      `invalid status ${JSON.stringify(written)}, expected one of [${settable.join(' ')}]`,
    );
  }
  expectAtMost(extra, 0);
  const status = { level, message };
  if (!args.flag('application')) {
    session.statusHistory.push(status);
    session.state = { ...session.state, unitStatus: status };
    return;
  }
  if (!session.state.leader) throw new ToolError('this unit is not the leader');
  session.state = { ...session.state, appStatus: status };
}

function networkGet(session: Session, args: Arguments): unknown {
  const [binding] = args.operands;
  if (binding === undefined) throw usageError('no arguments specified');
  if (session.files.endpoints[binding] === undefined) {
    throw new ToolError(`no network config found for binding ${JSON.stringify(binding)}`);
  }
  const { address } = session.state;
  const single = {
    'bind-address': address,
    'ingress-address': address,
    'egress-subnets': [`${address}/32`],
  };
  const asked = Object.entries(single).filter(([name]) => args.flag(name));
  if (asked.length === 1) return asked[0]?.[1];
  if (asked.length > 1) return Object.fromEntries(asked);
  return {
    'bind-addresses': [
      {
        'mac-address': '',
        'interface-name': '',
        addresses: [{ hostname: '', value: address, cidr: '' }],
      },
    ],
    'egress-subnets': single['egress-subnets'],
    'ingress-addresses': [address],
  };
}

function changePort(session: Session, args: Arguments, change: 'open' | 'close'): undefined {
  const port = portFrom(args.operands[0]);
  const { ports } = session.pending;
  ports[change === 'open' ? 'close' : 'open'].delete(port);
  if (session.state.openedPorts.includes(port) === (change === 'open')) return;
  ports[change].add(port);
}

/** `5432` → `5432/tcp` */
function portFrom(operand: string | undefined): string {
  const written = operand?.toLowerCase();
  if (written === undefined) throw usageError('no port or range specified');
  const [, from, to, protocol = 'tcp'] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp))?$/.exec(written) ?? [];
  if (from === undefined || Number(from) < 1 || Number(from) > 65_535) {
    throw usageError(`invalid port range ${JSON.stringify(written)}`);
  }
  if (to !== undefined && to !== from) {
    throw new ToolError(
      'port ranges are not supported for k8s applications, please specify a single port',
    );
  }
  return `${from}/${protocol}`;
}

function storageGet(session: Session, args: Arguments): unknown {
  const { event } = session.trigger;
  const id =
    args.text('s') ?? (event.kind === 'storage' ? `${event.storage}/${event.index}` : undefined);
  if (id === undefined) throw usageError('no storage instance specified');
  const found = session.state.storages.find((one) => `${one.name}/${one.index}` === id);
  if (found === undefined)
    throw usageError(`invalid value ${JSON.stringify(id)} for option -s: storage not found`);
  const [key] = args.operands;
  if (key === undefined) return { kind: 'filesystem', location: found.location };
  if (key === 'kind') return 'filesystem';
  if (key === 'location') return found.location;
  throw new ToolError(`invalid storage attribute ${JSON.stringify(key)}`);
}

function storageAdd(session: Session, args: Arguments): undefined {
  if (args.operands.length === 0) throw usageError('storage add requires a storage directive');
  for (const operand of args.operands) {
    const [name = '', count = '1'] = operand.split('=');
    session.pending.storages.set(name, (session.pending.storages.get(name) ?? 0) + Number(count));
  }
}

function checkStateSize(key: string, value: string): void {
  if (Buffer.byteLength(key) > maxStateKeyBytes) {
    throw new ToolError(`max allowed key length (${maxStateKeyBytes}): quota limit exceeded`);
  }
  if (Buffer.byteLength(value) > maxStateValueBytes) {
    throw new ToolError(`max allowed value length (${maxStateValueBytes}): quota limit exceeded`);
  }
}

const reserved = ['stdout', 'stdout-encoding', 'stderr', 'stderr-encoding'];

/** Tools that only work while an action runs. */
export const actionTools: Readonly<Record<string, Tool>> = {
  'action-get': {
    flags: format,
    run: (session, args) => {
      requireAction(session);
      const params = actionParams(session);
      const keys = args.operands[0]?.split('.') ?? [];
      return (
        keys.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), params) ??
        null
      );
    },
  },
  'action-set': {
    run: (session, args) => {
      const pairs = args.operands.map(resultFrom);
      requireAction(session);
      for (const [key, value] of pairs) session.action.results[key] = value;
    },
  },
  'action-fail': {
    run: (session, args) => {
      expectAtMost(args.operands, 1);
      requireAction(session);
      session.action.failed =
        args.operands[0] ?? 'action failed without reason given, check action for errors';
    },
  },
  'action-log': {
    run: (session, args) => {
      if (args.operands.length === 0) throw usageError('no message specified');
      requireAction(session);
      session.actionLog.push(args.operands.join(' '));
    },
  },
};

function resultFrom(written: string): readonly [string, string] {
  const at = written.indexOf('=');
  if (at < 0)
    throw usageError(`argument ${JSON.stringify(written)} must be of the form key...=value`);
  for (const key of written.slice(0, at).split('.')) {
    if (!/^[a-z0-9](?:[a-z0-9-]*[a-z0-9])?$/.test(key)) {
      throw usageError(
        `key ${JSON.stringify(key)} must start and end with lowercase alphanumeric, and contain only lowercase alphanumeric and hyphens`,
      );
    }
    if (reserved.includes(key)) throw usageError(`cannot set reserved action key "${key}"`);
  }
  return [written.slice(0, at), written.slice(at + 1)];
}

function actionParams(session: Session): Readonly<Record<string, unknown>> {
  const declared = session.files.actions[session.trigger.event.name]?.params ?? {};
  const defaults = Object.entries(declared).flatMap(([name, one]) =>
    one.default === undefined ? [] : [[name, one.default] as const],
  );
  return { ...Object.fromEntries(defaults), ...session.trigger.params };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
