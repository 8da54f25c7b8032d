/**
 * Runs inside the cloud: tells the kubelet that a pod is well, until its standard input ends. Says
 * its port on standard output.
 */

import { createServer } from 'node:http';

import { settings } from '../../cloud/settings.ts';

const server = createServer((_, response) => {
  response.setHeader('connection', 'close');
  response.end('{"type":"sync","status-code":200,"status":"OK","result":{"healthy":true}}');
});
server.listen(0, settings.node.address, () => {
  const address = server.address();
  if (address !== null && typeof address === 'object') process.stdout.write(`${address.port}\n`);
});
process.stdin.on('end', () => {
  process.exit(0);
});
process.stdin.resume();
