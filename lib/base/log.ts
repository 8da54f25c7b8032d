// Log levels and the sink that everything writes to; in a hook the sink is juju-log.

export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'WARNING' | 'ERROR';

/** Takes one message; what it does with it may be asynchronous, but order is kept. */
export type Log = (level: LogLevel, message: string) => void;
