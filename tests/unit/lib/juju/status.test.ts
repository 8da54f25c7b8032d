import { describe, expect, test } from '@jest/globals';

import { createUnitStatus, foldStatuses } from '../../../../lib/juju/status.ts';
import { scriptHookTools } from '../../../support/scripted-hook-tools.ts';

describe('the final status', () => {
  test('is the most severe one', () => {
    const folded = foldStatuses([
      { level: 'active', message: '' },
      { level: 'waiting', message: 'w' },
      { level: 'blocked', message: 'b' },
      { level: 'maintenance', message: 'm' },
    ]);

    expect(folded).toEqual({ level: 'blocked', message: 'b' });
  });

  test('is the first one among equals', () => {
    const folded = foldStatuses([
      { level: 'waiting', message: 'first' },
      { level: 'waiting', message: 'second' },
    ]);

    expect(folded).toEqual({ level: 'waiting', message: 'first' });
  });

  test('is none without candidates', () => {
    expect(foldStatuses([])).toBeUndefined();
  });
});

describe('the unit status', () => {
  test('is not set again when Juju shows the same', async () => {
    const tools = scriptHookTools({
      'status-get --include-data': '{"status":"active","message":"Primary","status-data":{}}',
    });
    const status = createUnitStatus(tools.port);

    await status.set({ level: 'active', message: 'Primary' });

    expect(tools.calls()).toEqual(['status-get --include-data']);
  });

  test('is compared with what was set last, since Juju keeps giving its first answer', async () => {
    const tools = scriptHookTools({
      'status-get --include-data': '{"status":"active","message":"","status-data":{}}',
      'status-set': '',
    });
    const status = createUnitStatus(tools.port);

    await status.set({ level: 'maintenance', message: 'backing up' });
    await status.set({ level: 'maintenance', message: 'backing up' });
    await status.set({ level: 'active', message: '' });

    expect(tools.calls()).toEqual([
      'status-get --include-data',
      'status-set maintenance -- backing up',
      'status-set active -- ',
    ]);
  });

  test('is cut when it is too long, and not set again when Juju shows what is left', async () => {
    const shown = `${'x'.repeat(998)}y…`;
    const tools = scriptHookTools({
      'status-get --include-data': '{"status":"active","message":"","status-data":{}}',
      'status-set': '',
    });
    const status = createUnitStatus(tools.port);

    // The thousandth would be half of a character.
    await status.set({ level: 'blocked', message: `${'x'.repeat(998)}y${'😀'.repeat(100_000)}` });
    await status.set({ level: 'blocked', message: `${'x'.repeat(998)}y${'😀'.repeat(70_000)}` });

    expect(tools.calls().slice(1)).toEqual([`status-set blocked -- ${shown}`]);
    expect(await status.get()).toEqual({ level: 'blocked', message: shown });
  });

  test('is unknown to the charm where only Juju could have set it', async () => {
    const tools = scriptHookTools({
      'status-get --include-data': '{"status":"error","message":"hook failed"}',
    });

    expect(await createUnitStatus(tools.port).get()).toBeUndefined();
  });
});
