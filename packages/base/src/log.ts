/** The log port: what an operator reads. Libraries say it here; the daemon gives it to pino, tests keep it, others drop it. */
export type LogFields = Readonly<Record<string, unknown>>;

export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

const ignore = (): void => undefined;

/** Drops everything: the default of embedded use. */
export const silentLogger: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
