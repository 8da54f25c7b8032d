/** Runs inside the cloud: puts the object that its standard input describes. */

import https from 'node:https';
import { text } from 'node:stream/consumers';

import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import * as v from 'valibot';

const requestSchema = v.object({
  info: v.object({
    endpoint: v.string(),
    region: v.string(),
    accessKey: v.string(),
    secretKey: v.string(),
    caPem: v.string(),
  }),
  object: v.object({ bucket: v.string(), key: v.string(), content: v.string() }),
});

const { info, object } = v.parse(requestSchema, JSON.parse(await text(process.stdin)));
const client = new S3Client({
  endpoint: info.endpoint,
  region: info.region,
  forcePathStyle: true,
  credentials: { accessKeyId: info.accessKey, secretAccessKey: info.secretKey },
  requestHandler: { httpsAgent: new https.Agent({ ca: info.caPem }) },
});
const { bucket, key, content } = object;
await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content }));
