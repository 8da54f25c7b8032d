// storage-list, storage-get, storage-add. Added storage is asked for when the hook ends well; on
// Kubernetes Juju then refuses it, and with it all that the hook wrote.

import { readJson, runTool } from './call.ts';
import { textAt, toRecord, toTextList } from './json.ts';
import type { HookToolPort } from './port.ts';

/** Attached instances (`data/0`), of one name or of all. */
export async function storageList(port: HookToolPort, name?: string): Promise<readonly string[]> {
  const tool = 'storage-list';
  const args = name === undefined ? [] : [name];
  return toTextList(tool, await readJson(port, { tool, args }));
}

export interface StorageInstance {
  readonly kind: string;
  readonly location?: string;
}

/** Kind and mount point of an instance. */
export async function storageGet(port: HookToolPort, instance: string): Promise<StorageInstance> {
  const tool = 'storage-get';
  const record = toRecord(tool, await readJson(port, { tool, args: ['-s', instance] }));
  const location = textAt(record, 'location');
  return {
    kind: textAt(record, 'kind') ?? 'unknown',
    ...(location === undefined ? {} : { location }),
  };
}

/** Asks for more instances. */
export async function storageAdd(port: HookToolPort, name: string, count: number): Promise<void> {
  await runTool(port, { tool: 'storage-add', args: [`${name}=${count}`] });
}
