// Files and layers through Pebble: what our code may expect in words, and the two Pebbles side by
// side on generated sequences of calls.

import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import fc from 'fast-check';

import { isSame } from '../../lib/pebble/layer.ts';
import type { FileInfo, Layer, LayerService, Pebble } from '../../lib/pebble/pebble.ts';
import { kinds, outcomeOf, type Subject } from './pebble-subjects.ts';

describe.each(kinds)('Files of Pebble $name', (kind) => {
  let subject: Subject;
  let number = 0;
  beforeAll(async () => {
    subject = await kind.open();
  });
  afterAll(async () => {
    await subject.close();
  });

  /** A path that no other test uses. */
  const fresh = (name = '') => {
    number += 1;
    return `${subject.folder}/${number}${name}`;
  };

  test.each([
    { summary: 'text', content: 'key = value\n' },
    { summary: 'nothing', content: '' },
    { summary: 'other scripts', content: 'größer 漢字 🐘' },
    { summary: 'what looks like the form it travels in', content: '\r\n--x--\r\n\r\n------part0x' },
    { summary: 'control characters', content: '\0\r\n\u001b[0m\u007f' },
    { summary: 'a megabyte', content: 'x'.repeat(1024 * 1024) },
  ])('keep $summary as it is', async ({ content }) => {
    const path = fresh();

    await subject.pebble.push(path, content);

    expect((await subject.pebble.pull(path)) === content).toBe(true);
  });

  test('take bytes that are no text', async () => {
    const path = fresh();

    await subject.pebble.push(
      path,
      Uint8Array.from({ length: 256 }, (_, index) => index),
    );

    expect((await subject.pebble.stat(path))?.sizeBytes).toBe(256);
  });

  test('may have names with quotes, backslashes and spaces', async () => {
    const path = fresh(String.raw` "a" \ 'b'; é=%41&+`);

    await subject.pebble.push(path, 'odd');

    expect(await subject.pebble.pull(path)).toBe('odd');
    expect((await subject.pebble.stat(path))?.path).toBe(path);
  });

  test('are readable by all and owned by root unless told otherwise', async () => {
    const [plain, own] = [fresh(), fresh()];

    await subject.pebble.push(plain, 'x');
    await subject.pebble.push(own, 'xyz', { user: 'nobody', mode: '0600' });

    expect(await subject.pebble.stat(plain)).toMatchObject({ user: 'root', mode: '0644' });
    expect(await subject.pebble.stat(own)).toEqual({
      path: own,
      name: own.slice(own.lastIndexOf('/') + 1),
      type: 'file',
      sizeBytes: 3,
      mode: '0600',
      user: 'nobody',
      group: 'nogroup',
    });
  });

  test('can be given to a user and another group', async () => {
    const path = fresh();

    await subject.pebble.makeDir(path, { user: 'daemon', group: 'nogroup', mode: '0750' });

    expect(await subject.pebble.stat(path)).toMatchObject({
      type: 'directory',
      user: 'daemon',
      group: 'nogroup',
      mode: '0750',
    });
  });

  test('replace what was there, with its owner and mode', async () => {
    const path = fresh();
    await subject.pebble.push(path, 'first', { user: 'daemon', mode: '0600' });

    await subject.pebble.push(path, 'second');

    expect(await subject.pebble.pull(path)).toBe('second');
    expect(await subject.pebble.stat(path)).toMatchObject({ user: 'root', mode: '0644' });
  });

  test('bring missing directories along only when asked', async () => {
    const path = `${fresh()}/deep/file`;

    const refused = await outcomeOf(subject.pebble.push(path, 'x'));
    await subject.pebble.push(path, 'x', { makeDirs: true, user: 'daemon', mode: '0600' });

    expect(refused).toBe('not-found');
    expect(await subject.pebble.stat(path.slice(0, -5))).toMatchObject({
      type: 'directory',
      user: 'daemon',
      mode: '0755',
    });
  });

  test('are listed by name, and by pattern', async () => {
    const folder = fresh();
    for (const name of ['b.conf', 'a.conf', 'c.txt', '.hidden']) {
      await subject.pebble.push(`${folder}/${name}`, '', { makeDirs: true });
    }
    await subject.pebble.makeDir(`${folder}/d.conf`);
    await subject.pebble.push(`${folder}/d.conf/inner`, '');

    const names = async (pattern?: string) =>
      (await subject.pebble.list(folder, pattern)).map(({ name }) => name);

    expect(await names()).toEqual(['.hidden', 'a.conf', 'b.conf', 'c.txt', 'd.conf']);
    expect(await names('*.conf')).toEqual(['a.conf', 'b.conf', 'd.conf']);
    expect(await names('?.txt')).toEqual(['c.txt']);
    expect(await names('none')).toEqual([]);
    expect((await subject.pebble.list(`${folder}/c.txt`)).map(({ path }) => path)).toEqual([
      `${folder}/c.txt`,
    ]);
  });

  test('that are not there read as absent, and cannot be listed', async () => {
    const path = fresh();

    expect(await subject.pebble.pull(path)).toBeUndefined();
    expect(await subject.pebble.stat(path)).toBeUndefined();
    expect(await outcomeOf(subject.pebble.list(path))).toBe('not-found');
  });

  test('are removed; what is not there only with recursive, what is full likewise', async () => {
    const folder = fresh();
    await subject.pebble.push(`${folder}/file`, '', { makeDirs: true });
    const { pebble } = subject;

    expect(await outcomeOf(pebble.remove(`${folder}/none`))).toBe('not-found');
    expect(await outcomeOf(pebble.remove(folder))).toBe('api');
    expect(await outcomeOf(pebble.remove(`${folder}/none`, { recursive: true }))).toBeUndefined();
    expect(await outcomeOf(pebble.remove(folder, { recursive: true }))).toBeUndefined();
    expect(await pebble.stat(folder)).toBeUndefined();
  });

  test.each([
    { summary: 'unknown user', options: { user: 'no-such-user' } },
    { summary: 'unknown group', options: { user: 'daemon', group: 'no-such-group' } },
    { summary: 'group without a user', options: { group: 'daemon' } },
    { summary: 'mode with special bits', options: { mode: '4755' } },
    { summary: 'mode that is no number', options: { mode: 'rwx' } },
  ])('are refused with an $summary', async ({ options }) => {
    expect(await outcomeOf(subject.pebble.push(fresh(), '', options))).toBe('api');
    expect(await outcomeOf(subject.pebble.makeDir(fresh(), options))).toBe('api');
  });

  test('are refused at relative paths', async () => {
    const { pebble } = subject;
    const calls = [
      pebble.pull('file'),
      pebble.push('file', ''),
      pebble.list('file'),
      pebble.stat('file'),
      pebble.makeDir('file'),
      pebble.remove('file'),
    ];

    const outcomes = await Promise.all(calls.map(async (call) => await outcomeOf<unknown>(call)));

    expect(outcomes).toEqual(Array(6).fill('api'));
  });
});

describe('The two Pebbles', () => {
  const subjects: Subject[] = [];
  beforeAll(async () => {
    for (const kind of kinds) subjects.push(await kind.open());
  });
  afterAll(async () => {
    for (const subject of subjects) await subject.close();
  });

  test('do the same with any sequence of calls on files', async () => {
    let run = 0;
    const play = async (calls: readonly FileCall[]) => {
      run += 1;
      return await Promise.all(
        subjects.map(async ({ pebble, folder }) => await playOn(pebble, `${folder}/${run}`, calls)),
      );
    };

    await fc.assert(
      fc.asyncProperty(fc.array(fileCall, { minLength: 1, maxLength: 12 }), async (calls) => {
        const [fake, real] = await play(calls);

        expect(fake).toEqual(real);
      }),
      { numRuns: 2500 },
    );
  });

  test('make the same plan of any sequence of layers', async () => {
    let run = 0;
    const known: LayerService = { override: 'replace', command: 'sleep 1' };
    for (const { pebble } of subjects) {
      await pebble.addLayer('known', { services: { one: known, two: known, three: known } });
    }

    await fc.assert(
      fc.asyncProperty(fc.array(labelledEntry, { minLength: 1, maxLength: 5 }), async (entries) => {
        run += 1;
        const name = `service${run}`;
        for (const { label, entry } of entries) {
          const layer: Layer = { services: { [name]: entry } };
          for (const { pebble } of subjects) await pebble.addLayer(`${label}-${run}`, layer);
        }

        const plans = await Promise.all(subjects.map(async ({ pebble }) => await pebble.plan()));
        const [fake, real] = plans.map(({ services }) => services[name]);

        expect(fake?.override).toBe(real?.override);
        expect(isSame(fake, real) ? real : fake).toEqual(real);
      }),
      { numRuns: 2500 },
    );
  });
});

type FileCall =
  | {
      readonly kind: 'push';
      readonly path: string;
      readonly content: string;
      readonly dirs: boolean;
    }
  | {
      readonly kind: 'make-dir';
      readonly path: string;
      readonly dirs: boolean;
      readonly mode: string;
    }
  | { readonly kind: 'remove'; readonly path: string; readonly recursive: boolean }
  | { readonly kind: 'pull' | 'list' | 'stat'; readonly path: string };

const path = fc.constantFrom('/a', '/b', '/a/a', '/a/b', '/b/a', '/a/b/c', '/a/', '/b//a', '/b/c');

const fileCall: fc.Arbitrary<FileCall> = fc.oneof(
  fc.record({
    kind: fc.constant('push' as const),
    path,
    content: fc.string({ unit: 'grapheme' }),
    dirs: fc.boolean(),
  }),
  fc.record({
    kind: fc.constant('make-dir' as const),
    path,
    dirs: fc.boolean(),
    mode: fc.constantFrom('0700', '0755'),
  }),
  fc.record({ kind: fc.constant('remove' as const), path, recursive: fc.boolean() }),
  fc.record({ kind: fc.constantFrom('pull' as const, 'list' as const, 'stat' as const), path }),
);

async function playOn(
  pebble: Pebble,
  folder: string,
  calls: readonly FileCall[],
): Promise<readonly unknown[]> {
  await pebble.makeDir(folder);
  const strip = ({ path: full, ...info }: FileInfo) => ({
    ...info,
    path: full.slice(folder.length),
  });
  const play = async (call: FileCall): Promise<unknown> => {
    const target = `${folder}${call.path}`;
    switch (call.kind) {
      case 'push':
        return await pebble.push(target, call.content, { makeDirs: call.dirs });
      case 'make-dir':
        return await pebble.makeDir(target, { makeDirs: call.dirs, mode: call.mode });
      case 'remove':
        return await pebble.remove(target, { recursive: call.recursive });
      case 'pull':
        return await pebble.pull(target);
      case 'list':
        // A directory's size is that of its file system.
        return (await pebble.list(target)).map(strip);
      case 'stat':
        return [await pebble.stat(target)].flatMap((info) =>
          info === undefined ? [] : [strip(info)],
        );
    }
  };
  const outcomes: unknown[] = [];
  for (const call of calls) outcomes.push(await outcomeOf(play(call)));
  return outcomes;
}

const words = fc.array(fc.constantFrom('one', 'two', 'three'), { maxLength: 3 });
const duration = fc.constantFrom('90s', '1m30s', '0s', '1.5h', '250ms', '2us');
// Pebble's plan loses line breaks at the beginning of a text.
const isKept = (given: string) => !given.startsWith('\n');
const text = fc.string({ unit: 'grapheme', maxLength: 20 }).filter(isKept);
const value = fc.oneof(
  text,
  fc.string({ unit: 'binary', maxLength: 10 }).filter(isKept),
  fc.constantFrom(
    '',
    'yes',
    'null',
    '~',
    '0x1F',
    '0o17',
    '017',
    '1_000',
    '1e3',
    '.inf',
    '12:30:45',
  ),
  fc.constantFrom('- a', 'a: b', '#c', '!t', '&a', '*a', '|', '>', '%', '@', '`', '{', '[', ' x '),
);

const entry: fc.Arbitrary<LayerService> = fc
  .record(
    {
      summary: text,
      startup: fc.constantFrom('enabled', 'disabled'),
      after: words,
      before: fc.constant<readonly string[]>([]),
      requires: words,
      environment: fc.dictionary(fc.constantFrom('A', 'B', 'yes', '1', 'with space'), value),
      user: fc.constantFrom('root', 'daemon', ''),
      'on-failure': fc.constantFrom('restart', 'ignore'),
      'on-check-failure': fc.dictionary(
        fc.constantFrom('up', 'ready'),
        fc.constant('restart' as const),
      ),
      'backoff-delay': duration,
      'backoff-factor': fc.constantFrom(1, 1.5, 2),
      'kill-delay': duration,
    },
    { requiredKeys: [] },
  )
  .chain((fields) =>
    fc.constantFrom('replace' as const, 'merge' as const).map((override) => ({
      ...fields,
      override,
      command: 'sleep 1',
    })),
  );

const labelledEntry = fc.record({ label: fc.constantFrom('low', 'high'), entry });
