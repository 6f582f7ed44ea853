/**
 * What a session tells of itself to pg_stat_activity: from where it came, since when, and what it runs or ran last.
 *
 * A statement of one row by key is over before anybody could look, so only its text is kept: reading the clock would cost more
 * than it tells.
 */
import type { ConnectionEnds } from '../functions/registry.js';
import type { ServerFacts } from './server-facts.js';

/** A longer text is kept by its beginning: an idle session does not hold a script of megabytes. */
const TEXT_CHARACTERS_MAX = 16 * 1024;

export class SessionActivity {
  /** Milliseconds since 1970. */
  readonly beganMs: number;
  /** Undefined within the process. */
  readonly connection: ConnectionEnds | undefined;
  /** What serves it; undefined within the process. */
  readonly server: ServerFacts | undefined;
  private text = '';
  private startedMs: number | undefined;

  constructor(nowMs: number, connection: ConnectionEnds | undefined, server: ServerFacts | undefined) {
    this.beganMs = nowMs;
    this.connection = connection;
    this.server = server;
  }

  /** Text of the statement that runs or ran last. */
  get statementText(): string {
    return this.text;
  }

  /** When it began, in milliseconds since 1970; undefined before the first one and for one row by key. */
  get statementStartMs(): number | undefined {
    return this.startedMs;
  }

  /** A statement begins. */
  begin(text: string, nowMs?: number): void {
    this.text = text.length > TEXT_CHARACTERS_MAX ? beginningOf(text) : text;
    this.startedMs = nowMs;
  }
}

/** A copy: a slice would keep the whole. */
function beginningOf(text: string): string {
  return Buffer.from(text.slice(0, TEXT_CHARACTERS_MAX)).toString();
}
