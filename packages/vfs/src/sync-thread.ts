/**
 * The threads that call fdatasync, and fsync for directories, write the zeros of files that are filled ahead of need, and
 * close files that were removed (which is when the room is given back), so that the event loop never waits for the disk. One thread a lane: `log` and `data`,
 * because the log must not queue behind a checkpoint. libuv's pool is not used: eight busy hashes in it took a log sync
 * from 0.15 to 43 ms.
 *
 * ```
 *   main thread                      SharedArrayBuffer (Int32)                      sync thread
 *   submit: slot[n % 256] = fd  -->  [0] submitted  [1] done  [2] main waits  -->   Atomics.wait on [0]
 *   drain: callbacks in order   <--  slot: descriptor, errno,                 <--   fdatasyncSync, done + 1, notify
 *                                          request, offset, bytes
 * ```
 *
 * Requests go through shared memory and wake the thread with Atomics.notify. Replies of awaited syncs are a message that
 * only says "look": on Node 20 that returned in 46 us where Atomics.waitAsync took 55 (two busy cores, p50 of 20,000).
 * Replies of `syncNow` are an Atomics.wait on [1]; the thread then posts no message, since a synchronous loop of commits
 * would pile them up without ever reading one.
 *
 * Invariants:
 *   1. Requests of a lane are served in the order of submission, one at a time; callbacks run in that order, each once.
 *   2. A descriptor is synced by its lane, awaited or not, while any request for it is under way: the kernel tells each descriptor of
 *      an error once, and of two syncs at a time the wrong one could hear it. Who waits, and finds none under way, syncs by itself.
 *   3. The process may exit while a lane is idle and may not while a request is under way (the worker is referenced then).
 *
 * The thread's source is a string, so that it starts alike from ESM, CommonJS and a bundle. The lanes are one pair per
 * process and not one per Vfs: a Vfs has no end of life at which its threads could be stopped, and a thread costs 20 ms
 * and a few MB. They hold no state besides their queue.
 */
import { Worker } from 'node:worker_threads';

/** Requests in the shared ring; more wait in an ordinary queue. */
const RING_SLOTS = 256;
const SUBMITTED = 0;
const DONE = 1;
const MAIN_WAITS = 2;
const SLOTS_AT = 4;
/** Descriptor, errno, request, offset in units of FILL_UNIT_BYTES, bytes. */
const SLOT_WORDS = 5;

/** What is asked of the thread. */
export const LaneRequest = { SyncData: 0, SyncDirectory: 1, Fill: 2, Close: 3 } as const;
export type LaneRequest = (typeof LaneRequest)[keyof typeof LaneRequest];

/** Places of files are handed over in this unit, so that they fit into 32 bits. */
export const FILL_UNIT_BYTES = 4096;

/** How often syncNow looks before it sleeps: about 20 us, in which a drive with a write cache often answers. */
const SPINS_MAX = 2000;

const THREAD_SOURCE = `
'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { closeSync, fdatasyncSync, fsyncSync, writeSync } = require('node:fs');
let zeros;
function fill(descriptor, from, bytes) {
  zeros ??= Buffer.alloc(256 * 1024);
  let written = 0;
  while (written < bytes) {
    written += writeSync(descriptor, zeros, 0, Math.min(zeros.length, bytes - written), from + written);
  }
}
const shared = new Int32Array(workerData);
let done = 0;
for (;;) {
  Atomics.wait(shared, ${SUBMITTED}, done);
  const submitted = Atomics.load(shared, ${SUBMITTED});
  while (done !== submitted) {
    const slot = ${SLOTS_AT} + ${SLOT_WORDS} * (done & ${RING_SLOTS - 1});
    let errno = 0;
    try {
      const request = shared[slot + 2];
      if (request === ${LaneRequest.SyncData}) fdatasyncSync(shared[slot]);
      else if (request === ${LaneRequest.SyncDirectory}) fsyncSync(shared[slot]);
      else if (request === ${LaneRequest.Close}) closeSync(shared[slot]);
      else fill(shared[slot], shared[slot + 3] * ${FILL_UNIT_BYTES}, shared[slot + 4]);
    } catch (error) {
      errno = typeof error.errno === 'number' && error.errno !== 0 ? error.errno : -5;
    }
    shared[slot + 1] = errno;
    done = (done + 1) | 0;
    Atomics.store(shared, ${DONE}, done);
    if (Atomics.load(shared, ${MAIN_WAITS}) === 0) parentPort.postMessage(0);
    else Atomics.notify(shared, ${DONE});
  }
}
`;

/** Told the result of one sync: 0, or the negative errno of libuv. Called on the main thread, exactly once. */
export type SyncCallback = (errno: number) => void;

interface SyncRequest {
  readonly descriptor: number;
  readonly callback: SyncCallback;
  readonly request: LaneRequest;
  readonly offset: number;
  readonly bytes: number;
}

/** Errno that a request gets when its thread died: EIO, since nothing is known of the data. */
const EIO = -5;

/** One sync thread and its queue. Started by the first request, or ahead of it. */
export class SyncLane {
  private readonly name: string;
  private shared: Int32Array = new Int32Array(0);
  private worker: Worker | undefined;
  /** Requests in the ring, oldest first, then requests for which the ring had no room. */
  private readonly inRing: SyncRequest[] = [];
  private readonly overflow: SyncRequest[] = [];
  private submitted = 0;
  private done = 0;

  constructor(name: string) {
    this.name = name;
  }

  /**
   * Asks for an fdatasync of the descriptor as it is now, or for another request. The callback never runs inside this
   * call. A fill begins at a multiple of FILL_UNIT_BYTES.
   */
  submit(
    descriptor: number,
    callback: SyncCallback,
    request: LaneRequest = LaneRequest.SyncData,
    offset = 0,
    bytes = 0,
  ): void {
    const worker = this.started();
    if (this.inRing.length === 0) worker.ref();
    const entry = { descriptor, callback, request, offset, bytes };
    if (this.inRing.length < RING_SLOTS) this.put(entry);
    else this.overflow.push(entry);
  }

  /** As submit, and waits on this thread until the callback (and every one before it) has run. */
  submitAndWait(descriptor: number, callback: SyncCallback): void {
    let finished = false;
    this.submit(descriptor, (errno) => {
      finished = true;
      callback(errno);
    });
    const shared = this.shared;
    for (let spins = 0; spins < SPINS_MAX && Atomics.load(shared, DONE) !== this.submitted; spins++);
    this.drain();
    Atomics.store(shared, MAIN_WAITS, 1);
    while (!finished) {
      Atomics.wait(shared, DONE, this.done);
      this.drain();
    }
    Atomics.store(shared, MAIN_WAITS, 0);
    // A request behind ours may have ended while no message was posted: look once more, after the flag is down.
    this.drain();
  }

  private put(entry: SyncRequest): void {
    const slot = SLOTS_AT + SLOT_WORDS * (this.submitted & (RING_SLOTS - 1));
    this.shared[slot] = entry.descriptor;
    this.shared[slot + 2] = entry.request;
    this.shared[slot + 3] = entry.offset / FILL_UNIT_BYTES;
    this.shared[slot + 4] = entry.bytes;
    this.inRing.push(entry);
    this.submitted = (this.submitted + 1) | 0;
    Atomics.store(this.shared, SUBMITTED, this.submitted);
    Atomics.notify(this.shared, SUBMITTED);
  }

  /** Runs the callbacks of everything the thread has finished and refills the ring. */
  private drain(): void {
    const done = Atomics.load(this.shared, DONE);
    while (this.done !== done) {
      const slot = SLOTS_AT + SLOT_WORDS * (this.done & (RING_SLOTS - 1));
      const errno = this.shared[slot + 1] as number;
      this.done = (this.done + 1) | 0;
      this.finish(errno);
    }
  }

  private finish(errno: number): void {
    const request = this.inRing.shift() as SyncRequest;
    const next = this.overflow.shift();
    if (next !== undefined) this.put(next);
    if (this.inRing.length === 0) this.worker?.unref();
    request.callback(errno);
  }

  /** Starts the thread unless it runs, so that the first request does not wait the 20 ms which that takes. */
  warm(): void {
    this.started();
  }

  private started(): Worker {
    return this.worker ?? this.start();
  }

  private start(): Worker {
    const shared = new SharedArrayBuffer(4 * (SLOTS_AT + SLOT_WORDS * RING_SLOTS));
    this.shared = new Int32Array(shared);
    this.submitted = 0;
    this.done = 0;
    const worker = new Worker(THREAD_SOURCE, {
      eval: true,
      name: `phantom-sync-${this.name}`,
      workerData: shared,
      // Loaders and inspectors of the host are not for this thread.
      execArgv: [],
      env: {},
      // It prints nothing, and streams that lead to this process' own would have to be made first.
      stdout: true,
      stderr: true,
      // The descriptors are those of the main thread, and closing one here is no mistake.
      trackUnmanagedFds: false,
    });
    worker.on('message', () => this.drain());
    worker.on('error', () => undefined);
    worker.on('exit', () => this.threadEnded(worker));
    worker.unref();
    this.worker = worker;
    return worker;
  }

  /** The thread is gone (the host ended it): what it had not finished is in doubt. The next request starts a new one. */
  private threadEnded(worker: Worker): void {
    if (this.worker !== worker) return;
    this.drain();
    this.worker = undefined;
    const abandoned = this.inRing.splice(0).concat(this.overflow.splice(0));
    for (const request of abandoned) request.callback(EIO);
  }

  /** Ends the thread, for tests; requests under way get EIO. */
  async terminate(): Promise<void> {
    await this.worker?.terminate();
  }
}

const lanes = { log: new SyncLane('log'), data: new SyncLane('data') };

/** The process' sync thread of a lane. */
export function syncLane(lane: 'log' | 'data'): SyncLane {
  return lanes[lane];
}
