// Whether the repository answers, and whether its keys may write.

import type { S3Parameters } from '../../lib/interfaces/s3-fields.ts';
import type { PostgresqlHook } from './cluster.ts';
import { ObjectStoreError } from './object-store-error.ts';
import { objectKey, openRepositoryStore } from './repository.ts';

/**
 * Tells at once what pgBackRest finds out after minutes: rejects with `ObjectStoreError` when nobody
 * answers. Whatever else is wrong is pgBackRest's to say.
 */
export async function checkReachable(
  hook: PostgresqlHook,
  parameters: S3Parameters,
): Promise<void> {
  try {
    await openRepositoryStore(hook, parameters).list(objectKey(parameters, 'backup/'));
  } catch (error) {
    if (!(error instanceof ObjectStoreError) || error.code === 'unreachable') throw error;
  }
}

/** Rejects with `ObjectStoreError`. */
export async function checkWritable(
  hook: PostgresqlHook,
  parameters: S3Parameters,
  stanza: string,
): Promise<void> {
  const { unit, modelName } = hook.juju.context;
  const text = `Restore requested by ${unit} of model ${modelName}\n`;
  const store = openRepositoryStore(hook, parameters);
  await store.put(objectKey(parameters, `backup/${stanza}/restore`), text);
}
