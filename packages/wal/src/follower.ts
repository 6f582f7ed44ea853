/**
 * `follow` as an iterator written by hand: a generator that waits cannot be returned before it has woken up, and a follower
 * waits most of its life.
 */
import { type ReadableLog, readRecords } from './log-reader.js';
import type { Lsn, WalRecordBatch } from './wal-types.js';

/** What a follower asks on top of a reader: how far it may read, and to be woken when that changes. */
export interface FollowableLog extends ReadableLog {
  readonly durable: Lsn;
  readonly closed: boolean;
  /** Makes what is durable readable from the files. */
  write(): void;
  /** Resolves when `durable` has moved or the log has closed. */
  progress(): Promise<void>;
}

export class Follower implements AsyncIterableIterator<WalRecordBatch> {
  private readonly log: FollowableLog;
  private position: Lsn;
  private reading: AsyncGenerator<WalRecordBatch, void, void> | undefined;
  private returned = false;
  private wake: (() => void) | undefined;

  constructor(log: FollowableLog, from: Lsn) {
    this.log = log;
    this.position = from;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<WalRecordBatch, undefined>> {
    while (!this.returned) {
      if (this.reading === undefined) {
        const upTo = this.log.durable;
        if (this.position >= upTo) {
          if (this.log.closed) break;
          await this.wait();
          continue;
        }
        if (!this.log.closed) this.log.write();
        this.reading = readRecords(this.log, this.position, upTo);
        this.position = upTo;
      }
      const step = await this.reading.next();
      if (step.done !== true) return step;
      this.reading = undefined;
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorReturnResult<undefined>> {
    this.returned = true;
    this.wake?.();
    await this.reading?.return();
    return { done: true, value: undefined };
  }

  private wait(): Promise<void> {
    return new Promise((resolve) => {
      this.wake = resolve;
      void this.log.progress().then(resolve);
    });
  }
}
