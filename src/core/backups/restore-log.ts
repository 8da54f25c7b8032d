// Why a restore failed, in the words of pgBackRest or PostgreSQL, from what they have logged. Pure.

/** Of PostgreSQL to those who come too early, or because it ends. */
const unrelated =
  /database system is (starting up|shutting down|not (yet )?accepting connections|in recovery)|terminating .* due to|connection to client lost|recovery mode/;

const reasonLength = 200;

export interface LogText {
  /** What Patroni's service and the programs that it runs have written since the restore began. */
  readonly output: string;
  /** PostgreSQL's own log, which may begin earlier. */
  readonly server: string;
}

/** Of pgBackRest. */
const copyError = /^(?:.*P\d+ +)?ERROR: (\[\d+\]: .*)$/;

/** Whether pgBackRest has said why it fails. */
export function namesError(output: string): boolean {
  return messagesIn(output, copyError).length > 0;
}

/** The last error since then; `undefined` when nobody has named one. */
export function failureReason({ output, server }: LogText, sinceMs: number): string | undefined {
  const text = `${output}\n${linesSince(server, sinceMs)}`;
  // Without a time in front of it on the standard error.
  const errors = messagesIn(text, copyError);
  const fatal = messagesIn(text, /(?:FATAL|PANIC): +(.*)$/);
  // That a file of WAL is not there is no error of pgBackRest's: if there is one, it is the cause.
  const reason = errors.at(-1) ?? fatal.findLast((one) => !unrelated.test(one));
  return reason?.slice(0, reasonLength);
}

/** From the first line on that tells a later time. Programs that PostgreSQL runs tell none. */
function linesSince(text: string, sinceMs: number): string {
  const lines = text.split('\n');
  const first = lines.findIndex((line) => {
    const [, time] = /^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)/.exec(line) ?? [];
    // Times of log lines are whole seconds.
    return time !== undefined && Date.parse(`${time.replace(' ', 'T')}Z`) + 999 >= sinceMs;
  });
  return first < 0 ? '' : lines.slice(first).join('\n');
}

function messagesIn(text: string, form: RegExp): readonly string[] {
  return text.split('\n').flatMap((line) => form.exec(line)?.[1]?.trim() ?? []);
}

/**
 * Those of PostgreSQL's log files that were begun between two moments, oldest first. Each hour has one,
 * `postgresql-Sat_1700.log`, and more when it starts or has much to say.
 */
export function serverLogsOf(
  names: readonly string[],
  fromMs: number,
  toMs: number,
): readonly string[] {
  return hoursOf(fromMs, toMs).flatMap((hour) =>
    names
      .filter((name) => name.startsWith(`postgresql-${hour}`) && name.endsWith('.log'))
      .toSorted(),
  );
}

/** `Sat_17`; each at most once. */
function hoursOf(fromMs: number, toMs: number): readonly string[] {
  const hours: string[] = [];
  const last = Math.min(toMs, fromMs + 6 * 24 * hourMs);
  for (let at = fromMs - (fromMs % hourMs); at <= last; at += hourMs) {
    const moment = new Date(at);
    const hour = String(moment.getUTCHours()).padStart(2, '0');
    hours.push(`${days[moment.getUTCDay()]}_${hour}`);
  }
  return hours;
}

const hourMs = 3_600_000;
const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
