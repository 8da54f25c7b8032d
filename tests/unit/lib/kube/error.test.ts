import { expect, test } from '@jest/globals';

import { isKubeOutage, KubeError, type KubeErrorCode } from '../../../../lib/kube/error.ts';

const failure = (code: KubeErrorCode, status?: number) =>
  new KubeError('cannot read pods', { code, fields: { status } });

test.each([
  ['nobody answers', failure('unreachable')],
  ['somebody else has written', failure('conflict', 409)],
  ['too much is asked', failure('api', 429)],
  ['an error of the server', failure('api', 500)],
  ['a server that is not ready', failure('api', 503)],
  ['a proxy that does not reach it', failure('api', 504)],
])('%s may pass', (_name, error) => {
  expect(isKubeOutage(error)).toBe(true);
});

test.each([
  ['what the operator has to allow', failure('forbidden', 403)],
  ['a malformed request', failure('api', 400)],
  ['an object that is not there', failure('api', 404)],
  ['an object that is refused', failure('api', 422)],
  ['an answer that makes no sense', failure('api', 200)],
  ['no answer at all of whatever else', failure('api')],
  ['a fault of the charm', new TypeError('no function')],
])('%s does not', (_name, error) => {
  expect(isKubeOutage(error)).toBe(false);
});
