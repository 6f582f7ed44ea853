/**
 * What a client is held to while it rests. It rests after each answer, and its settings change next to never: they are read again
 * only when they have.
 */
import type { DatabaseSession } from './database-session.js';

const MS_PER_SECOND = 1000;

export class IdleLimits {
  /** How long it may rest outside of a transaction; 0 for ever. */
  outsideMs = 0;
  /** How long it may rest inside of one; 0 for ever. */
  withinMs = 0;
  /** Silence after which its machine is asked whether it is still there. */
  keepAliveMs = 0;
  private version = -1;

  /** Reads them, if any setting has changed since the last call. */
  renew(settings: DatabaseSession['settings']): void {
    const { version } = settings;
    if (version === this.version) return;
    this.version = version;
    this.outsideMs = settings.integer('idle_session_timeout');
    this.withinMs = settings.integer('idle_in_transaction_session_timeout');
    this.keepAliveMs = settings.integer('tcp_keepalives_idle') * MS_PER_SECOND;
  }
}
