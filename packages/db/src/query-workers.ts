/**
 * Threads for costly reads, so that the database's own goes on to serve others: each runs one read at a time, over a view that
 * stays pinned here until it has ended. A read that finds no thread free runs in this one, as all of them do where there are none.
 *
 * Invariants:
 *   1. A view is released, and the copies of its deltas given back, when its thread no longer reads: it has answered, or is gone.
 *   2. A thread that dies takes the read that it runs with it (58000), and nothing else; the next read starts another one. What has
 *      filled its heap (53200) is not tried again in this thread, whose end would be that of the process.
 *   3. A read that is closed has ended a second later: a thread that does not answer by then, since it is in the middle of one long call, is
 *      ended.
 *   4. The process may exit while no read is under way.
 */
import { PhantomError, SqlState, isPhantomError } from '@phantom/base';
import type { ViewShare } from '@phantom/kv';
import { type WorkerCall, WorkerThread } from '@phantom/runs';
import type { ReadView, ReadWorkers, RemoteOutcome, RemoteRead, RemoteRows } from '@phantom/sql';
import { ReaderRests } from './reader-rests.js';
import { SCRATCH_FOLDER } from './scratch-files.js';
import type { ReadInput } from './worker-main.js';
import type { ReadingPlace } from './reading-thread.js';

export interface QueryWorkersOptions {
  readonly threadsMax: number;
  /** Estimated cost from which on a read is given to a thread. */
  readonly costMin: number;
  readonly place: Omit<ReadingPlace, 'scratchFolder'>;
  /** How many statements this thread has begun. */
  readonly statements: () => number;
}

/** How long whoever waits for a thread to become free waits at most: one that serves an idle client may be busy for hours. */
const FREE_WAIT_MS_MAX = 5000;

/** How long a thread whose read nobody wants any more may go on with it: what does not rest has to be ended with the thread. */
const END_WAIT_MS_MAX = 1000;

interface ReadingWorker {
  readonly thread: WorkerThread;
  readonly scratchFolder: string;
  readonly rests: ReaderRests;
  /** Called when it has become free. */
  readonly onFree: () => void;
  /** What it runs; undefined also when nobody wants more of that, and it is about to end. */
  reading: ReadingRows | undefined;
}

export class QueryWorkers implements ReadWorkers {
  readonly costMin: number;
  readonly threadsMax: number;
  private readonly options: QueryWorkersOptions;
  private readonly workers: ReadingWorker[] = [];
  private readonly rests: ReaderRests;
  private source: string | undefined = undefined;
  private loading: Promise<void> | undefined = undefined;
  private isLoaded = false;
  private isClosed = false;
  /** Those that wait for a thread to become free. */
  private readonly waiting = new Set<() => void>();

  constructor(options: QueryWorkersOptions) {
    this.options = options;
    this.costMin = options.costMin;
    this.threadsMax = options.threadsMax;
    this.rests = new ReaderRests(options.statements);
  }

  begin(read: RemoteRead, view: ReadView): RemoteRows | Promise<void> | undefined {
    if (this.isClosed || view.share === undefined) return undefined;
    if (!this.isLoaded) return this.load();
    const worker = this.freeWorker();
    return worker === undefined ? undefined : new ReadingRows(worker, this.options.place, read, new HandOver(view));
  }

  beginAll(read: RemoteRead, view: ReadView, threadsMax: number): readonly RemoteRows[] | Promise<void> {
    if (this.isClosed || view.share === undefined) return [];
    if (!this.isLoaded) return this.load();
    const handOver = new HandOver(view);
    const begun: RemoteRows[] = [];
    while (begun.length < threadsMax) {
      const worker = this.freeWorker();
      if (worker === undefined) break;
      begun.push(new ReadingRows(worker, this.options.place, read, handOver));
    }
    return begun;
  }

  whenFree(): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        this.waiting.delete(end);
        resolve();
      };
      const timer = setTimeout(end, FREE_WAIT_MS_MAX);
      this.waiting.add(end);
    });
  }

  /** Ends the threads; reads under way end with 58000. */
  async close(): Promise<void> {
    this.isClosed = true;
    await Promise.all(this.workers.map(({ thread }) => thread.terminate()));
  }

  private load(): Promise<void> {
    this.loading ??= import('./worker-source.js').then(({ WORKER_SOURCE }) => {
      this.source = WORKER_SOURCE;
      this.isLoaded = true;
    });
    return this.loading;
  }

  /** The first one, so that the same caches and plans are used again. */
  private freeWorker(): ReadingWorker | undefined {
    const { workers, source } = this;
    const idle = workers.find(({ reading }) => reading === undefined);
    if (idle !== undefined || source === undefined || workers.length >= this.threadsMax) return idle;
    const number = workers.length + 1;
    const thread = new WorkerThread(`reader-${number}`, source);
    const scratchFolder = `${SCRATCH_FOLDER}-${number}`;
    const onFree = (): void => {
      const [first] = this.waiting;
      first?.();
    };
    const worker: ReadingWorker = { thread, scratchFolder, rests: this.rests, onFree, reading: undefined };
    workers.push(worker);
    return worker;
  }
}

/** A view on its way to the threads that read by it: described once, and given back when the last of them is done. */
class HandOver {
  readonly view: ReadView;
  private readers = 0;
  private share: Promise<ViewShare> | undefined = undefined;

  constructor(view: ReadView) {
    this.view = view;
  }

  /** Begins to read: `end` is due. */
  begin(): void {
    this.readers++;
    this.view.retain();
  }

  async descriptor(): Promise<unknown> {
    this.share ??= this.view.share?.();
    return (await this.share)?.descriptor;
  }

  end(): void {
    this.view.release();
    if (--this.readers === 0) void this.share?.then((share) => share.release()).catch(() => undefined);
  }
}

/** A read under way in a worker. */
class ReadingRows implements RemoteRows {
  outcome: RemoteOutcome | undefined = undefined;
  isLost = false;
  onEnd: () => void = () => undefined;
  private readonly worker: ReadingWorker;
  private readonly handOver: HandOver;
  private readonly isShared: boolean;
  private readonly blocks: Uint8Array[] = [];
  private call: WorkerCall<RemoteOutcome> | undefined = undefined;
  private isEnded = false;
  private isClosed = false;
  /** Ends the thread if it does not end the read. */
  private patience: NodeJS.Timeout | undefined = undefined;
  private failure: unknown = undefined;
  /** Whoever waits for the next block. */
  private wake: () => void = () => undefined;

  constructor(worker: ReadingWorker, place: QueryWorkersOptions['place'], read: RemoteRead, handOver: HandOver) {
    this.worker = worker;
    this.handOver = handOver;
    this.isShared = read.partitions !== undefined;
    handOver.begin();
    worker.reading = this;
    void this.run({ ...place, scratchFolder: worker.scratchFolder }, read);
  }

  get slices(): number {
    return this.call?.slices ?? 0;
  }

  next(): Uint8Array | Promise<void> | undefined {
    const block = this.blocks.shift();
    if (block !== undefined) {
      this.call?.taken();
      return block;
    }
    if (this.failure !== undefined) throw this.failure;
    if (this.isEnded) return undefined;
    return new Promise((resolve) => {
      this.wake = resolve;
    });
  }

  close(): void {
    this.isClosed = true;
    // The next read that is shared may be sent behind it: nobody waits for what a thread has not begun with.
    if (this.isShared) this.leaveWorker();
    this.call?.abort();
    if (this.isShared || this.isEnded || this.patience !== undefined) return;
    const { thread } = this.worker;
    this.patience = setTimeout(() => void thread.terminate(), END_WAIT_MS_MAX).unref();
  }

  private leaveWorker(): void {
    if (this.worker.reading !== this) return;
    this.worker.reading = undefined;
    this.worker.onFree();
  }

  private async run(place: ReadingPlace, read: RemoteRead): Promise<void> {
    const { handOver } = this;
    try {
      const view = await handOver.descriptor();
      if (view !== undefined && !this.isClosed) await this.ask({ place, read, view });
    } catch (error) {
      // What a thread makes of files that were taken back does not matter.
      this.failure = handOver.view.ended ?? error;
    } finally {
      clearTimeout(this.patience);
      handOver.end();
      this.leaveWorker();
      this.isEnded = true;
      this.onEnd();
      this.wake();
    }
  }

  private async ask(input: ReadInput): Promise<void> {
    const nothing = (): void => undefined;
    const call = this.worker.thread.call<RemoteOutcome>('read', input, nothing, (block) => {
      this.blocks.push(block);
      this.wake();
    });
    this.call = call;
    this.worker.rests.begin(call);
    try {
      await call.sync();
    } catch (error) {
      if (!call.isLost) throw error;
      if (isPhantomError(error) && error.code === SqlState.OutOfMemory) throw heapIsFull(error);
      this.isLost = true;
      throw new PhantomError(SqlState.SystemError, 'the thread that ran the query has ended', { cause: error });
    } finally {
      this.worker.rests.end(call);
    }
    this.outcome = call.value;
  }
}

function heapIsFull(cause: PhantomError): PhantomError {
  return new PhantomError(SqlState.OutOfMemory, 'the thread that ran the query has ended: its heap was full', {
    hint: 'Have the query keep fewer and smaller values at a time.',
    cause,
  });
}
