/**
 * Cursors: what `find` and `aggregate` give. Nothing is read until the first document is asked for; documents come in batches,
 * so a result of any size takes level memory. A cursor that commits by itself reads one moment, from its first document to
 * its last, and frees it at the end (or when the loop over it is left, or by `close`).
 */
import { badArgument } from './errors.js';

/** A run of a query. */
export interface Batches<T> {
  /** The next documents, none at the end. No promise where nothing has to be waited for. */
  batch(documentsMax: number): T[] | Promise<T[]>;
  close(): void;
}

const BATCH_DOCUMENTS = 256;

export class DocumentCursor<T> implements AsyncIterable<T> {
  protected started = false;
  private readonly open: () => Batches<T> | Promise<Batches<T>>;
  private running: Batches<T> | undefined;

  constructor(open: () => Batches<T> | Promise<Batches<T>>) {
    this.open = open;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<T, void, undefined> {
    try {
      for (;;) {
        const batch = await this.nextBatch(BATCH_DOCUMENTS);
        if (batch.length === 0) return;
        yield* batch;
      }
    } finally {
      this.close();
    }
  }

  /** Every document. */
  async toArray(): Promise<T[]> {
    const all: T[] = [];
    try {
      for (;;) {
        const next = this.nextBatch(BATCH_DOCUMENTS);
        const batch = next instanceof Promise ? await next : next;
        if (batch.length === 0) return all;
        for (const document of batch) all.push(document);
      }
    } finally {
      this.close();
    }
  }

  /** The next document, null at the end. */
  async next(): Promise<T | null> {
    const batch = await this.nextBatch(1);
    if (batch.length === 0) this.close();
    return batch[0] ?? null;
  }

  /** Frees what the cursor pins. Safe to call twice. */
  close(): void {
    this.running?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  private nextBatch(documentsMax: number): T[] | Promise<T[]> {
    this.started = true;
    if (this.running === undefined) {
      const opened = this.open();
      if (opened instanceof Promise) {
        return opened.then((running) => {
          this.running = running;
          return running.batch(documentsMax);
        });
      }
      this.running = opened;
    }
    return this.running.batch(documentsMax);
  }

  protected checkNotStarted(): void {
    if (this.started) throw badArgument('the cursor has begun to read: its query cannot be changed any more');
  }
}
