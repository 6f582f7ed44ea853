/** Driving sagas: attempts and their limits, late replies, what a person asks for, restarts, ids, bytes. */
import { ManualClock, MetricsRegistry, type PhantomError } from '@phantom/base';
import type { MvccTransaction } from '@phantom/mvcc';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type SagaDefinition, type SagaRunner, type SagaStatus, type SagaStep, defineSaga } from '../src/index.js';
import { Node, SAGA_SPACE, contentOf, keepingLogger, put, read, runnerOf } from './support.js';

type Tx = MvccTransaction;

const open: { close(): Promise<void> }[] = [];

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

async function world(options: Parameters<typeof runnerOf>[1] = {}): Promise<{ node: Node; runner: SagaRunner<Tx> }> {
  const node = await Node.open();
  const runner = runnerOf(node, options);
  open.push(node, runner);
  return { node, runner };
}

const QUICK = { retry: { delayMs: 0, attemptsMax: 2 } };
/** A promise and what settles it. */
function gate(): { opened: Promise<void>; open: () => void } {
  let letThrough = (): void => undefined;
  const opened = new Promise<void>((resolve) => (letThrough = resolve));
  return { opened, open: letThrough };
}

const failed = (promise: Promise<unknown>): Promise<PhantomError> =>
  promise.then(
    () => {
      throw new Error('it was to fail');
    },
    (error: PhantomError) => error,
  );

const saga = (name: string, ...steps: SagaStep<{ n: number }, Tx>[]): SagaDefinition<{ n: number }, Tx> =>
  defineSaga({ name, steps });

const writes = (name: string): SagaStep<{ n: number }, Tx> => ({
  kind: 'local',
  name,
  ...QUICK,
  run: (tx, { input }) => put(tx, name, String(input.n)),
  compensate: (tx) => put(tx, name, 'undone'),
});

describe('a saga', () => {
  it('hands on input and results, and gives each step a key of its own', async () => {
    const { node, runner } = await world();
    const seen: unknown[] = [];
    runner.define(
      saga(
        'order',
        writes('a'),
        {
          kind: 'remote',
          name: 'b',
          run: ({ id, input, results, attempt, idempotencyKey }) => {
            seen.push({ id, input, results, attempt, idempotencyKey });
            return { at: new Date(0), none: undefined };
          },
        },
        {
          kind: 'local',
          name: 'c',
          run: (tx, { results }) => put(tx, 'c', JSON.stringify(results)),
        },
      ),
    );
    const begun = await runner.start('order', 'one', { n: 5 });
    expect(begun).toMatchObject({ id: 'one', state: 'running', step: 'a', input: { n: 5 } });
    expect(await runner.finished('one')).toMatchObject({
      state: 'done',
      step: undefined,
      results: { a: null, b: { at: '1970-01-01T00:00:00.000Z' }, c: null },
    });
    expect(seen).toEqual([{ id: 'one', input: { n: 5 }, results: { a: null }, attempt: 1, idempotencyKey: 'one/b' }]);
    expect(contentOf(node.mvcc)).toEqual({ a: '5', c: '{"a":null,"b":{"at":"1970-01-01T00:00:00.000Z"}}' });
    expect(await runner.finished('one')).toMatchObject({ state: 'done' });
  });

  it('is tried again as often as its policy says, then undone in reverse order, the step in doubt first', async () => {
    const { node, runner } = await world();
    const asked: string[] = [];
    runner.define(
      saga('order', writes('a'), writes('b'), {
        kind: 'remote',
        name: 'c',
        ...QUICK,
        run: ({ attempt, idempotencyKey }) => {
          asked.push(`run ${attempt} ${idempotencyKey}`);
          throw new Error('out of reach');
        },
        compensate: ({ attempt, outcome, idempotencyKey }) => {
          asked.push(`undo ${attempt} ${outcome} ${idempotencyKey}`);
          if (attempt === 1) throw new Error('still out of reach');
        },
      }),
    );
    await runner.start('order', 'one', { n: 1 });
    expect(await runner.finished('one')).toMatchObject({ state: 'compensated', error: 'still out of reach' });
    expect(asked).toEqual([
      'run 1 one/c',
      'run 2 one/c',
      'undo 1 unknown one/c/compensate',
      'undo 2 unknown one/c/compensate',
    ]);
    expect(contentOf(node.mvcc)).toEqual({ a: 'undone', b: 'undone' });
  });

  it('is stuck when a compensation cannot be had, says so, and goes on when it is asked to', async () => {
    const metrics = new MetricsRegistry();
    const { logger, lines } = keepingLogger();
    const { node, runner } = await world({ metrics, logger });
    let isBroken = true;
    const told: SagaStatus[] = [];
    const definition = saga(
      'order',
      {
        kind: 'local',
        name: 'a',
        ...QUICK,
        run: (tx) => put(tx, 'a', 'done'),
        compensate: (tx) => {
          put(tx, 'a', 'half');
          if (isBroken) throw new Error('no');
          put(tx, 'a', 'undone');
        },
      },
      { kind: 'local', name: 'b', run: (_tx, { giveUp }) => giveUp('never') },
    );
    runner.define({
      ...definition,
      onStuck: (status) => {
        told.push(status);
        throw new Error('who is told fails');
      },
    });
    const gauge = (): unknown => metrics.samples().find(({ name }) => name === 'phantom_sagas_stuck');
    await runner.start('order', 'one', { n: 1 });
    expect(await runner.finished('one')).toMatchObject({ state: 'stuck', step: 'a', attempts: 2, error: 'no' });
    expect([told.length, gauge()]).toMatchObject([1, { value: 1 }]);
    expect(lines).toContain('a saga is stuck');
    expect(contentOf(node.mvcc)).toEqual({ a: 'done' });
    expect(runner.list({ state: 'stuck' })).toMatchObject([{ id: 'one' }]);
    expect(await runner.finished('one')).toMatchObject({ state: 'stuck' });

    isBroken = false;
    expect(await runner.retry('one')).toMatchObject({ state: 'compensating', attempts: 0 });
    expect(await runner.finished('one')).toMatchObject({ state: 'compensated' });
    expect([contentOf(node.mvcc), gauge()]).toMatchObject([{ a: 'undone' }, { value: 0 }]);
    expect(await failed(runner.retry('one'))).toMatchObject({ code: '55000' });
    expect(await failed(runner.compensate('one'))).toMatchObject({ code: '55000' });
  });

  it('looks at no reply that is late, and lets nothing late be committed', async () => {
    const { node, runner } = await world();
    const late = gate();
    const signals: AbortSignal[] = [];
    const slow = async (tx: Tx | undefined, signal: AbortSignal): Promise<string> => {
      signals.push(signal);
      await late.opened;
      if (tx?.status === 'active') put(tx, 'late', 'yes');
      return 'late';
    };
    runner.define(
      saga('order', {
        kind: 'local',
        name: 'a',
        retry: { attemptsMax: 1 },
        timeoutMs: 5,
        run: (tx, { signal }) => slow(tx, signal),
      }),
    );
    runner.define(
      saga('other', {
        kind: 'remote',
        name: 'a',
        retry: { attemptsMax: 1 },
        timeoutMs: 5,
        run: ({ signal }) => slow(undefined, signal),
        compensate: () => undefined,
      }),
    );
    await Promise.all([runner.start('order', 'one', { n: 1 }), runner.start('other', 'two', { n: 1 })]);
    const ends = await Promise.all([runner.finished('one'), runner.finished('two')]);
    late.open();
    await new Promise(setImmediate);
    for (const end of ends) {
      expect(end).toMatchObject({ state: 'compensated', error: 'step "a" has not ended within 5 ms', results: {} });
    }
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
    expect(runner.list({ state: 'compensated' }).map(({ results }) => results)).toEqual([{}, {}]);
    expect(contentOf(node.mvcc)).toEqual({});
  });

  it('lets nothing be committed that began before it was to be compensated', async () => {
    const { node, runner } = await world({
      // A commit that nothing can hold back any more once the work is done.
      transact: async (work) => {
        await node_.mvcc.run(async (tx) => {
          await work(tx, async (write) => {
            await asked.opened;
            write(tx);
          });
        });
      },
    });
    const node_ = node;
    const asked = gate();
    const written = gate();
    runner.define(
      saga('order', {
        kind: 'local',
        name: 'a',
        run: (tx) => {
          put(tx, 'a', 'late');
          written.open();
        },
      }),
    );
    await runner.start('order', 'one', { n: 1 });
    await written.opened;
    expect(await runner.compensate('one')).toMatchObject({ state: 'compensated' });
    asked.open();
    expect(await runner.finished('one')).toMatchObject({ state: 'compensated' });
    expect(contentOf(node.mvcc)).toEqual({});
  });

  it('is interrupted while it rests, and while a remote step is at work', async () => {
    const { runner } = await world();
    let hasBegun = gate();
    runner.define(
      saga('order', {
        kind: 'remote',
        name: 'a',
        retry: { delayMs: 60_000, delayMsMax: 60_000 },
        run: ({ input, signal }) => {
          hasBegun.open();
          if (input.n === 1) throw new Error('not now');
          return new Promise((_resolve, reject) =>
            signal.addEventListener('abort', () => reject(new Error('stopped'))),
          );
        },
        compensate: ({ outcome }) => expect(outcome).toBe('unknown'),
      }),
    );
    for (const n of [1, 2]) {
      hasBegun = gate();
      await runner.start('order', `${n}`, { n });
      await hasBegun.opened;
      if (n === 1) await vi.waitFor(() => expect(runner.status('1')).toMatchObject({ error: 'not now' }));
      await runner.compensate(`${n}`);
      expect(await runner.finished(`${n}`)).toMatchObject({ state: 'compensated' });
    }
  });
});

describe('what drives sagas', () => {
  it('begins a saga once, by its id, or with a transaction of the caller', async () => {
    const { node, runner } = await world();
    runner.define(saga('order', writes('a')));
    expect(await failed(runner.start('other', 'one', 1))).toMatchObject({ code: '42704' });
    const twice = await Promise.all([runner.start('order', 'one', { n: 1 }), runner.start('order', 'one', { n: 1 })]);
    expect(twice.map(({ id }) => id)).toEqual(['one', 'one']);
    await runner.finished('one');
    expect(await runner.start('order', 'one', { n: 1 })).toMatchObject({ state: 'done' });
    expect(await failed(runner.start('order', 'one', { n: 2 }))).toMatchObject({ code: '42710' });
    expect(await failed(runner.start('order', '', { n: 2 }))).toMatchObject({ code: '22023' });
    expect(await failed(runner.start('order', 'x'.repeat(201), { n: 2 }))).toMatchObject({ code: '22023' });
    expect(await failed(runner.start('order', 'big', { n: 'x'.repeat(1 << 20) }))).toMatchObject({ code: '54000' });

    for (const isKept of [true, false]) {
      const id = `kept ${isKept}`;
      const tx = node.mvcc.begin();
      put(tx, id, 'with it');
      runner.startWithin(tx, 'order', id, { n: 7 });
      if (isKept) await tx.commit();
      else tx.rollback();
    }
    expect(await runner.finished('kept true')).toMatchObject({ state: 'done' });
    expect(runner.status('kept false')).toBeUndefined();
    expect(await failed(runner.finished('kept false'))).toMatchObject({ code: '42704' });
    await node.mvcc.run((tx) =>
      expect(() => runner.startWithin(tx, 'order', 'one', null)).toThrow('another saga "one"'),
    );
    expect(contentOf(node.mvcc)).toEqual({ a: '7', 'kept true': 'with it' });
  });

  it('goes on after a restart where the journal stands, and not under other steps', async () => {
    const { logger, lines } = keepingLogger();
    const { node, runner } = await world();
    const never: SagaStep<{ n: number }, Tx> = { kind: 'remote', name: 'b', run: () => new Promise(() => undefined) };
    runner.define(saga('order', writes('a'), never));
    await runner.start('order', 'one', { n: 1 });
    await vi.waitFor(() => expect(runner.status('one')).toMatchObject({ step: 'b', attempts: 1 }));
    const waits = failed(runner.finished('one'));
    await runner.close();
    expect(await waits).toMatchObject({ code: '57P01' });
    expect(await failed(runner.start('order', 'two', 1))).toMatchObject({ code: '57P01' });

    const changed = runnerOf(node, { logger });
    open.push(changed);
    changed.define(saga('order', writes('b')));
    expect(lines).toEqual(['a saga cannot go on: its definition has other steps now']);
    expect(() => changed.define(saga('order', writes('b')))).toThrow('is defined already');
    expect(await failed(changed.finished('one'))).toMatchObject({
      code: '55000',
      hint: expect.stringContaining('order') as unknown,
    });

    expect(await failed(changed.compensate('one'))).toMatchObject({ code: '55000' });

    const attempts: number[] = [];
    const restarted = runnerOf(node);
    open.push(restarted);
    restarted.define(
      saga('order', writes('a'), { ...never, run: ({ attempt }) => attempts.push(attempt) } as typeof never),
    );
    expect(await restarted.finished('one')).toMatchObject({ state: 'done' });
    expect(attempts).toEqual([2]);
  });

  it('counts attempts that ended with the process', async () => {
    const { node, runner } = await world();
    const once = { attemptsMax: 1 };
    const asks = (run: () => unknown): SagaStep<{ n: number }, Tx> => ({ kind: 'remote', name: 'a', retry: once, run });
    runner.define(
      saga(
        'order',
        asks(() => new Promise(() => undefined)),
      ),
    );
    await runner.start('order', 'one', { n: 1 });
    await vi.waitFor(() => expect(runner.status('one')).toMatchObject({ attempts: 1 }));
    await runner.close();
    const restarted = runnerOf(node);
    open.push(restarted);
    restarted.define(
      saga(
        'order',
        asks(() => expect.unreachable('there is no second attempt')),
      ),
    );
    expect(await restarted.finished('one')).toMatchObject({
      state: 'compensated',
      error: 'the last attempt ended with the process',
    });
  });

  it('keeps what is over for a while, forgets it when asked to, and drives so many at once', async () => {
    const clock = new ManualClock();
    const { runner } = await world({ clock, keepMs: 1000, runningMax: 1 });
    const first = gate();
    runner.define(
      saga('order', { kind: 'remote', name: 'a', run: ({ id }) => (id === '1' ? first.opened : undefined) }),
    );
    for (const id of ['1', '2', '3']) await runner.start('order', id, { n: 1 });
    expect(await failed(runner.forget('1'))).toMatchObject({ code: '55000' });
    expect(runner.status('2')).toMatchObject({ attempts: 0 });
    first.open();
    await Promise.all(['1', '2', '3'].map((id) => runner.finished(id)));
    await runner.forget('2');
    expect(runner.list({ name: 'order' }).map(({ id }) => id)).toEqual(['1', '3']);
    expect(await runner.sweep()).toBe(0);
    clock.advance(1001);
    expect(await runner.sweep()).toBe(2);
    expect(runner.list()).toEqual([]);
  });

  it('reads no journal of a newer release, and none that is broken', async () => {
    const { node } = await world();
    for (const [value, code] of [
      ['{"format":2}', '0A000'],
      ['{', 'XX001'],
      ['{"format":1}', 'XX001'],
    ] as const) {
      await node.mvcc.run((tx) => put(tx, '\0\0\0\0\u0001id', value, SAGA_SPACE));
      expect(await failed(Promise.resolve().then(() => runnerOf(node)))).toMatchObject({ code });
    }
  });

  it('tells of a saga whose journal cannot be written', async () => {
    const { logger, lines } = keepingLogger();
    const { node, runner } = await world({ logger });
    runner.define(saga('order', { kind: 'remote', name: 'a', run: () => undefined }));
    const run = vi.spyOn(node.mvcc, 'run');
    await runner.start('order', 'one', { n: 1 });
    run.mockRejectedValue(new Error('the disk is gone'));
    expect(await failed(runner.finished('one'))).toMatchObject({ message: 'the disk is gone' });
    await vi.waitFor(() => expect(lines).toEqual(['a saga cannot go on']));
    run.mockRestore();
  });

  it('refuses definitions that are none', () => {
    const a = writes('a');
    expect(() => saga('', a)).toThrow('needs a name and steps');
    expect(() => saga('order')).toThrow('needs a name and steps');
    expect(() => saga('order', a, a)).toThrow('need names of their own');
    expect(() => saga('order', { ...a, retry: { attemptsMax: 0 } })).toThrow('has limits that are none');
    expect(() => saga('order', { ...a, timeoutMs: 0 })).toThrow('has limits that are none');
    expect(saga('order', a).steps).toEqual([a]);
  });
});

it('the page docs/formats/sagas.md says what an entry is', async () => {
  const { node, runner } = await world({ scope: 7 });
  runner.define(saga('order', writes('a')));
  await runner.start('order', 'one', { n: 1 });
  await runner.finished('one');
  const [[key, value] = ['', '']] = Object.entries(contentOf(node.mvcc, SAGA_SPACE));
  expect(key).toBe('\0\0\0\u0007\u0002one');
  expect(JSON.parse(value)).toMatchObject({
    format: 1,
    name: 'order',
    steps: ['a'],
    state: 'done',
    at: 1,
    revision: 2,
  });
  await node.mvcc.run((tx) => void read(tx, 'a'));
});
