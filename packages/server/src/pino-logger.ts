/** The log port of the daemon: one JSON object a line, by pino, on stderr or wherever the caller says. */
import type { LogFields, Logger } from '@phantom/base';
import { type DestinationStream, type LevelWithSilent, destination, pino } from 'pino';

const STDERR = 2;

export interface JsonLoggerOptions {
  /** Least level that is written. Default `info`. */
  readonly level?: LevelWithSilent;
  /** Default: stderr, written synchronously, so that the last words of a process are not lost. */
  readonly stream?: DestinationStream;
}

/** A logger that writes JSON lines. Secrets never reach it: nobody logs values or passwords, and of statements only what is left without their constants. */
export function jsonLogger(options: JsonLoggerOptions = {}): Logger {
  const stream = options.stream ?? destination({ fd: STDERR, sync: true });
  const log = pino({ level: options.level ?? 'info', base: { pid: process.pid } }, stream);
  return {
    debug: (message: string, fields: LogFields = {}) => log.debug(fields, message),
    info: (message: string, fields: LogFields = {}) => log.info(fields, message),
    warn: (message: string, fields: LogFields = {}) => log.warn(fields, message),
    error: (message: string, fields: LogFields = {}) => log.error(fields, message),
  };
}
