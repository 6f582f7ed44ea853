/** The other end of worker-thread.ts: what runs in the thread. */
import { type MessagePort, workerData } from 'node:worker_threads';
import { type Checksums, PhantomError, SqlState, isPhantomError, loadChecksums } from '@phantom/base';
import type { Wait } from './job.js';
import {
  ABORT,
  BEATS,
  type CallMessage,
  ENDED,
  type ReplyMessage,
  type ThreadData,
  type ThreadError,
} from './worker-thread.js';

/** Work on files as a generator that yields at the end of each slice of time. What it waits for is its caller's affair. */
export type WorkerTask = (input: never, checksums: Checksums) => Generator<Wait, unknown>;

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
        reply = { id: call.id, value: run(task(call.input as never, checksums), call.control) };
      } catch (error) {
        reply = { id: call.id, error: travelling(error) };
      }
      port.postMessage(reply);
      Atomics.store(call.control, ENDED, 1);
      Atomics.notify(call.control, ENDED);
    });
  });
}

function run(steps: Generator<Wait, unknown>, control: Int32Array): unknown {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
    Atomics.add(control, BEATS, 1);
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
  const { message, stack, code, family, retryable, detail, hint, data } = error;
  const fields: ThreadError['fields'] = { family, retryable };
  return {
    message,
    stack,
    code,
    fields: {
      ...fields,
      ...(detail === undefined ? {} : { detail }),
      ...(hint === undefined ? {} : { hint }),
      ...(data === undefined ? {} : { data }),
    },
  };
}
