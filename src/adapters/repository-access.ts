// Whether the keys to the repository may write.

import type { S3Parameters } from '../../lib/interfaces/s3-fields.ts';
import type { PostgresqlHook } from './cluster.ts';
import { objectKey, openRepositoryStore } from './repository.ts';

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
