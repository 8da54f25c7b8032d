// One place for "on first use": values that cost start-up time are made when somebody asks.

/** A function that calls `make` once and then keeps giving its value. */
export function lazy<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}
