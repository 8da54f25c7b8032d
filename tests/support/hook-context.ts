// Contexts and environments of made-up hooks.

import type { HookEnvironment } from '../../lib/juju/context.ts';
import type { HookContext, JujuEvent } from '../../lib/juju/event.ts';

export const modelUuid = '5f0e9e7a-0000-4000-8000-000000000001';

/** Facts of a dispatch of `pg/0`. */
export function contextOf(event: JujuEvent, changes: Partial<HookContext> = {}): HookContext {
  return {
    unit: 'pg/0',
    app: 'pg',
    modelName: 'stage',
    modelUuid,
    charmDir: '/charm',
    jujuVersion: '3.6.8',
    event,
    ...changes,
  };
}

/** Juju's environment of a hook of `pg/0`. */
export function environmentOf(hook: string, more: HookEnvironment = {}): HookEnvironment {
  return {
    JUJU_DISPATCH_PATH: `hooks/${hook}`,
    JUJU_HOOK_NAME: hook,
    JUJU_UNIT_NAME: 'pg/0',
    JUJU_MODEL_NAME: 'stage',
    JUJU_MODEL_UUID: modelUuid,
    JUJU_CHARM_DIR: '/charm',
    JUJU_VERSION: '3.6.8',
    ...more,
  };
}

/** Juju's environment of an action of `pg/0`. */
export function actionEnvironmentOf(action: string): HookEnvironment {
  return environmentOf('', {
    JUJU_DISPATCH_PATH: `actions/${action}`,
    JUJU_ACTION_NAME: action,
    JUJU_ACTION_UUID: '12',
    JUJU_ACTION_TAG: 'action-12',
  });
}
