import { expect, test } from '@jest/globals';
import fc from 'fast-check';

import { type Part, parseMultipart, renderMultipart } from '../../../../lib/pebble/multipart.ts';

/** Line breaks cannot be in a header; everything else can. */
const header = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
  .filter((text) => !/[\r\n]/.test(text));

const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }),
  fc
    .array(
      fc.constantFrom('\r\n', '--', '-'.repeat(32), 'part', '0x', '1x', '\r\n\r\n', 'name="x"'),
      { maxLength: 12 },
    )
    .map((pieces) => Buffer.from(pieces.join(''))),
);

const part: fc.Arbitrary<Part> = fc.record(
  { name: header, filename: header, content, contentType: fc.constant('text/plain') },
  { requiredKeys: ['name', 'content', 'contentType'] },
);

test('what is written is read back, whatever the parts hold', () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), (parts) => {
      const { contentType, body } = renderMultipart(parts);

      const read = parseMultipart(contentType, Buffer.from(body));

      expect(read?.map(toComparable)).toEqual(parts.map(toComparable));
    }),
    { numRuns: 300 },
  );
});

test('a large part is read back', () => {
  const large = Buffer.alloc(5_000_000, '\r\n--');

  const { contentType, body } = renderMultipart([{ name: 'files', content: large }]);

  const [only] = parseMultipart(contentType, Buffer.from(body)) ?? [];
  expect(large.equals(only?.content ?? Buffer.alloc(0))).toBe(true);
});

test('the separator changes when a part contains it, and stays long enough', () => {
  const boundaryOf = (contents: readonly string[]) => {
    const parts = contents.map((text) => ({ name: 'files', content: Buffer.from(text) }));
    return renderMultipart(parts).contentType.replace(/^.*boundary=/, '');
  };
  const first = boundaryOf(['']);
  const second = boundaryOf(['', first]);

  expect(boundaryOf([first, second])).not.toBe(second);
  expect(second).not.toBe(first);
  expect(first.length).toBeGreaterThanOrEqual(32);
});

test('a form of another program is read', () => {
  const lines = [
    '--abc',
    'content-disposition: form-data; name="files"; filename="/etc/\\"odd\\""',
    'CONTENT-TYPE: text/plain',
    '',
    'line\r\n',
    '--abc',
    'Content-Disposition: form-data; name="response"',
    '',
    '{}',
    '--abc--',
    'trailer that does not matter',
  ];

  const read = parseMultipart(
    'multipart/form-data; boundary="abc"',
    Buffer.from(lines.join('\r\n')),
  );

  expect(read?.map(toComparable)).toEqual(
    [
      { name: 'files', filename: '/etc/"odd"', contentType: 'text/plain', content: 'line\r\n' },
      { name: 'response', content: '{}' },
    ].map((one) => ({ ...one, content: Buffer.from(one.content).toString('hex') })),
  );
});

test.each([
  { summary: 'another type', type: 'application/json', body: '{}' },
  { summary: 'no boundary', type: 'multipart/form-data; charset=x', body: '' },
  { summary: 'no separator', body: 'text' },
  {
    summary: 'a part without an end',
    body: '--abc\r\nContent-Disposition: x; name="a"\r\n\r\ntext',
  },
  { summary: 'a part without headers', body: '--abc\r\ntext\r\n--abc--' },
  { summary: 'a part without a name', body: '--abc\r\nContent-Type: x\r\n\r\ntext\r\n--abc--' },
])('a body with $summary is none', ({ type = 'multipart/form-data; boundary=abc', body }) => {
  expect(parseMultipart(type, Buffer.from(body))).toBeUndefined();
});

function toComparable({ content: bytes, ...rest }: Part) {
  return { ...rest, content: Buffer.from(bytes).toString('hex') };
}
