// Optional properties are absent or hold a value, never `undefined`; this makes them so.

type Present<T> = { [K in keyof T]?: Exclude<T[K], undefined> };

/** The properties that hold something other than `undefined`. */
export function present<T extends object>(fields: T): Present<T> {
  const kept: Present<T> = {};
  for (const key in fields) {
    const value = fields[key];
    if (isPresent(value)) kept[key] = value;
  }
  return kept;
}

function isPresent<T>(value: T): value is Exclude<T, undefined> {
  return value !== undefined;
}
