// What the operator has configured, checked as a whole: either an offer to related charms, or
// everything that is wrong with it. Pure.

import { X509Certificate } from 'node:crypto';
import { isNativeError } from 'node:util/types';

import * as v from 'valibot';

import { present } from '../../../lib/base/present.ts';
import { parsePemChain } from '../../../lib/interfaces/pem-chain.ts';
import type { S3Offer } from '../../../lib/interfaces/s3.ts';
import {
  apiVersionSchema,
  endpointSchema,
  longestRetentionDays,
  uriStyleSchema,
} from '../../../lib/interfaces/s3-fields.ts';
import type { ConfigValue } from '../../../lib/juju/juju.ts';

/** The offer without the keys, which live elsewhere. */
export type Location = Omit<S3Offer, 'accessKey' | 'secretKey'>;

export type Settings =
  | { readonly kind: 'valid'; readonly location: Location }
  | { readonly kind: 'invalid'; readonly problems: readonly string[] };

/** Reads the options; blanks around values and empty values count for nothing. */
export function parseSettings(config: Readonly<Record<string, ConfigValue>>): Settings {
  const result = v.safeParse(optionsSchema, trimmed(config));
  if (result.success) return { kind: 'valid', location: toLocation(result.output) };
  return { kind: 'invalid', problems: result.issues.map((issue) => issue.message) };
}

const withoutSlashes = v.transform((text: string) => text.replaceAll(/^\/+|\/+$/gu, ''));

const bucketSchema = v.pipe(
  v.string(),
  withoutSlashes,
  v.regex(
    /^[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]$/u,
    ({ received }) => `bucket is no possible name of a bucket: ${received}`,
  ),
);

const regionSchema = v.pipe(
  v.string(),
  v.regex(/^[\w-]+$/u, ({ received }) => `region is no possible name of a region: ${received}`),
);

const chainSchema = v.pipe(
  v.string(),
  v.transform((text) => parsePemChain(text) ?? []),
  v.minLength(1, 'tls-ca-chain holds no PEM certificates'),
  v.everyItem(isCertificate, 'tls-ca-chain holds a broken certificate'),
);

const attributesSchema = v.pipe(
  v.string(),
  v.transform((text) => text.split(',').map((part) => part.trim())),
  v.filterItems((part) => part !== ''),
);

function daysSchema(option: string) {
  const message = `${option} is not from 1 to ${longestRetentionDays}`;
  return v.optional(
    v.pipe(
      v.number(),
      v.integer(message),
      v.minValue(1, message),
      v.maxValue(longestRetentionDays, message),
    ),
  );
}

const optionsSchema = v.object({
  bucket: v.optional(bucketSchema),
  endpoint: v.optional(endpointSchema),
  region: v.optional(regionSchema),
  path: v.optional(v.pipe(v.string(), withoutSlashes)),
  attributes: v.optional(attributesSchema),
  'storage-class': v.optional(v.string()),
  'tls-ca-chain': v.optional(chainSchema),
  's3-uri-style': v.optional(uriStyleSchema),
  's3-api-version': v.optional(apiVersionSchema),
  'delete-older-than-days': daysSchema('delete-older-than-days'),
  'experimental-delete-older-than-days': daysSchema('experimental-delete-older-than-days'),
});

function toLocation(options: v.InferOutput<typeof optionsSchema>): Location {
  const days = options['delete-older-than-days'] ?? options['experimental-delete-older-than-days'];
  return present({
    bucket: options.bucket,
    endpoint: options.endpoint,
    region: options.region,
    path: options.path,
    attributes: options.attributes,
    storageClass: options['storage-class'],
    tlsCaChain: options['tls-ca-chain'],
    uriStyle: options['s3-uri-style'],
    apiVersion: options['s3-api-version'],
    deleteOlderThanDays: days,
  });
}

function trimmed(config: Readonly<Record<string, ConfigValue>>): Readonly<Record<string, unknown>> {
  const entries = Object.entries(config).map(
    ([option, value]) => [option, typeof value === 'string' ? value.trim() : value] as const,
  );
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch (error) {
    if (isNativeError(error)) return false;
    throw error;
  }
}
