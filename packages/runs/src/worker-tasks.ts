/** The other end of worker-thread.ts: what runs in the thread. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { type Checksums, PhantomError, SqlState, isPhantomError, loadChecksums } from '@phantom/base';
import type { Wait } from './job.js';
import {
  ABORT,
  BEATS,
  type CallMessage,
  ENDED,
  PIECES_AHEAD_MAX,
  REST_MS,
  type ReplyMessage,
  TAKEN,
  type ThreadData,
  type ThreadError,
} from './worker-thread.js';

/** Takes a part of the result, whose bytes are given away, and waits while the reader does not keep up. */
export type SendPiece = (piece: Uint8Array<ArrayBuffer>) => void;

/** Work as a generator that yields at the end of each slice of time. What it waits for is its caller's affair. */
export type WorkerTask = (input: never, checksums: Checksums, send: SendPiece) => Generator<Wait | undefined, unknown>;

/** Serves the calls that come through a port, by default the one that this thread was started with, until it is closed. */
export function serveTasks(
  tasks: Readonly<Record<string, WorkerTask>>,
  port: MessagePort = (workerData as ThreadData).port,
): void {
  const loaded = loadChecksums();
  port.on('message', (call: CallMessage) => {
    void loaded.then((checksums) => {
      let reply: ReplyMessage;
      try {
        const task = tasks[call.task];
        if (task === undefined) throw new PhantomError(SqlState.InternalError, `there is no task "${call.task}"`);
        const send = sender(port, call);
        reply = { id: call.id, value: run(task(call.input as never, checksums, send), call.control) };
      } catch (error) {
        reply = { id: call.id, error: travelling(error) };
      }
      port.postMessage(reply);
      Atomics.store(call.control, ENDED, 1);
      Atomics.notify(call.control, ENDED);
    });
  });
}

function sender(port: MessagePort, { id, control }: CallMessage): SendPiece {
  let sent = 0;
  return (piece) => {
    port.postMessage({ id, piece } satisfies ReplyMessage, [piece.buffer]);
    sent++;
    for (;;) {
      const taken = Atomics.load(control, TAKEN);
      if (sent - taken < PIECES_AHEAD_MAX || Atomics.load(control, ABORT) !== 0) return;
      Atomics.wait(control, TAKEN, taken);
    }
  };
}

/** Work between two rests, where there are any. */
const WORK_MS = 32;

function run(steps: Generator<Wait | undefined, unknown>, control: Int32Array): unknown {
  let restedMs = performance.now();
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    Atomics.add(control, BEATS, 1);
    const restMs = Atomics.load(control, REST_MS);
    if (restMs > 0 && performance.now() - restedMs >= WORK_MS) {
      Atomics.wait(control, ABORT, 0, restMs);
      restedMs = performance.now();
    }
    if (Atomics.load(control, ABORT) === 0) continue;
    steps.return(undefined);
    throw new PhantomError(SqlState.AdminShutdown, 'background work was stopped');
  }
}

function travelling(error: unknown): ThreadError {
  if (!isPhantomError(error)) {
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { message, stack, code: undefined, fields: {} };
  }
  const { message, stack, code } = error;
  // The cause may be anything, and stays behind.
  return { message, stack, code, fields: { ...error.fields(), cause: undefined } };
}
