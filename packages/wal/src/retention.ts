/**
 * Who still needs old records: named retentions with a limit each, and readers under way.
 *
 * A retention is a promise with a price: a follower that is gone for good must not fill the disk. Past its limit it is
 * dropped, by name, in the log port; what it wanted may go. Readers of this process pin what they read and have no limit,
 * since they hold it for the length of a loop and not of an outage.
 */
import { type Logger, PhantomError, SqlState } from '@phantom/base';
import type { Lsn, Retention } from './wal-types.js';

/** Retentions of one log at most: a leak shows here before it shows on the disk. */
const RETENTIONS_MAX = 1000;

class NamedRetention implements Retention {
  readonly name: string;
  readonly bytesMax: number;
  from: Lsn;
  dropped = false;
  private readonly owner: Set<NamedRetention>;

  constructor(name: string, from: Lsn, bytesMax: number, owner: Set<NamedRetention>) {
    this.name = name;
    this.from = from;
    this.bytesMax = bytesMax;
    this.owner = owner;
  }

  advance(from: Lsn): void {
    if (from > this.from) this.from = from;
  }

  release(): void {
    this.owner.delete(this);
  }
}

/** A reader's hold on what it reads; the reader moves `from`. */
export interface ReaderPin {
  from: Lsn;
}

export class Retentions {
  private readonly named = new Set<NamedRetention>();
  private readonly readers = new Set<ReaderPin>();
  private readonly logger: Logger;

  constructor(logger: Logger) {
    this.logger = logger;
  }

  retain(name: string, from: Lsn, bytesMax: number, start: Lsn): Retention {
    if (from < start) {
      throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, `the log no longer has LSN ${from}`, {
        detail: `It begins at LSN ${start}; "${name}" cannot keep what is gone.`,
      });
    }
    if (this.named.size >= RETENTIONS_MAX) {
      throw new PhantomError(SqlState.ConfigurationLimitExceeded, `a log has at most ${RETENTIONS_MAX} retentions`);
    }
    const retention = new NamedRetention(name, from, bytesMax, this.named);
    this.named.add(retention);
    return retention;
  }

  pin(from: Lsn): ReaderPin {
    const pin = { from };
    this.readers.add(pin);
    return pin;
  }

  unpin(pin: ReaderPin): void {
    this.readers.delete(pin);
  }

  /** Drops every retention that holds more than it may, with the log ending at `end`. */
  enforce(end: Lsn): void {
    for (const retention of this.named) {
      if (end - retention.from <= retention.bytesMax) continue;
      retention.dropped = true;
      this.named.delete(retention);
      this.logger.warn('dropped a log retention that was past its limit', {
        name: retention.name,
        from: retention.from,
        end,
        bytesMax: retention.bytesMax,
      });
    }
  }

  /** The first position that somebody needs; infinite when nobody does. */
  get from(): Lsn {
    let from = Number.POSITIVE_INFINITY;
    for (const retention of this.named) if (retention.from < from) from = retention.from;
    for (const reader of this.readers) if (reader.from < from) from = reader.from;
    return from;
  }
}
