// action-get, action-set, action-fail, action-log: they work only while an action runs.
// Source: Juju's hook tools.

import { expectAtMost, usageError } from './arguments.ts';
import { type OpenHook, requireAction, type Tool } from './open-hook.ts';

const reserved = ['stdout', 'stdout-encoding', 'stderr', 'stderr-encoding'];

export const actionTools: Readonly<Record<string, Tool>> = {
  'action-get': {
    flags: { text: ['format'] },
    run: (hook, args) => {
      requireAction(hook);
      const params = actionParams(hook);
      const keys = args.operands[0]?.split('.') ?? [];
      return (
        keys.reduce<unknown>((value, key) => (isObject(value) ? value[key] : undefined), params) ??
        null
      );
    },
  },
  'action-set': {
    run: (hook, args) => {
      const pairs = args.operands.map(resultFrom);
      requireAction(hook);
      for (const [key, value] of pairs) hook.action.results[key] = value;
    },
  },
  'action-fail': {
    run: (hook, args) => {
      expectAtMost(args.operands, 1);
      requireAction(hook);
      hook.action.failed =
        args.operands[0] ?? 'action failed without reason given, check action for errors';
    },
  },
  'action-log': {
    run: (hook, args) => {
      if (args.operands.length === 0) throw usageError('no message specified');
      requireAction(hook);
      hook.actionLog.push(args.operands.join(' '));
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

function actionParams(hook: OpenHook): Readonly<Record<string, unknown>> {
  const declared = hook.files.actions[hook.trigger.event.name]?.params ?? {};
  const defaults = Object.entries(declared).flatMap(([name, one]) =>
    one.default === undefined ? [] : [[name, one.default] as const],
  );
  return { ...Object.fromEntries(defaults), ...hook.trigger.params };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
