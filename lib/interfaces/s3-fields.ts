// The fields of the `s3` interface: how they look in a data bag and what they mean once read.
// Only two of them are JSON; all others are text, whatever they look like.

import * as v from 'valibot';

import { present } from '../base/present.ts';
import { Secret } from '../base/secret.ts';
import { parsePemChain } from './pem-chain.ts';

/** What a requirer needs to reach its storage; made only by `parseS3Fields`. */
export interface S3Parameters {
  /** Without surrounding blanks and slashes. */
  readonly bucket: string;
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  /** URL without trailing slash. */
  readonly endpoint: string;
  /** Starts with `/`, ends without one; `/` alone is the bucket's root. */
  readonly path: string;
  readonly region?: string;
  readonly uriStyle: 'host' | 'path';
  readonly deleteOlderThanDays: number;
  /** PEM blocks, each ending with a newline. */
  readonly tlsCaChain?: string;
  readonly storageClass?: string;
  readonly apiVersion?: '2' | '4';
  readonly attributes: readonly string[];
}

export type S3Reading =
  | { readonly kind: 'no-relation' }
  /** Names of the required fields that the provider has not given (yet). */
  | { readonly kind: 'missing'; readonly missing: readonly string[] }
  /** Everything that is wrong with what it gave, as sentences without secrets. */
  | { readonly kind: 'invalid'; readonly problems: readonly string[] }
  | { readonly kind: 'ready'; readonly parameters: S3Parameters };

export interface S3Keys {
  readonly accessKey?: Secret;
  readonly secretKey?: Secret;
}

/** Kept for ever, in pgBackRest's terms. */
export const longestRetentionDays = 9_999_999;

const required = ['bucket', 'access-key', 'secret-key'] as const;

/** Reads a provider's application data bag together with the keys of its secret, if it has one. */
export function parseS3Fields(bag: Readonly<Record<string, string>>, keys: S3Keys = {}): S3Reading {
  const fields = trimmed(bag);
  const essentials = readEssentials(fields, keys);
  if (Array.isArray(essentials)) return { kind: 'missing', missing: essentials };
  const broken = findBroken(fields, essentials);
  if (broken.length > 0) return { kind: 'invalid', problems: broken };
  const result = v.safeParse(optionalFields, fields);
  if (!result.success) {
    return { kind: 'invalid', problems: result.issues.map(({ message }) => message) };
  }
  const parsed = result.output;
  const parameters: S3Parameters = {
    ...essentials,
    endpoint: parsed.endpoint,
    path: `/${withoutSlashes(fields['path'] ?? '')}`,
    uriStyle: parsed['s3-uri-style'],
    deleteOlderThanDays: parsed['delete-older-than-days'],
    attributes: parsed.attributes,
    ...present({
      region: fields['region'],
      storageClass: fields['storage-class'],
      tlsCaChain: parsed['tls-ca-chain'],
      apiVersion: parsed['s3-api-version'],
    }),
  };
  return { kind: 'ready', parameters };
}

/** Those that go into files and requests as they are. A URL would lose what is broken in it unseen. */
const lines = ['bucket', 'endpoint', 'path', 'region'] as const;

/** What no name, place or key can have in its middle: a secret from a file may have two lines. */
function findBroken(
  fields: Readonly<Record<string, string>>,
  { accessKey, secretKey }: Essentials,
): readonly string[] {
  const texts = [
    ...lines.map((name) => [name, fields[name] ?? ''] as const),
    ['access-key', accessKey.reveal()] as const,
    ['secret-key', secretKey.reveal()] as const,
  ];
  return texts
    .filter(([, text]) => /\p{Cc}/u.test(text))
    .map(([name]) => `${name} has a line break, or another control character, in its middle`);
}

type Essentials = Pick<S3Parameters, 'bucket' | 'accessKey' | 'secretKey'>;

/** What there is no default for, or the names of what is missing. */
function readEssentials(
  fields: Readonly<Record<string, string>>,
  keys: S3Keys,
): Essentials | string[] {
  const bucket = withoutSlashes(fields['bucket'] ?? '');
  const accessKey = trimmedSecret(keys.accessKey?.reveal() ?? fields['access-key']);
  const secretKey = trimmedSecret(keys.secretKey?.reveal() ?? fields['secret-key']);
  if (bucket !== '' && accessKey !== undefined && secretKey !== undefined) {
    return { bucket, accessKey, secretKey };
  }
  const given = { bucket, 'access-key': accessKey, 'secret-key': secretKey };
  return required.filter((name) => !given[name]);
}

function withoutSlashes(text: string): string {
  return text.replaceAll(/^\/+|\/+$/gu, '');
}

/** URL of a storage server, without trailing slash. */
export const endpointSchema = v.pipe(
  v.string(),
  v.transform((text) => text.replace(/\/+$/u, '')),
  v.check(
    isHttpUrl,
    ({ input }) => `endpoint is not an http or https URL: "${withoutUser(input)}"`,
  ),
);

export const uriStyleSchema = v.picklist(
  ['host', 'path'],
  ({ received }) => `s3-uri-style is neither host nor path: ${received}`,
);

export const apiVersionSchema = v.picklist(
  ['2', '4'],
  ({ received }) => `s3-api-version is neither 2 nor 4: ${received}`,
);

const retentionText = `delete-older-than-days is not a number from 1 to ${longestRetentionDays}`;

export const retentionSchema = v.pipe(
  v.string(),
  v.regex(/^\d{1,7}$/u, retentionText),
  v.transform(Number),
  v.minValue(1, retentionText),
);

const optionalFields = v.object({
  endpoint: v.optional(endpointSchema, 'https://s3.amazonaws.com'),
  's3-uri-style': v.optional(uriStyleSchema, 'host'),
  's3-api-version': v.optional(apiVersionSchema),
  'delete-older-than-days': v.optional(retentionSchema, String(longestRetentionDays)),
  'tls-ca-chain': v.optional(
    v.pipe(
      v.string(),
      v.transform((text) => listOf(text).map(parsePemChain)),
      v.check((chains) => !chains.includes(undefined), 'tls-ca-chain holds no PEM certificates'),
      v.transform((chains) => chains.flat().join('')),
    ),
  ),
  attributes: v.optional(v.pipe(v.string(), v.transform(listOf)), '[]'),
});

/** Values without surrounding blanks; empty ones are absent. */
function trimmed(bag: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const entries = Object.entries(bag).map(([key, value]) => [key, value.trim()] as const);
  return Object.fromEntries(entries.filter(([, value]) => value !== ''));
}

function trimmedSecret(text: string | undefined): Secret | undefined {
  const kept = text?.trim() ?? '';
  return kept === '' ? undefined : new Secret(kept);
}

/** A JSON array of texts; text that is none stands for itself, as some providers send it. */
function listOf(text: string): readonly string[] {
  const result = v.safeParse(v.pipe(v.string(), v.parseJson(), v.array(v.string())), text);
  return result.success ? result.output : [text];
}

function isHttpUrl(text: string): boolean {
  return /^https?:$/u.test(URL.parse(text)?.protocol ?? '');
}

/** People put keys into URLs; what stands before the `@` is not repeated. */
function withoutUser(url: string): string {
  return url.replace(/^(\w+:\/\/)?.*@/u, '$1');
}
