// The one way to Juju's hook tools. The real port starts a process for each call; the scenario kit
// answers from memory with the same texts and exit codes.

export interface HookToolCall {
  /** `relation-get`, `secret-add`, … */
  readonly tool: string;
  readonly args: readonly string[];
  readonly stdin?: string;
  /**
   * Text that may not stand in an argument list: the port writes it to a file that only this user
   * can read, adds `--file <path>` in front of the arguments and removes the file afterwards.
   */
  readonly privateFile?: string;
}

export interface HookToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs one hook tool to its end. Rejects only when the tool could not be started or timed out. */
export type HookToolPort = (call: HookToolCall) => Promise<HookToolResult>;
