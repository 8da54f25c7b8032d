// Reads that happen at most once per dispatch.

/** A function that loads the value of each key once; a failed load is tried again when asked. */
export function oncePerKey<T>(
  load: (key: string) => Promise<T>,
): ((key: string) => Promise<T>) & { readonly set: (key: string, value: T) => void } {
  const loaded = new Map<string, Promise<T>>();
  const read = async (key: string): Promise<T> => {
    const known = loaded.get(key);
    if (known !== undefined) return await known;
    const loading = load(key);
    loaded.set(key, loading);
    try {
      return await loading;
    } catch (error) {
      loaded.delete(key);
      throw error;
    }
  };
  const set = (key: string, value: T) => {
    loaded.set(key, Promise.resolve(value));
  };
  return Object.assign(read, { set });
}

/** A function that loads one value once. */
export function onceOnly<T>(
  load: () => Promise<T>,
): (() => Promise<T>) & { readonly set: (value: T) => void } {
  const perKey = oncePerKey(load);
  return Object.assign(async () => await perKey(''), {
    set: (value: T) => {
      perKey.set('', value);
    },
  });
}
