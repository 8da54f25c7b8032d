// What a charm can ask of Pebble, one workload container's supervisor. `client.ts` implements it
// over the unix socket; the scenario kit implements it in memory; one contract suite checks both.
// Times in milliseconds, modes as octal text (`0600`), users and groups by name.
// Source: Pebble's HTTP API.

/** A layer as plain data; sent as JSON, which is valid YAML. */
export interface Layer {
  readonly summary?: string;
  readonly description?: string;
  readonly services?: Readonly<Record<string, LayerService>>;
  readonly checks?: Readonly<Record<string, LayerCheck>>;
  readonly 'log-targets'?: Readonly<Record<string, LayerLogTarget>>;
}

export interface LayerService {
  readonly override: 'replace' | 'merge';
  readonly summary?: string;
  readonly command?: string;
  readonly startup?: 'enabled' | 'disabled';
  readonly after?: readonly string[];
  readonly before?: readonly string[];
  readonly requires?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly user?: string;
  readonly group?: string;
  readonly 'working-dir'?: string;
  readonly 'on-success'?: 'restart' | 'shutdown' | 'failure-shutdown' | 'ignore';
  readonly 'on-failure'?: 'restart' | 'shutdown' | 'success-shutdown' | 'ignore';
  readonly 'on-check-failure'?: Readonly<
    Record<string, 'restart' | 'shutdown' | 'success-shutdown' | 'ignore'>
  >;
  readonly 'backoff-delay'?: string;
  readonly 'backoff-factor'?: number;
  readonly 'backoff-limit'?: string;
  readonly 'kill-delay'?: string;
}

export interface LayerCheck {
  readonly override: 'replace' | 'merge';
  readonly level?: 'alive' | 'ready';
  readonly startup?: 'enabled' | 'disabled';
  readonly period?: string;
  readonly timeout?: string;
  readonly threshold?: number;
  readonly http?: { readonly url: string; readonly headers?: Readonly<Record<string, string>> };
  readonly tcp?: { readonly port: number; readonly host?: string };
  readonly exec?: {
    readonly command: string;
    readonly user?: string;
    readonly group?: string;
    readonly environment?: Readonly<Record<string, string>>;
    readonly 'service-context'?: string;
    readonly 'working-dir'?: string;
  };
}

export interface LayerLogTarget {
  readonly override: 'replace' | 'merge';
  readonly type: 'loki' | 'opentelemetry' | 'syslog';
  readonly location: string;
  readonly services: readonly string[];
  readonly labels?: Readonly<Record<string, string>>;
}

export interface Plan {
  readonly services: Readonly<Record<string, LayerService>>;
  readonly checks: Readonly<Record<string, LayerCheck>>;
  readonly 'log-targets': Readonly<Record<string, LayerLogTarget>>;
}

export interface ServiceInfo {
  readonly name: string;
  readonly startup: 'enabled' | 'disabled';
  readonly current: 'active' | 'inactive' | 'error' | 'backoff';
}

export interface FileInfo {
  readonly path: string;
  readonly name: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'socket' | 'named-pipe' | 'device' | 'unknown';
  readonly sizeBytes?: number;
  /** `0644` */
  readonly mode: string;
  readonly user?: string;
  readonly group?: string;
}

export interface Ownership {
  readonly user?: string;
  readonly group?: string;
  readonly mode?: string;
}

export interface PushOptions extends Ownership {
  /** Makes missing parents: 0755 for a file, the given mode for a directory; owned as given. */
  readonly makeDirs?: boolean;
}

export interface ExecOptions {
  readonly user?: string;
  readonly group?: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly workingDir?: string;
  readonly stdin?: string;
  /** Pebble kills the process after this time; required, nothing runs without a bound. */
  readonly timeoutMs: number;
  /** Kills the process when it aborts; the result is then that of a program that was killed. */
  readonly kill?: AbortSignal;
  /** Called with each complete or partial piece of output as it comes. */
  readonly onStdout?: (text: string) => void;
  readonly onStderr?: (text: string) => void;
  /** Only the listener gets what the program prints; the result has none of it. */
  readonly discardStdout?: boolean;
}

export interface ExecResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CheckInfo {
  readonly name: string;
  readonly status: 'up' | 'down' | 'inactive';
  readonly failures: number;
  readonly threshold: number;
}

export interface Notice {
  readonly id: string;
  readonly type: string;
  readonly key: string;
  readonly lastData: Readonly<Record<string, string>>;
  readonly occurrences: number;
}

/**
 * One container's Pebble. Every method rejects with `PebbleError`: codes `unreachable` (no socket,
 * refused, broken), `timeout`, `not-found`, `permission-denied`, `change-failed` (fields: change id,
 * the failing task's log), `api` (fields: status, kind).
 */
export interface Pebble {
  readonly container: string;
  /** Whether it answers at all; never rejects. */
  canConnect(): Promise<boolean>;
  plan(): Promise<Plan>;
  /** Adds the layer or merges it into the layer of the same label. */
  addLayer(label: string, layer: Layer): Promise<void>;
  services(names?: readonly string[]): Promise<readonly ServiceInfo[]>;
  /**
   * Restarts services whose configuration changed since they were last told to start, starts all
   * that are enabled, and waits for it. A changed service that was stopped on purpose is started
   * too. Starting anything takes at least one second, starting nothing some milliseconds.
   */
  replan(): Promise<void>;
  /**
   * With what they require; those that run are left alone, and count as having the new
   * configuration, so that a later replan leaves them alone too.
   */
  start(...services: readonly string[]): Promise<void>;
  stop(...services: readonly string[]): Promise<void>;
  restart(...services: readonly string[]): Promise<void>;
  signal(name: string, ...services: readonly string[]): Promise<void>;
  /** The file's text, or `undefined` when there is none. */
  pull(path: string): Promise<string | undefined>;
  /** Writes atomically. */
  push(path: string, content: string | Uint8Array, options?: PushOptions): Promise<void>;
  /** The entries of a directory whose names match the pattern (`*.conf`), sorted by name. */
  list(path: string, pattern?: string): Promise<readonly FileInfo[]>;
  /** The entry itself, links followed, or `undefined` when there is none. */
  stat(path: string): Promise<FileInfo | undefined>;
  /** With `makeDirs` also its parents, and one that exists is fine; owner and mode are not changed. */
  makeDir(path: string, options?: PushOptions): Promise<void>;
  /** Removing what is not there is fine with `recursive`. */
  remove(path: string, options?: { readonly recursive?: boolean }): Promise<void>;
  /**
   * Runs a command to its end; a non-zero exit code is a result, not an error (128 + n for signal n).
   * Rejects with `not-found` when there is no such program, with `timeout` when it was killed, also
   * when something that it left behind keeps its output open. Dies with this process.
   */
  exec(command: readonly string[], options: ExecOptions): Promise<ExecResult>;
  checks(): Promise<readonly CheckInfo[]>;
  /** Custom notices that root sent, of the given keys or all. */
  notices(options?: { readonly keys?: readonly string[] }): Promise<readonly Notice[]>;
  notify(key: string, data?: Readonly<Record<string, string>>): Promise<void>;
  health(level: 'alive' | 'ready'): Promise<boolean>;
  /** Last lines of a service's output, newest last. */
  logs(service: string, lines: number): Promise<readonly string[]>;
}
