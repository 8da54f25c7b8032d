// Which repository is meant: the same one has the same identity in every hook. Pure.

import { fingerprint } from '../../../lib/base/fingerprint.ts';

export interface RepositoryPlace {
  readonly endpoint: string;
  readonly bucket: string;
  readonly path: string;
}

/** Tells repositories apart: where the objects are, and the stanza that is ours there. */
export function repositoryIdentity(
  { endpoint, bucket, path }: RepositoryPlace,
  stanza: string,
): string {
  return fingerprint(JSON.stringify([endpoint, bucket, path, stanza]));
}

/** Whether pgBackRest's file, as it was rendered, names this place. */
export function namesPlace(config: string, { endpoint, bucket, path }: RepositoryPlace): boolean {
  const lines = config.split('\n');
  return [
    `repo1-s3-endpoint=${endpoint}`,
    `repo1-s3-bucket=${bucket}`,
    `repo1-path=${path === '' ? '/' : path}`,
  ].every((line) => lines.includes(line));
}
