// The process itself: its environment and its exit code. Only entry points use this.

/** The environment, as it was when the process started. */
export function environment(): NodeJS.ProcessEnv {
  return { ...process.env };
}

/** The exit code, once everything that is still under way has ended. */
export function exitWith(code: number): void {
  process.exitCode = code;
}
