// Both ends of the `s3` interface: where a bucket is and the keys to it. Generation 1 hands the
// keys over in a Juju secret, generation 0 as plain text in the application data bag. Our
// requirer understands either provider and our provider serves either requirer.
// Source: interface documents `s3/v0` and `s3/v1` of charm-relation-interfaces.

import * as v from 'valibot';

import { present } from '../base/present.ts';
import type { Secret } from '../base/secret.ts';
import { readGrantedSecret } from '../juju/granted-secret.ts';
import type { Juju, Relation } from '../juju/juju.ts';
import { secretId } from '../juju/tools/secret.ts';
import { parseS3Fields, type S3Keys, type S3Reading } from './s3-fields.ts';

/** What the requirer would like to have; the provider may decide otherwise. */
export interface S3Wish {
  /** `relation-<relation id>` unless told: generation 0 answers only when a bucket is named. */
  readonly bucket?: string;
  readonly path?: string;
}

/** What the provider hands out; absent fields are removed from the data bag. */
export interface S3Offer {
  readonly accessKey: Secret;
  readonly secretKey: Secret;
  readonly bucket?: string;
  readonly path?: string;
  readonly endpoint?: string;
  readonly region?: string;
  readonly uriStyle?: string;
  readonly storageClass?: string;
  /** PEM blocks. */
  readonly tlsCaChain?: readonly string[];
  readonly apiVersion?: string;
  readonly attributes?: readonly string[];
  readonly deleteOlderThanDays?: number;
}

/** What a requirer has said so far. */
export type S3Request =
  /** Nothing yet: nothing but our generation may be written to it. */
  | { readonly kind: 'silent' }
  | {
      readonly kind: 'asked';
      /** 0 takes plain text, 1 a secret. */
      readonly generation: 0 | 1;
      readonly bucket?: string;
      readonly path?: string;
    };

const libVersion = '1.0';
const keyFields = ['access-key', 'secret-key'] as const;

/** Requirer, any unit: what the provider of the endpoint's relation has given. */
export async function readS3Parameters(juju: Juju, endpoint: string): Promise<S3Reading> {
  const relation = await juju.relation(endpoint);
  if (relation === undefined) return { kind: 'no-relation' };
  const bag = await remoteAppData(relation);
  const uri = bag['secret-extra'];
  return parseS3Fields(bag, uri === undefined ? {} : await readKeys(juju, relation, uri));
}

/**
 * Requirer: asks for storage, safe to repeat. The caller is the leader. Both generations of
 * providers answer: one looks for the bucket, the other for the fields wanted as a secret.
 */
export function requestS3(relation: Relation, wish: S3Wish = {}): void {
  const wanted = { 'requested-secrets': JSON.stringify(keyFields) };
  relation.setApp({
    ...wanted,
    bucket: wish.bucket ?? `relation-${relation.id}`,
    path: wish.path,
    'lib-version': libVersion,
  });
  relation.setUnit(wanted);
}

/** The label of the secret with the keys: the same words on both ends, as other libraries do. */
export function s3SecretLabel(relation: Pick<Relation, 'endpoint' | 'id'>): string {
  return `${relation.endpoint}.${relation.id}.extra.secret`;
}

/** Provider, leader: announces the generation; all that may be written before being asked. */
export function announceS3(relation: Relation): void {
  relation.setApp({ 'lib-version': libVersion });
}

/** Provider: what the requirer on this relation asks for. */
export async function readS3Request(relation: Relation): Promise<S3Request> {
  const bag = await remoteAppData(relation);
  if (!bag['lib-version'] && !bag['bucket']) return { kind: 'silent' };
  return {
    kind: 'asked',
    generation: wantsSecret(bag['requested-secrets']) ? 1 : 0,
    ...(bag['bucket'] ? { bucket: bag['bucket'] } : {}),
    ...(bag['path'] ? { path: bag['path'] } : {}),
  };
}

/** Provider, leader: writes the offer to one relation in the requirer's generation. */
export async function provideS3(
  juju: Juju,
  relation: Relation,
  answer: { readonly generation: 0 | 1; readonly offer: S3Offer },
): Promise<void> {
  const { generation, offer } = answer;
  const keys = { 'access-key': offer.accessKey, 'secret-key': offer.secretKey };
  relation.setApp({
    ...s3OfferFields(offer),
    ...(generation === 1
      ? { ...clearedKeys, 'secret-extra': await shareKeys(juju, relation, keys) }
      : {
          'access-key': offer.accessKey.reveal(),
          'secret-key': offer.secretKey.reveal(),
          'secret-extra': undefined,
        }),
    'lib-version': libVersion,
  });
}

/** Provider, leader: removes the secret of a relation that goes away. */
export async function removeS3Secret(juju: Juju, relation: Relation): Promise<void> {
  const uri = (await relation.data(juju.context.app))['secret-extra'];
  if (uri !== undefined) juju.removeSecret(uri);
}

const clearedKeys = { 'access-key': undefined, 'secret-key': undefined };

/** The offer as text by field name, without the keys. */
export function s3OfferFields(
  offer: Omit<S3Offer, 'accessKey' | 'secretKey'>,
): Readonly<Record<string, string | undefined>> {
  return {
    bucket: offer.bucket,
    path: offer.path,
    endpoint: offer.endpoint,
    region: offer.region,
    's3-uri-style': offer.uriStyle,
    'storage-class': offer.storageClass,
    'tls-ca-chain': listText(offer.tlsCaChain),
    's3-api-version': offer.apiVersion,
    attributes: listText(offer.attributes),
    'delete-older-than-days': offer.deleteOlderThanDays?.toString(),
  };
}

async function shareKeys(
  juju: Juju,
  relation: Relation,
  content: Readonly<Record<string, Secret>>,
): Promise<string> {
  const uri = await juju.setSecret({
    label: s3SecretLabel(relation),
    owner: 'application',
    description: 'Keys to the S3 storage',
    content,
  });
  // Juju writes the same URI in more than one way; the grant was committed together with the bag.
  const known = (await relation.data(juju.context.app))['secret-extra'];
  if (known !== undefined && secretId(known) === secretId(uri)) return known;
  juju.grantSecret(uri, relation);
  return uri;
}

async function readKeys(juju: Juju, relation: Relation, uri: string): Promise<S3Keys> {
  const content = await readGrantedSecret(juju, uri, { label: s3SecretLabel(relation) });
  return present({ accessKey: content?.['access-key'], secretKey: content?.['secret-key'] });
}

async function remoteAppData(relation: Relation): Promise<Readonly<Record<string, string>>> {
  const app = await relation.app();
  return app === undefined ? {} : await relation.data(app);
}

/** Whether the requirer takes its keys as a secret. */
function wantsSecret(text: string | undefined): boolean {
  const schema = v.pipe(v.string(), v.parseJson(), v.array(v.string()));
  const result = v.safeParse(schema, text);
  return result.success && keyFields.every((field) => result.output.includes(field));
}

function listText(list: readonly string[] | undefined): string | undefined {
  return list === undefined || list.length === 0 ? undefined : JSON.stringify(list);
}
