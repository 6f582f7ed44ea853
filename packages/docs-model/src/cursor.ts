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

/** Runs whose cursor is gone though nobody has closed it: what they pin and hold is freed when the collector notices. */
const abandoned = new FinalizationRegistry<Batches<unknown>>((running) => running.close());

/** What is all there already. */
export function batchesOf<T>(documents: readonly T[]): Batches<T> {
  let from = 0;
  return {
    batch: (documentsMax) => documents.slice(from, (from += documentsMax)),
    close: () => undefined,
  };
}

function mappedBatches<T, R>(batches: Batches<T>, change: (document: T) => R): Batches<R> {
  return {
    batch: (documentsMax) => {
      const batch = batches.batch(documentsMax);
      return batch instanceof Promise ? batch.then((documents) => documents.map(change)) : batch.map(change);
    },
    close: () => batches.close(),
  };
}

export class DocumentCursor<T> implements AsyncIterable<T> {
  protected started = false;
  private readonly open: () => Batches<T> | Promise<Batches<T>>;
  private running: Batches<T> | undefined;
  /** What `hasNext` has met. */
  private ahead: T[] = [];

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
    const whole = this.started ? undefined : this.whole();
    if (whole !== undefined) {
      this.started = true;
      this.running = batchesOf<T>([]);
      return whole;
    }
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

  /** Whether there is a next document; it is read, and given by whatever reads on. */
  async hasNext(): Promise<boolean> {
    if (this.ahead.length === 0) this.ahead = await this.nextBatch(1);
    if (this.ahead.length === 0) this.close();
    return this.ahead.length > 0;
  }

  /** Calls back with every document in turn, waiting for promises; ends early where it is given `false`, as MongoDB's does. */
  async forEach(take: (document: T) => unknown): Promise<void> {
    for await (const document of this) if ((await take(document)) === false) return;
  }

  /** A cursor over what becomes of each document. This one is done with: say what is asked (`sort`, `limit`) before. */
  map<R>(change: (document: T) => R): DocumentCursor<R> {
    this.checkNotStarted();
    this.started = true;
    const { open } = this;
    return new DocumentCursor<R>(() => {
      const opened = open();
      return opened instanceof Promise
        ? opened.then((batches) => mappedBatches(batches, change))
        : mappedBatches(opened, change);
    });
  }

  /** Every document, where they can be had without opening anything. Asked before the cursor has begun, and once. */
  protected whole(): T[] | undefined {
    return undefined;
  }

  /** Frees what the cursor pins. Safe to call twice. */
  close(): void {
    if (this.running === undefined) return;
    abandoned.unregister(this);
    this.running.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  private nextBatch(documentsMax: number): T[] | Promise<T[]> {
    this.started = true;
    if (this.ahead.length > 0) {
      const { ahead } = this;
      this.ahead = [];
      return ahead;
    }
    if (this.running === undefined) {
      const opened = this.open();
      if (opened instanceof Promise) {
        return opened.then((running) => {
          this.pin(running);
          return running.batch(documentsMax);
        });
      }
      this.pin(opened);
      return opened.batch(documentsMax);
    }
    return this.running.batch(documentsMax);
  }

  private pin(running: Batches<T>): void {
    this.running = running;
    abandoned.register(this, running, this);
  }

  protected checkNotStarted(): void {
    if (this.started) throw badArgument('the cursor has begun to read: its query cannot be changed any more');
  }
}
