// Pebble in memory, for scenarios and for tests of whatever talks to Pebble. It starts from a plain
// state, answers like the real one (one contract suite runs against both), and gives the new state.
// Programs of the image are stood in for by responders; a command that no responder knows fails the
// test. Nothing takes time here, and a service that starts stays up unless its state says otherwise.

import type { ExecOptions, ExecResult, Pebble } from '../../lib/pebble/pebble.ts';
import type { PebbleState } from './pebble-state.ts';

export interface ExecCall {
  readonly command: readonly string[];
  readonly user?: string;
  readonly group?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly stdin?: string;
  readonly timeoutMs: number;
}

/** What a program did; zero and no output unless told. */
export type ExecAnswer = Partial<ExecResult>;

/** Stands in for one program. */
export interface ExecResponder {
  /** Answers commands that start with these words; the longest match wins. */
  readonly command: readonly string[];
  /** May change the container through `fake.update`, and may throw a `PebbleError`. */
  readonly respond: (call: ExecCall, fake: FakePebble) => ExecAnswer | Promise<ExecAnswer>;
}

/** A call that changes something, as it was made; what it did is in the state. */
export type PebbleCall =
  | { readonly kind: 'exec'; readonly call: ExecCall; readonly exitCode: number }
  | { readonly kind: 'add-layer'; readonly label: string }
  | {
      readonly kind: 'replan';
      readonly restarted: readonly string[];
      readonly started: readonly string[];
    }
  | { readonly kind: 'start' | 'stop' | 'restart'; readonly services: readonly string[] }
  | { readonly kind: 'signal'; readonly name: string; readonly services: readonly string[] }
  | { readonly kind: 'push' | 'make-dir' | 'remove'; readonly path: string }
  | { readonly kind: 'notify'; readonly key: string };

export interface FakePebbleOptions {
  readonly container: string;
  readonly state?: Partial<PebbleState>;
  readonly execs?: readonly ExecResponder[];
}

export interface FakePebble extends Pebble {
  /** The state now, in normal form. */
  state(): PebbleState;
  /** Changes the state from outside, as a program in the container would. */
  update(change: (state: PebbleState) => PebbleState): void;
  /** Calls that changed something, in order. */
  readonly calls: readonly PebbleCall[];
  /** The commands that ran, in order. */
  readonly execs: readonly ExecCall[];
  /** Commands without a responder. Each also threw; the kit checks that this is empty. */
  readonly unexpected: readonly string[];
}

/** A container's Pebble in the given state. */
export declare function createFakePebble(options: FakePebbleOptions): FakePebble;
export type { ExecOptions };
