// Jest runs tests in a realm of their own, whose `Error` does not know the errors that Node.js
// makes outside of it: a refused connection is no `instanceof Error`, and packages that ask so
// behave in tests as they never do in the charm.

import { isNativeError } from 'node:util/types';

/** Makes `instanceof Error` true for errors of every realm; subclasses stay as strict as before. */
export function recogniseNodeErrors(): void {
  const ordinary = Function.prototype[Symbol.hasInstance];
  Object.defineProperty(Error, Symbol.hasInstance, {
    configurable: true,
    value(this: unknown, value: unknown): boolean {
      return this === Error ? isNativeError(value) : ordinary.call(this, value);
    },
  });
}
