/** Threads for work on files: answers, errors, waiting on the spot, stopping, dying. */
import { setFlagsFromString } from 'node:v8';
import { MessageChannel } from 'node:worker_threads';
import { PhantomError, SqlState } from '@phantom/base';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { Job, type JobBody, PAUSE, RevokedLayer, WorkerThread, serveTasks } from '../src/index.js';
import { viewTooOldError } from '../src/revoked-layer.js';
import { type CallMessage, REST_MS, type ReplyMessage } from '../src/worker-thread.js';

const CONTROL_BYTES = 20;

/** A thread that answers as worker-tasks.ts does, to tasks of its own. */
const SOURCE = `
const { workerData } = require('node:worker_threads');
const { port } = workerData;
port.on('message', ({ id, task, input, control }) => {
  let reply;
  if (task === 'double') reply = { id, value: input * 2 };
  if (task === 'fail') reply = { id, error: { message: 'no', stack: undefined, code: '53100', fields: { detail: 'd' } } };
  if (task === 'throw') reply = { id, error: { message: 'no', stack: 'a stack', code: undefined, fields: {} } };
  if (task === 'die') process.exit(1);
  if (task === 'throw out of a turn') return void setImmediate(() => { throw new Error('nobody catches it'); });
  if (task === 'fill the heap') for (const kept = []; ; ) kept.push(new Array(100000).fill(kept.length + 0.5));
  if (task === 'until aborted') {
    while (Atomics.load(control, 1) === 0) Atomics.add(control, 2, 1);
    reply = { id, error: { message: 'stopped', stack: undefined, code: '57P01', fields: {} } };
  }
  if (task === 'rest') {
    while (Atomics.load(control, 4) === 0);
    Atomics.add(control, 2, Atomics.load(control, 4));
    Atomics.wait(control, 1, 0);
    reply = { id, error: { message: 'stopped', stack: undefined, code: '57P01', fields: {} } };
  }
  port.postMessage(reply);
  Atomics.store(control, 0, 1);
  Atomics.notify(control, 0);
});
`;

const threads: WorkerThread[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.terminate();
});

function thread(): WorkerThread {
  const made = new WorkerThread('test', SOURCE);
  threads.push(made);
  return made;
}

describe('a worker thread', () => {
  it('answers calls in their order, to who awaits and to who waits on the spot', async () => {
    const worker = thread();
    expect(worker.isAvailable).toBe(true);
    expect(new WorkerThread('none', undefined).isAvailable).toBe(false);
    const calls = [1, 2, 3].map((input) => worker.call<number>('double', input));
    await calls[1]?.sync();
    expect(calls.slice(0, 2).map(({ value }) => value)).toEqual([2, 4]);
    calls[2]?.syncNow();
    expect(calls[2]?.value).toBe(6);
    const later = worker.call<number>('double', 5);
    expect(later.syncNowFor(20_000)).toBe(true);
    expect(later.syncNowFor(0)).toBe(true);
    await later.sync();
    expect(later.value).toBe(10);
  });

  it('hands errors on', async () => {
    const worker = thread();
    await expect(worker.call('fail', 0).sync()).rejects.toMatchObject({ code: '53100', detail: 'd', family: 'limit' });
    expect(() => worker.call('fail', 0).syncNow()).toThrow(PhantomError);
    await expect(worker.call('throw', 0).sync()).rejects.toMatchObject({ message: 'no', stack: 'a stack' });
  });

  it('says when it no longer reads what it was given, however a call ends', async () => {
    const worker = thread();
    const released: string[] = [];
    const call = (task: string): Promise<void> => worker.call(task, 1, () => released.push(task)).sync();
    await call('double');
    expect(released).toEqual(['double']);
    await expect(call('fail')).rejects.toMatchObject({ code: '53100' });
    await expect(call('die')).rejects.toMatchObject({ code: '58000' });
    expect(released).toEqual(['double', 'fail', 'die']);
  });

  it('stops when it is told to, and can be waited for so long', async () => {
    const worker = thread();
    const call = worker.call('until aborted', 0);
    expect(call.syncNowFor(5)).toBe(false);
    call.abort();
    await expect(call.sync()).rejects.toMatchObject({ code: '57P01' });
    expect(call.isLost).toBe(false);
  });

  it('takes its calls with it when it dies, and is started anew by the next one', async () => {
    const worker = thread();
    const calls = [worker.call('die', 0), worker.call('double', 1)];
    for (const call of calls) {
      await expect(call.sync()).rejects.toMatchObject({ code: '58000' });
      expect(call.isLost).toBe(true);
    }
    const next = worker.call<number>('double', 2);
    await next.sync();
    expect(next.value).toBe(4);
  });

  it('says what it died of, as far as that is known', async () => {
    const worker = thread();
    const cause = { message: 'nobody catches it' };
    const thrown = worker.call('throw out of a turn', 0);
    await expect(thrown.sync()).rejects.toMatchObject({ code: '58000', cause });
    // Of threads that begin from then on.
    setFlagsFromString('--max-old-space-size=32');
    const filled = worker.call('fill the heap', 0);
    await expect(filled.sync()).rejects.toMatchObject({ code: '53200' });
    setFlagsFromString('--max-old-space-size=0');
    const exited = worker.call('die', 0);
    await expect(exited.sync()).rejects.toMatchObject({ code: '58000' });
    expect([thrown.isLost, filled.isLost, exited.isLost]).toEqual([true, true, true]);
  });

  it('is stopped by a job that is cancelled, and helped along by one that waits a little', async () => {
    const worker = thread();
    const job = new Job(
      (function* (): JobBody {
        yield worker.call('until aborted', 0);
      })(),
    );
    job.stepNow(1);
    expect(job.isFinished).toBe(false);
    await job.cancel();
    expect(job.failure).toMatchObject({ code: '57P01' });
  });
});

describe('tasks', () => {
  it('run in slices, answer, fail and stop', async () => {
    const { port1, port2 } = new MessageChannel();
    let tidied = 0;
    serveTasks(
      {
        *double(input: number) {
          yield PAUSE;
          return input * 2;
        },
        *full() {
          throw new PhantomError(SqlState.DiskFull, 'full', { detail: 'd', hint: 'h', data: { bytes: 1 } });
        },
        *strange() {
          throw 'a text';
        },
        *endless() {
          try {
            for (;;) yield PAUSE;
          } finally {
            tidied++;
          }
        },
      },
      port2,
    );
    let id = 0;
    const ask = async (task: string, isAborted = false): Promise<ReplyMessage> => {
      const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
      if (isAborted) control[1] = 1;
      const call: CallMessage = { id: id++, task, input: 21, control };
      const reply = new Promise<ReplyMessage>((resolve) => port1.once('message', resolve));
      port1.postMessage(call);
      const message = await reply;
      expect([message.id, control[0]]).toEqual([call.id, 1]);
      return message;
    };
    expect((await ask('double')).value).toBe(42);
    expect((await ask('full')).error).toMatchObject({
      code: '53100',
      fields: { detail: 'd', hint: 'h', data: { bytes: 1 }, family: 'limit', retryable: false },
    });
    expect((await ask('strange')).error).toMatchObject({ message: 'a text', code: undefined });
    expect((await ask('nothing')).error).toMatchObject({ code: 'XX000' });
    expect((await ask('endless', true)).error).toMatchObject({ code: '57P01' });
    expect(tidied).toBe(1);
    port1.close();
  });
});

describe('a task that is to rest', () => {
  const WORK_SLICES = 3;

  /** How long a task of a few slices, each longer than the work between two rests, has rested when it has ended. */
  async function restsOf(restMs: number): Promise<unknown[]> {
    const { port1, port2 } = new MessageChannel();
    const clock = vi.spyOn(performance, 'now').mockReturnValue(0);
    const wait = vi.spyOn(Atomics, 'wait').mockReturnValue('timed-out');
    try {
      serveTasks(
        {
          *work() {
            for (let slice = 1; slice <= WORK_SLICES; slice++) {
              clock.mockReturnValue(slice * 40);
              yield PAUSE;
            }
          },
        },
        port2,
      );
      const control = new Int32Array(new SharedArrayBuffer(CONTROL_BYTES));
      control[REST_MS] = restMs;
      const reply = new Promise((resolve) => port1.once('message', resolve));
      port1.postMessage({ id: 0, task: 'work', input: 0, control } satisfies CallMessage);
      await reply;
      return wait.mock.calls.map(([, , , durationMs]) => durationMs);
    } finally {
      clock.mockRestore();
      wait.mockRestore();
      port1.close();
    }
  }

  it('does after some milliseconds of work, for as long as it is told', async () => {
    expect(await restsOf(7)).toEqual([7, 7, 7]);
    expect(await restsOf(0)).toEqual([]);
  });

  it('is woken when it is to stop', async () => {
    const call = thread().call('rest', 0);
    call.rest(5);
    await expect.poll(() => call.slices).toBe(5);
    call.abort();
    await expect(call.sync()).rejects.toMatchObject({ code: '57P01' });
  });
});

describe('a layer whose files were taken back', () => {
  it('answers every question with the reason', () => {
    const error = viewTooOldError(10, 5);
    expect(error).toMatchObject({ code: '72000', data: { pinnedBytes: 10, pinnedBytesMax: 5 } });
    const layer = new RevokedLayer(error);
    for (const ask of [() => layer.get(), () => layer.cursor(), () => layer.rangeTombstones()])
      expect(ask).toThrow(error);
  });
});
