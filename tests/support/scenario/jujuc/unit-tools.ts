// The hook tools about the unit itself: leadership, planned units, configuration, status, workload
// version, network, ports, storage, controller state and log.
// Source: Juju's hook tools and the hook context behind them.

import type { ConfigValue } from '../../../../lib/juju/juju.ts';
import { appOf, numberOf, type ShownStatus } from '../state.ts';
import { type Arguments, expectAtMost, parsePairs, ToolError, usageError } from './arguments.ts';
import { type OpenHook, portsOf, type Tool } from './open-hook.ts';
import { readPairsFile } from './relation-tools.ts';

const format = { text: ['format'] };
const maxStateKeyBytes = 256;
const maxStateValueBytes = 65_536;
const settable = ['maintenance', 'blocked', 'waiting', 'active'] as const;

export const unitTools: Readonly<Record<string, Tool>> = {
  'is-leader': { flags: format, run: isLeader },
  'goal-state': { flags: format, run: goalState },
  'config-get': {
    flags: { text: ['format'], boolean: ['a', 'all'] },
    run: (hook, args) => {
      const [key] = args.operands;
      const settings = settingsOf(hook);
      return key === undefined ? settings : (settings[key] ?? null);
    },
  },
  'status-get': {
    flags: { text: ['format'], boolean: ['include-data', 'application'] },
    run: (hook, args) => {
      if (args.flag('application')) return applicationStatus(hook, args);
      hook.statusRead ??= hook.state.unitStatus;
      const smart = (args.text('format') ?? 'smart') === 'smart';
      if (smart && !args.flag('include-data')) return hook.statusRead.level;
      return statusDetails(hook.statusRead, args);
    },
  },
  'status-set': { flags: { boolean: ['application'] }, run: setStatus },
  'application-version-set': {
    run: (hook, args) => {
      const [version] = args.operands;
      if (version === undefined) throw usageError('no version specified');
      hook.state = { ...hook.state, workloadVersion: version };
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
    run: (hook, args) => changePort(hook, args, 'open'),
  },
  'close-port': {
    flags: { text: ['format', 'endpoints'] },
    run: (hook, args) => changePort(hook, args, 'close'),
  },
  'opened-ports': {
    flags: { text: ['format'], boolean: ['endpoints'] },
    run: (hook) => portsOf(hook),
  },
  'storage-list': {
    flags: format,
    run: (hook, args) =>
      hook.state.storages
        .filter((one) => args.operands[0] === undefined || one.name === args.operands[0])
        .map((one) => `${one.name}/${one.index}`),
  },
  'storage-get': { flags: { text: ['format', 's'] }, run: storageGet },
  'storage-add': { run: storageAdd },
  'state-get': {
    flags: { text: ['format'], boolean: ['strict'] },
    run: (hook, args) => {
      const stored = hook.pending.controllerState ?? hook.state.controllerState;
      const [key = '-'] = args.operands;
      if (key === '-' || key === '') return Object.keys(stored).length === 0 ? null : stored;
      if (stored[key] === undefined && args.flag('strict'))
        throw new ToolError(`${JSON.stringify(key)} not found`);
      return stored[key] ?? '';
    },
  },
  'state-set': {
    flags: { text: ['file'] },
    run: (hook, args, call) => {
      const changes = new Map([...readPairsFile(args, call), ...parsePairs(args.operands)]);
      for (const [key, value] of changes) checkStateSize(key, value);
      const stored = hook.pending.controllerState ?? hook.state.controllerState;
      hook.pending.controllerState = { ...stored, ...Object.fromEntries(changes) };
    },
  },
  'state-delete': {
    run: (hook, args) => {
      const stored = { ...(hook.pending.controllerState ?? hook.state.controllerState) };
      delete stored[args.operands[0] ?? ''];
      hook.pending.controllerState = stored;
    },
  },
  'juju-log': {
    flags: { text: ['log-level', 'l', 'format'], boolean: ['debug'] },
    run: (hook, args) => {
      if (args.operands.length === 0) throw usageError('no message specified');
      const level = args.flag('debug')
        ? 'DEBUG'
        : (args.text('log-level') ?? args.text('l') ?? 'INFO');
      hook.log.push({ level, message: args.operands.join(' ') });
    },
  },
};

function isLeader(hook: OpenHook): boolean {
  const { losesLead, ...state } = hook.state;
  if (losesLead === undefined) return state.leader;
  hook.state = { ...state, leader: false };
  return true;
}

function goalState(hook: OpenHook): unknown {
  const { state } = hook;
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

function settingsOf(hook: OpenHook): Readonly<Record<string, ConfigValue>> {
  const defaults = Object.entries(hook.files.options).flatMap(([name, option]) =>
    option.default === undefined ? [] : [[name, option.default] as const],
  );
  return { ...Object.fromEntries(defaults), ...hook.state.config };
}

function statusDetails(status: ShownStatus, args: Arguments): Readonly<Record<string, unknown>> {
  if (!args.flag('include-data')) return { status: status.level };
  return { status: status.level, message: status.message, 'status-data': {} };
}

function applicationStatus(hook: OpenHook, args: Arguments): unknown {
  if (!hook.state.leader)
    throw new ToolError('finding application status: this unit is not the leader');
  const own = statusDetails(hook.state.unitStatus, args);
  const application = statusDetails(hook.state.appStatus, args);
  const others = Object.entries(hook.state.otherStatuses ?? {}).map(
    ([unit, status]) => [unit, statusDetails(status, args)] as const,
  );
  const units = { [hook.state.unit]: own, ...Object.fromEntries(others) };
  return { 'application-status': { ...application, units } };
}

function setStatus(hook: OpenHook, args: Arguments): undefined {
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
    hook.statusHistory.push(status);
    hook.state = { ...hook.state, unitStatus: status };
    return;
  }
  if (!hook.state.leader) throw new ToolError('this unit is not the leader');
  hook.state = { ...hook.state, appStatus: status };
}

function networkGet(hook: OpenHook, args: Arguments): unknown {
  const [binding] = args.operands;
  if (binding === undefined) throw usageError('no arguments specified');
  if (hook.files.endpoints[binding] === undefined) {
    throw new ToolError(`no network config found for binding ${JSON.stringify(binding)}`);
  }
  const { address } = hook.state;
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

function changePort(hook: OpenHook, args: Arguments, change: 'open' | 'close'): undefined {
  const port = portFrom(args.operands[0]);
  const { ports } = hook.pending;
  ports[change === 'open' ? 'close' : 'open'].delete(port);
  if (hook.state.openedPorts.includes(port) === (change === 'open')) return;
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

function storageGet(hook: OpenHook, args: Arguments): unknown {
  const { event } = hook.trigger;
  const id =
    args.text('s') ?? (event.kind === 'storage' ? `${event.storage}/${event.index}` : undefined);
  if (id === undefined) throw usageError('no storage instance specified');
  const found = hook.state.storages.find((one) => `${one.name}/${one.index}` === id);
  if (found === undefined)
    throw usageError(`invalid value ${JSON.stringify(id)} for option -s: storage not found`);
  const [key] = args.operands;
  if (key === undefined) return { kind: 'filesystem', location: found.location };
  if (key === 'kind') return 'filesystem';
  if (key === 'location') return found.location;
  throw new ToolError(`invalid storage attribute ${JSON.stringify(key)}`);
}

function storageAdd(hook: OpenHook, args: Arguments): undefined {
  if (args.operands.length === 0) throw usageError('storage add requires a storage directive');
  for (const operand of args.operands) {
    const [name = '', count = '1'] = operand.split('=');
    hook.pending.storages.set(name, (hook.pending.storages.get(name) ?? 0) + Number(count));
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
