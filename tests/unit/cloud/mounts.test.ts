import { expect, test } from '@jest/globals';

import { parseMountPoints } from '../../../cloud/mounts.ts';

test('mount points are read with their spaces', () => {
  const text = `22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
30 22 0:25 / /run/a\\040b rw - tmpfs tmpfs rw
`;

  expect(parseMountPoints(text)).toEqual(['/', '/run/a b']);
});
