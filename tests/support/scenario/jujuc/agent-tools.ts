// Hook tools about what the agent knows beside the unit's own affairs: addresses, resources, the
// cloud's credential, reboots. Charms on Kubernetes hardly use them.
// Source: Juju's hook tools.

import { ToolError, usageError } from './arguments.ts';
import { type OpenHook, Text, type Tool } from './open-hook.ts';

export const agentTools: Readonly<Record<string, Tool>> = {
  'unit-get': {
    flags: { text: ['format'] },
    run: (hook, args) => {
      const [which] = args.operands;
      if (which === undefined) throw usageError('no setting specified');
      if (which === 'private-address') return hook.state.address;
      if (which === 'public-address') throw new ToolError('no public address');
      throw usageError(`unknown setting ${JSON.stringify(which)}`);
    },
  },
  'resource-get': {
    run: (hook, args) => {
      const [name] = args.operands;
      if (name === undefined) throw usageError('missing required resource name');
      if (!hook.files.resources.includes(name)) {
        throw new ToolError(
          `could not download resource: resource ${JSON.stringify(name)} not found`,
        );
      }
      const unit = hook.state.unit.replace('/', '-');
      return new Text(`/var/lib/juju/agents/unit-${unit}/resources/${name}/content.yaml`);
    },
  },
  'credential-get': {
    flags: { text: ['format'] },
    // Without `juju trust`, which no charm of ours asks for on account of this tool.
    run: () => {
      throw new ToolError('cannot access cloud credentials: access denied');
    },
  },
  'juju-reboot': {
    flags: { boolean: ['now'] },
    run: (hook) => {
      if (isAction(hook)) {
        throw new ToolError('juju-reboot is not supported when running an action.');
      }
      throw new ToolError('juju-reboot is not supported on Kubernetes');
    },
  },
};

function isAction(hook: OpenHook): boolean {
  return hook.trigger.event.kind === 'action';
}
