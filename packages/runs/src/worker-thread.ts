/**
 * Threads for work on files: flushes, compactions and merges are functions of frozen deltas and immutable files, so another
 * thread can do them while this one goes on. It never syncs: what it has written its caller syncs (so no descriptor is ever
 * synced from two threads), and what it hands back is plain data.
 *
 * ```
 *   this thread                                            worker thread
 *   call: { id, task, input, control }  ──message──►       runs the task, slice by slice; after each slice it looks at
 *                                                          control[ABORT], counts control[BEATS] up, and rests for
 *                                                          control[REST_MS] when it has run for a while
 *   onPiece                             ◄──message──       { id, piece }: as many as PIECES_AHEAD_MAX more than control[TAKEN]
 *   sync: a message, or                 ◄──message──       { id, value or error }, then control[ENDED] = 1, notify
 *   syncNow: Atomics.wait on control[ENDED], then the message is taken off the port
 * ```
 *
 * Invariants:
 *   1. Calls of one thread run in the order in which they were made, one at a time; each ends once.
 *   2. The process may exit while no call is under way (the port is referenced while one is).
 *   3. A thread that dies takes its calls with it (`isLost`: 58000, or 53200 when its heap was full); the next call starts another
 *      one. Whoever waits on the spot for a thread that is silent for too long gives up with 58000.
 *
 * The code of the thread is a string, made by the build (worker-source.ts of each tree), so that it starts alike from an
 * ES module, CommonJS and a bundle. Where the build did not make it there are no threads: `isAvailable` is false.
 */
import { MessageChannel, type MessagePort, Worker, receiveMessageOnPort } from 'node:worker_threads';
import { type ErrorFields, PhantomError, SqlState } from '@phantom/base';
import type { Wait } from './job.js';

export const ENDED = 0;
export const ABORT = 1;
export const BEATS = 2;
export const TAKEN = 3;
export const REST_MS = 4;
const CONTROL_WORDS = 5;

/** Pieces of a result that are on their way: a thread whose reader does not keep up waits. */
export const PIECES_AHEAD_MAX = 8;

/** A thread that gives no sign for so long while somebody waits for it on the spot is taken for hung. */
const SILENCE_MS_MAX = 60_000;
const LOOK_MS = 1000;

/** What a thread is started with. */
export interface ThreadData {
  readonly port: MessagePort;
}

/** A call as it travels. */
export interface CallMessage {
  readonly id: number;
  readonly task: string;
  readonly input: unknown;
  readonly control: Int32Array;
}

/** An error as it travels. */
export interface ThreadError {
  readonly message: string;
  readonly stack: string | undefined;
  /** Undefined for what is no PhantomError. */
  readonly code: string | undefined;
  readonly fields: ErrorFields;
}

export interface ReplyMessage {
  readonly id: number;
  /** A part of what is asked for; the answer is still to come. */
  readonly piece?: Uint8Array;
  readonly value?: unknown;
  readonly error?: ThreadError;
}

/** Work under way in a thread. A job waits for it and then takes its value. */
export class WorkerCall<R> implements Wait {
  readonly task: string;
  readonly control = new Int32Array(new SharedArrayBuffer(CONTROL_WORDS * 4));
  /** The thread died before it answered. Nothing is known of what it has written. */
  isLost = false;
  private readonly thread: WorkerThread;
  private answered = false;
  private answer: unknown = undefined;
  private error: Error | undefined = undefined;
  private readonly ended: Promise<void>;
  private settle: () => void = () => undefined;
  private readonly release: () => void;
  private readonly onPiece: (piece: Uint8Array) => void;

  constructor(thread: WorkerThread, task: string, release: () => void, onPiece: (piece: Uint8Array) => void) {
    this.thread = thread;
    this.task = task;
    this.release = release;
    this.onPiece = onPiece;
    this.ended = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  /** What the task returned; undefined when it has not ended, or not well. */
  get value(): R | undefined {
    return this.answer as R | undefined;
  }

  /** How many slices of the task are done. */
  get slices(): number {
    return Atomics.load(this.control, BEATS);
  }

  async sync(): Promise<void> {
    await this.ended;
    if (this.error !== undefined) throw this.error;
  }

  syncNow(): void {
    let beats = -1;
    let silentMs = 0;
    while (!this.syncNowFor(LOOK_MS)) {
      const now = this.slices;
      silentMs = now === beats ? silentMs + LOOK_MS : 0;
      beats = now;
      if (silentMs >= SILENCE_MS_MAX) {
        throw new PhantomError(SqlState.SystemError, `a worker thread has been silent for ${SILENCE_MS_MAX} ms`);
      }
    }
  }

  syncNowFor(durationMs: number): boolean {
    if (!this.answered) {
      Atomics.wait(this.control, ENDED, 0, durationMs);
      this.thread.receiveNow();
    }
    if (this.answered && this.error !== undefined) throw this.error;
    return this.answered;
  }

  /** How long the task rests after each stretch of work; 0, as at first: not at all. */
  rest(durationMs: number): void {
    Atomics.store(this.control, REST_MS, durationMs);
  }

  abort(): void {
    Atomics.store(this.control, ABORT, 1);
    Atomics.notify(this.control, ABORT);
    // It may be about to wait for its pieces to be taken.
    this.taken();
  }

  /** The reader has done with a piece, so another one may come. */
  taken(): void {
    Atomics.add(this.control, TAKEN, 1);
    Atomics.notify(this.control, TAKEN);
  }

  /** For the thread: a part of the result. */
  receive(piece: Uint8Array): void {
    this.onPiece(piece);
  }

  /** For the thread: what came of it. */
  end(answer: unknown, error: Error | undefined): void {
    this.answered = true;
    this.answer = answer;
    this.error = error;
    this.release();
    this.settle();
  }
}

/** One thread, started by its first call. */
export class WorkerThread {
  private readonly name: string;
  private readonly source: string | undefined;
  private port: MessagePort | undefined = undefined;
  private worker: Worker | undefined = undefined;
  private readonly calls = new Map<number, WorkerCall<unknown>>();
  private nextId = 0;
  /** What the thread died of, as far as that is known. */
  private cause: unknown = undefined;

  /** `source` is the thread's whole program; undefined where there is none. */
  constructor(name: string, source: string | undefined) {
    this.name = name;
    this.source = source;
  }

  get isAvailable(): boolean {
    return this.source !== undefined;
  }

  /** Nothing is asked of it. */
  get isIdle(): boolean {
    return this.calls.size === 0;
  }

  /**
   * Asks the thread for a task. The input is copied, but for what lies in SharedArrayBuffers; `release` is called as soon
   * as the thread no longer reads those, because it has answered or is gone. `onPiece` hears of parts that come before the
   * answer: each is to be answered with `taken`.
   */
  call<R>(
    task: string,
    input: unknown,
    release: () => void = () => undefined,
    onPiece: (piece: Uint8Array) => void = () => undefined,
  ): WorkerCall<R> {
    const port = this.port ?? this.start();
    const call = new WorkerCall<R>(this, task, release, onPiece);
    const id = this.nextId++;
    const { control } = call;
    port.postMessage({ id, task, input, control } satisfies CallMessage);
    this.calls.set(id, call as WorkerCall<unknown>);
    port.ref();
    return call;
  }

  /** Takes the replies that have come in. */
  receiveNow(): void {
    const { port } = this;
    if (port === undefined) return;
    for (;;) {
      const received = receiveMessageOnPort(port) as { readonly message: ReplyMessage } | undefined;
      if (received === undefined) return;
      this.receive(received.message);
    }
  }

  /** Ends the thread; calls under way are lost. */
  async terminate(): Promise<void> {
    await this.worker?.terminate();
  }

  private receive({ id, value, error, piece }: ReplyMessage): void {
    const call = this.calls.get(id);
    if (piece !== undefined) {
      call?.receive(piece);
      return;
    }
    this.calls.delete(id);
    if (this.calls.size === 0) this.port?.unref();
    call?.end(value, error === undefined ? undefined : errorOf(error));
  }

  private start(): MessagePort {
    const { port1: port, port2 } = new MessageChannel();
    const worker = new Worker(this.source as string, {
      eval: true,
      name: `phantom-${this.name}`,
      workerData: { port: port2 } satisfies ThreadData,
      transferList: [port2],
      // Loaders and inspectors of the host are not for this thread.
      execArgv: [],
      env: {},
    });
    port.on('message', (reply: ReplyMessage) => this.receive(reply));
    port.unref();
    this.cause = undefined;
    worker.on('error', (error) => {
      if (this.worker === worker) this.cause = error;
    });
    worker.on('exit', () => this.threadEnded(worker));
    worker.unref();
    this.worker = worker;
    this.port = port;
    return port;
  }

  private threadEnded(worker: Worker): void {
    if (this.worker !== worker) return;
    this.receiveNow();
    this.port?.close();
    this.port = undefined;
    this.worker = undefined;
    const lost = [...this.calls.values()];
    this.calls.clear();
    const { cause, name } = this;
    const [code, end] = isHeapFull(cause)
      ? [SqlState.OutOfMemory, 'has ended: its heap was full']
      : [SqlState.SystemError, 'has ended'];
    for (const call of lost) {
      call.isLost = true;
      call.end(undefined, new PhantomError(code, `the worker thread ${name} ${end}`, { cause }));
    }
  }
}

/** Node ends a thread that way, and nothing else with it. */
function isHeapFull(cause: unknown): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ERR_WORKER_OUT_OF_MEMORY';
}

function errorOf({ message, stack, code, fields }: ThreadError): Error {
  const error = code === undefined ? new Error(message) : new PhantomError(code, message, fields);
  if (stack !== undefined) error.stack = stack;
  return error;
}
