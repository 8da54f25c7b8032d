/**
 * The one door to everything that the local cloud is made of: programs and images, built or found
 * in the cache. Starting them is the business of others.
 */

import type { Progress } from './progress.ts';

export interface ImageArchives {
  readonly pause: string;
  readonly jujud: string;
  readonly charmBase: string;
  readonly workload: string;
}

export interface ImageNames {
  readonly pause: string;
  readonly jujud: string;
  /** One archive under several names: the charm bases that Juju may ask for. */
  readonly charmBase: readonly string[];
  readonly workload: string;
}

export interface Artifacts {
  /** Changes when any part changes: state made with one key does not fit another. */
  readonly key: string;
  /** One folder with every program. */
  readonly binDir: string;
  /** Paths of image archives for `ctr images import`. */
  readonly images: ImageArchives;
  /** The names, with tags, that the archives import as. */
  readonly imageNames: ImageNames;
}

export const imageNames: ImageNames = {
  pause: 'docker.io/local/pause:1',
  jujud: 'ghcr.io/juju/jujud-operator:4.1-beta2',
  charmBase: ['ghcr.io/juju/charm-base:ubuntu-24.04', 'ghcr.io/juju/charm-base:ubuntu-22.04'],
  workload: 'docker.io/local/charmed-postgresql:17',
};

/** Builds what is missing and returns where everything is. */
export async function ensureArtifacts(_progress: Progress): Promise<Artifacts> {
  throw new Error('cannot build the local cloud: not written yet');
}
