import { describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { CodedError } from '../../../../lib/base/error.ts';
import { createBufferedLog, describeError, splitMessage } from '../../../../lib/juju/log.ts';
import { failure, scriptHookTools } from '../../../support/scripted-hook-tools.ts';

describe('the log', () => {
  test('sends neighbours of one level together and keeps the order', async () => {
    const tools = scriptHookTools({ 'juju-log': '' });
    const { log, flush } = createBufferedLog(tools.port);

    log('DEBUG', 'one');
    log('DEBUG', 'two');
    log('INFO', 'three');
    log('DEBUG', 'four');
    await flush();
    await flush();

    expect(tools.calls()).toEqual([
      'juju-log --log-level DEBUG -- one\ntwo',
      'juju-log --log-level INFO -- three',
      'juju-log --log-level DEBUG -- four',
    ]);
  });

  test('adds a remark only to a message that goes out anyway', async () => {
    const tools = scriptHookTools({ 'juju-log': '' });
    const { log, remark, flush } = createBufferedLog(tools.port);

    remark('lost');
    log('DEBUG', 'one');
    remark('kept');
    await flush();

    expect(tools.calls()).toEqual(['juju-log --log-level DEBUG -- one\nkept']);
  });

  test('that cannot be written stops trying and fails nothing', async () => {
    const tools = scriptHookTools({ 'juju-log': failure('broken pipe') });
    const { log, flush } = createBufferedLog(tools.port);

    log('DEBUG', 'one');
    log('INFO', 'two');
    await flush();

    expect(tools.calls()).toEqual(['juju-log --log-level DEBUG -- one']);
  });
});

describe('a message that is too long', () => {
  test('is cut at line breaks where there are any', () => {
    expect(splitMessage('aaa\nbbb\nccccccccc', 7)).toEqual(['aaa\nbbb', 'ccccccc', 'cc']);
  });

  test('is cut between characters and loses none of them', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'grapheme' }),
        fc.integer({ min: 4, max: 9 }),
        (text, limit) => {
          const message = text.replaceAll('\n', '');
          const pieces = splitMessage(message, limit);

          expect(pieces.join('')).toBe(message);
          expect(pieces.every((piece) => Buffer.byteLength(piece) <= limit)).toBe(true);
        },
      ),
    );
  });
});

test('an error is described with its causes, codes and hints', () => {
  const cause = new CodedError('cannot open "x": no', { code: 'no', hint: 'Open it.' });
  const error = new Error('outer', { cause });

  const lines = describeError(error)
    .split('\n')
    .filter((line) => !line.startsWith('    at '));

  expect(lines).toEqual([
    'Error: outer',
    'caused by [no] CodedError: cannot open "x": no',
    'hint: Open it.',
  ]);
});
