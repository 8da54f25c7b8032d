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
