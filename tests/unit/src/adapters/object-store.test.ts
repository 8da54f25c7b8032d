import { expect, test } from '@jest/globals';

import { endpointFor } from '../../../../src/adapters/object-store.ts';

const endpoints = [
  {
    endpoint: 'https://s3.amazonaws.com',
    region: 'eu-central-1',
    used: 'https://s3.eu-central-1.amazonaws.com',
  },
  {
    endpoint: 'https://s3.us-west-2.amazonaws.com',
    region: 'eu-west-1',
    used: 'https://s3.eu-west-1.amazonaws.com',
  },
  {
    endpoint: 'https://s3-us-west-2.amazonaws.com',
    region: 'us-west-2',
    used: 'https://s3.us-west-2.amazonaws.com',
  },
  {
    endpoint: 'https://s3.cn-north-1.amazonaws.com.cn',
    region: 'cn-north-1',
    used: 'https://s3.cn-north-1.amazonaws.com.cn',
  },
  {
    endpoint: 'http://s3.amazonaws.com',
    region: 'us-east-1',
    used: 'http://s3.us-east-1.amazonaws.com',
  },
  { endpoint: 'https://s3.amazonaws.com', region: '', used: 'https://s3.amazonaws.com' },
  {
    endpoint: 'https://minio.example.com:9000',
    region: 'eu-1',
    used: 'https://minio.example.com:9000',
  },
  {
    endpoint: 'https://s3.amazonaws.com.example.com',
    region: 'eu-1',
    used: 'https://s3.amazonaws.com.example.com',
  },
  {
    endpoint: 'https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com',
    region: 'eu-west-1',
    used: 'https://bucket.vpce-1.s3.eu-west-1.vpce.amazonaws.com',
  },
];

test.each(endpoints)(
  '$endpoint in region "$region" is reached at $used',
  ({ endpoint, region, used }) => {
    expect(endpointFor({ endpoint, region })).toBe(used);
  },
);
