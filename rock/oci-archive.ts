/**
 * Image archives: a tar file with a manifest, an image configuration and one tar file per layer, as
 * container runtimes import them. The same content gives the same archive, byte for byte.
 */

import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';

import type { ContainerConfig } from './recipe.ts';

/** Runs a program to its end; fails when the program fails. */
export type Run = (file: string, args: readonly string[]) => Promise<void>;

export interface ImageContent {
  readonly imageNames: readonly string[];
  /** Go's name of the processor architecture. */
  readonly architecture: string;
  readonly config: ContainerConfig;
  /** Digests of the layers, lowest first. */
  readonly layers: readonly string[];
}

export interface LayerSource {
  /** The folder whose content becomes the layer. */
  readonly folder: string;
  /** Left out, as tar patterns such as `./var/log/*`. */
  readonly exclude?: readonly string[];
  /** Newer files get this time, in seconds since 1970. */
  readonly newestTime: number;
}

/** A folder in which an archive comes together. */
export interface Staging {
  readonly folder: string;
  readonly run: Run;
}

/** Packs a folder as a layer and returns its digest. */
export async function addLayer(staging: Staging, source: LayerSource): Promise<string> {
  const file = path.join(staging.folder, 'layer.tar');
  const excludes = (source.exclude ?? []).map((pattern) => `--exclude=${pattern}`);
  const options = [...reproducible(source.newestTime), '--directory', source.folder, ...excludes];
  await staging.run('tar', ['--create', '--file', file, ...options, '.']);
  const digest = await hashFile(file);
  await rename(file, path.join(staging.folder, renderLayerName(digest)));
  return digest;
}

/** Takes over the layers of another archive and returns their digests, lowest first. */
export async function addLayersOf(staging: Staging, archive: string): Promise<readonly string[]> {
  const folder = path.join(staging.folder, 'base');
  await mkdir(folder);
  await staging.run('tar', ['--extract', '--file', archive, '--directory', folder]);
  const names = parseLayerNames(await readFile(path.join(folder, 'manifest.json'), 'utf8'));
  for (const name of names) await rename(path.join(folder, name), path.join(staging.folder, name));
  await rm(folder, { recursive: true });
  return names.map((name) => path.basename(name, '.tar'));
}

/** Writes the archive of an image whose layers have been added; the staging folder's are used up. */
export async function writeArchive(
  staging: Staging,
  content: ImageContent,
  outFile: string,
): Promise<void> {
  const config = renderImageConfig(content);
  const configName = `${createHash('sha256').update(config).digest('hex')}.json`;
  await writeFile(path.join(staging.folder, configName), config);
  await writeFile(path.join(staging.folder, 'manifest.json'), renderManifest(content, configName));
  const names = ['manifest.json', configName, ...new Set(content.layers.map(renderLayerName))];
  const options = [...reproducible(0), '--mode=0644', '--directory', staging.folder];
  await staging.run('tar', ['--create', '--file', outFile, ...options, ...names]);
}

export function renderImageConfig(content: ImageContent): string {
  const { architecture, config, layers } = content;
  return JSON.stringify({
    architecture,
    os: 'linux',
    config: {
      Entrypoint: config.entrypoint,
      WorkingDir: config.workingFolder,
      Env: Object.entries(config.environment).map(([name, value]) => `${name}=${value}`),
    },
    rootfs: { type: 'layers', diff_ids: layers.map((digest) => `sha256:${digest}`) },
  });
}

export function renderManifest(content: ImageContent, configName: string): string {
  return JSON.stringify([
    {
      Config: configName,
      RepoTags: content.imageNames,
      Layers: content.layers.map(renderLayerName),
    },
  ]);
}

export function renderLayerName(digest: string): string {
  return `${digest}.tar`;
}

function parseLayerNames(manifest: string): readonly string[] {
  const parsed: unknown = JSON.parse(manifest);
  const image: unknown = Array.isArray(parsed) ? parsed[0] : undefined;
  const layers: unknown =
    typeof image === 'object' && image !== null ? Reflect.get(image, 'Layers') : undefined;
  if (!Array.isArray(layers) || !layers.every((name) => typeof name === 'string')) {
    throw new Error('cannot read the image archive: its manifest has no list of layers');
  }
  return layers;
}

function reproducible(newestTime: number): readonly string[] {
  return [
    '--sort=name',
    '--numeric-owner',
    '--clamp-mtime',
    `--mtime=@${newestTime}`,
    '--format=gnu',
  ];
}

async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
