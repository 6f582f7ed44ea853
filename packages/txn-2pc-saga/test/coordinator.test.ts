/** The coordinator over databases in memory: votes, decisions, those who do not answer, restarts, limits. */
import { type PhantomError, MetricsRegistry, outcomeUnknownError } from '@phantom/base';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Branch, Coordinator, localParticipant } from '../src/index.js';
import { gidOf, parseGid } from '../src/gid.js';
import { verdictOn } from '../src/in-doubt.js';
import { DECISION_SPACE, Node, Remote, contentOf, coordinatorOf, keepingLogger, put } from './support.js';

const open: (Node | Coordinator)[] = [];

afterEach(async () => {
  for (const one of open.splice(0).toReversed()) await one.close();
});

function kept<T extends Node | Coordinator>(one: T): T {
  open.push(one);
  return one;
}

async function world(options: Parameters<typeof coordinatorOf>[1] = {}) {
  const home = kept(await Node.open());
  const billing = new Remote('billing', kept(await Node.open()));
  const stock = new Remote('stock', kept(await Node.open()));
  const coordinator = kept(coordinatorOf(home, options));
  coordinator.register(billing);
  coordinator.register(stock);
  return { home, billing, stock, coordinator };
}

/** A branch that has written `key`. */
function writing(remote: Remote, key: string): Branch {
  const { transaction, branch } = remote.begin();
  put(transaction, key, remote.name);
  return branch;
}

function decisionsOf(home: Node): string[] {
  return Object.keys(contentOf(home.mvcc, DECISION_SPACE)).filter((key) => key.startsWith('\u0002'));
}

const failed = (promise: Promise<unknown>): Promise<PhantomError> =>
  promise.then(
    () => {
      throw new Error('it was to fail');
    },
    (error: PhantomError) => error,
  );

describe('a coordinator', () => {
  it('commits everywhere, and its own work in the commit that decides', async () => {
    const { home, billing, stock, coordinator } = await world();
    let seqs = 0;
    const completion = await coordinator.commit([writing(billing, 'x'), writing(stock, 'x')], async (write) => {
      await home.mvcc.run((transaction) => {
        put(transaction, 'x', 'home');
        write?.(transaction);
        seqs++;
      });
    });
    expect(completion).toEqual({ unanswered: [] });
    expect(seqs).toBe(1);
    expect([home, billing.node, stock.node].map((node) => contentOf((node as Node).mvcc))).toEqual([
      { x: 'home' },
      { x: 'billing' },
      { x: 'stock' },
    ]);
    await vi.waitFor(() => expect(decisionsOf(home)).toEqual([]));
  });

  it('commits nothing when one of them loses', async () => {
    const { billing, stock, coordinator } = await world();
    const loser = writing(stock, 'x');
    await (stock.node as Node).mvcc.run((transaction) => put(transaction, 'x', 'somebody else'));
    const error = await failed(coordinator.commit([writing(billing, 'x'), loser]));
    expect(error).toMatchObject({ code: '40001', retryable: true });
    expect(contentOf((billing.node as Node).mvcc)).toEqual({});
    expect((billing.node as Node).mvcc.prepared()).toEqual([]);
  });

  it('rolls all back when its own commit certainly failed, and says why in its words', async () => {
    const { billing, coordinator } = await world();
    const reason = Object.assign(new Error('no room'), { code: '53100' });
    expect(await failed(coordinator.commit([writing(billing, 'x')], () => Promise.reject(reason)))).toBe(reason);
    expect((billing.node as Node).mvcc.prepared()).toEqual([]);
  });

  it('leaves all prepared when nobody knows whether it is decided', async () => {
    const { billing, coordinator } = await world();
    const unknown = outcomeUnknownError('the sync failed');
    expect(await failed(coordinator.commit([writing(billing, 'x')], () => Promise.reject(unknown)))).toBe(unknown);
    await coordinator.resolve();
    expect((billing.node as Node).mvcc.prepared()).toHaveLength(1);
  });

  it('asks those that have only read for nothing more, and decides nothing for them', async () => {
    const { home, billing, stock, coordinator } = await world();
    const decisions: unknown[] = [];
    await coordinator.commit(
      [billing.begin().branch, stock.begin().branch],
      async (write) => void decisions.push(write),
    );
    expect(decisions).toEqual([undefined]);
    expect(decisionsOf(home)).toEqual([]);
  });

  it('tells a participant that was down once it is up, also after its own restart', async () => {
    const { home, billing, stock, coordinator } = await world({ retryMs: 60_000, retryMsMax: 60_000 });
    const { node } = billing;
    const completion = await coordinator.commit([writing(billing, 'x'), writing(stock, 'x')], async (write) => {
      await home.mvcc.run((transaction) => write?.(transaction));
      billing.node = undefined;
    });
    expect(completion).toEqual({ unanswered: ['billing'] });
    expect(coordinator.unanswered()).toMatchObject([{ participants: ['billing'] }]);
    await expect(coordinator.resolve()).rejects.toMatchObject({ code: '08006' });
    await coordinator.close();

    const restarted = kept(coordinatorOf(home));
    billing.node = node;
    // Who has answered is not written down: all are told again.
    expect(restarted.unanswered()).toMatchObject([{ participants: ['billing', 'stock'] }]);
    restarted.register(billing);
    restarted.register(stock);
    await restarted.resolve();
    expect(contentOf((node as Node).mvcc)).toEqual({ x: 'billing' });
    expect(restarted.unanswered()).toEqual([]);
    await vi.waitFor(() => expect(decisionsOf(home)).toEqual([]));
  });

  it('keeps asking by itself, less and less often', async () => {
    const { home, billing, coordinator } = await world();
    const { node } = billing;
    await coordinator.commit([writing(billing, 'x')], async (write) => {
      await home.mvcc.run((transaction) => write?.(transaction));
      billing.node = undefined;
    });
    await new Promise((resolve) => setTimeout(resolve, 10));
    billing.node = node;
    await vi.waitFor(() => expect(contentOf((node as Node).mvcc)).toEqual({ x: 'billing' }));
  });

  it('takes a vote that does not come for a no, and rolls back what comes after all', async () => {
    const { billing, stock, coordinator } = await world({ answerMsMax: 20 });
    const late = writing(stock, 'x');
    let letGo: (() => void) | undefined;
    const slow: Branch = {
      ...late,
      prepare: async (gid) => {
        await new Promise<void>((resolve) => (letGo = resolve));
        return late.prepare(gid);
      },
    };
    expect(await failed(coordinator.commit([writing(billing, 'x'), slow]))).toMatchObject({
      code: '40000',
      message: expect.stringContaining('has not answered within 20 ms') as unknown,
    });
    letGo?.();
    const { mvcc } = stock.node as Node;
    await vi.waitFor(() => expect(mvcc.stats().begun).toBeGreaterThan(0));
    await vi.waitFor(() => expect([mvcc.prepared().length, mvcc.stats().live]).toEqual([0, 0]));
    expect(contentOf(mvcc)).toEqual({});
  });

  it('need not be heard when it rolls back: who is down finds out later', async () => {
    const { logger, lines } = keepingLogger();
    const { billing, stock, coordinator } = await world({ logger });
    const { node } = billing;
    const refusing: Branch = {
      participant: 'stock',
      prepare: async () => {
        await vi.waitFor(() => expect((node as Node).mvcc.prepared()).toHaveLength(1));
        billing.node = undefined;
        throw new Error('a deferred constraint');
      },
      abandon: stock.begin().branch.abandon,
    };
    expect(await failed(coordinator.commit([writing(billing, 'x'), refusing]))).toMatchObject({
      code: '40000',
      message: 'the transaction was rolled back: a deferred constraint',
    });
    await vi.waitFor(() => expect(lines.join('\n')).toContain('does not answer'));
    billing.node = node;
    await vi.waitFor(() => expect((node as Node).mvcc.prepared()).toEqual([]));
    expect(contentOf((node as Node).mvcc)).toEqual({});
    await vi.waitFor(() => expect(lines.join('\n')).toContain('in doubt was ended'));
  });

  it('goes on when a decision that all have heard cannot be removed, or an epoch not begun', async () => {
    const { logger, lines } = keepingLogger();
    const { home, billing, coordinator } = await world({ logger });
    const run = vi.spyOn(home.mvcc, 'run');
    run.mockRejectedValueOnce(new Error('no room for an epoch'));
    const first = writing(billing, 'x');
    expect(await failed(coordinator.commit([first]))).toMatchObject({ message: 'no room for an epoch' });
    expect((billing.node as Node).mvcc.stats().live).toBe(0);
    await coordinator.commit([writing(billing, 'y')], async (write) => {
      await home.mvcc.run((transaction) => write?.(transaction));
      run.mockRejectedValueOnce(new Error('no room'));
    });
    await vi.waitFor(() => expect(lines).toContain('a decision that all have heard could not be removed'));
    const restarted = kept(coordinatorOf(home));
    restarted.register(billing);
    await restarted.resolve();
    await vi.waitFor(() => expect(decisionsOf(home)).toEqual([]));
  });

  it('asks a participant again that is busy, and a stranger whom nobody can reach', async () => {
    const { billing, coordinator } = await world();
    const { mvcc } = billing.node as Node;
    const transaction = mvcc.begin();
    put(transaction, 'x', '1');
    await transaction.prepare('phantom:home:1:1:billing', '');
    const participant = localParticipant('billing', mvcc);
    const twice = await Promise.allSettled([
      participant.rollback('phantom:home:1:1:billing'),
      participant.rollback('phantom:home:1:1:billing'),
    ]);
    expect(twice).toMatchObject([{ value: 'ended' }, { reason: { code: '55006' } }]);
    coordinator.register(new Remote('gone', undefined));
    await expect(coordinator.resolve()).rejects.toMatchObject({ code: '08006' });
    await coordinator.unregister('gone');
    await coordinator.unregister('gone');
    await coordinator.resolve();
  });

  it('tells the others when it fails at one, and has defaults', async () => {
    const home = kept(await Node.open());
    const billing = new Remote('billing', kept(await Node.open()));
    const { mvcc } = billing.node as Node;
    for (const number of [1, 2]) {
      const transaction = mvcc.begin();
      put(transaction, `${number}`, 'x');
      await transaction.prepare(`phantom:home:1:${number}:billing`, '');
    }
    const before = kept(coordinatorOf(home));
    await before.commit([]);
    const rollback = vi.spyOn(billing, 'rollback').mockRejectedValueOnce(new Error('not now'));
    const coordinator = kept(new Coordinator(home.mvcc, { name: 'home', space: DECISION_SPACE }));
    coordinator.register(billing);
    await vi.waitFor(() => expect(rollback.mock.calls.length).toBeGreaterThan(1));
    expect(rollback.mock.calls.slice(0, 2)).toEqual([['phantom:home:1:1:billing'], ['phantom:home:1:2:billing']]);
    await vi.waitFor(() => coordinator.resolve());
    expect(mvcc.prepared()).toEqual([]);
  });

  it('says so when somebody else has ended what had voted to commit', async () => {
    const { logger, lines } = keepingLogger();
    const { home, billing, coordinator } = await world({ logger });
    await coordinator.commit([writing(billing, 'x')], async (write) => {
      await home.mvcc.run((transaction) => write?.(transaction));
      const { mvcc } = billing.node as Node;
      await mvcc.rollbackPrepared((mvcc.prepared()[0] as { identifier: string }).identifier);
    });
    expect(lines.join('\n')).toContain('somebody else ended it');
  });

  it('refuses branches of nobody, two of one, and names that are none, and lets go of the work', async () => {
    const { home, billing, coordinator } = await world();
    const stranger = new Remote('stranger', billing.node as Node);
    expect(await failed(coordinator.commit([writing(stranger, 'x')]))).toMatchObject({ code: '42704' });
    expect(await failed(coordinator.commit([writing(billing, 'x'), writing(billing, 'y')]))).toMatchObject({
      code: '22023',
    });
    expect((billing.node as Node).mvcc.stats().live).toBe(0);
    expect(() => coordinator.register(billing)).toThrow('is registered already');
    expect(() => coordinator.register(new Remote('a:b', billing.node as Node))).toThrow('cannot be the name');
    expect(() => coordinatorOf(home, { name: '' })).toThrow('cannot be the name of a coordinator');
    await coordinator.unregister('billing');
    await coordinator.close();
    expect(await failed(coordinator.commit([]))).toMatchObject({ code: '55000' });
  });

  it('counts', async () => {
    const metrics = new MetricsRegistry();
    const { home, billing, coordinator } = await world({ metrics, retryMs: 60_000, retryMsMax: 60_000 });
    await coordinator.commit([writing(billing, 'x')]);
    await failed(coordinator.commit([writing(billing, 'y')], () => Promise.reject(new Error('no'))));
    await coordinator.commit([writing(billing, 'z')], async (write) => {
      await home.mvcc.run((transaction) => write?.(transaction));
      billing.node = undefined;
    });
    const values = Object.fromEntries(
      metrics.samples().map((one) => [one.name, one.kind === 'histogram' ? 0 : one.value]),
    );
    expect(values).toMatchObject({
      phantom_2pc_committed_total: 2,
      phantom_2pc_aborted_total: 1,
      phantom_2pc_unanswered: 1,
      phantom_2pc_resolved_total: 0,
    });
    expect(values['phantom_2pc_unanswered_age_ms']).toBeGreaterThanOrEqual(0);
  });

  it('reads no log of a newer release, and none that is broken', async () => {
    const home = kept(await Node.open());
    const write = (value: string): Promise<void> =>
      home.mvcc.run((transaction) => put(transaction, '\u0002\0\0\0\u0001\0\0\0\u0001', value, DECISION_SPACE));
    for (const [value, code] of [
      ['{"format":2}', '0A000'],
      ['{', 'XX001'],
      ['null', 'XX001'],
      ['{"format":1}', 'XX001'],
    ] as const) {
      await write(value);
      expect(await failed(Promise.resolve().then(() => coordinatorOf(home)))).toMatchObject({ code });
    }
  });
});

describe('the names of branches', () => {
  it('are read back, and nothing else is', () => {
    const id = { coordinator: 'a'.repeat(64), epoch: 0xffff_ffff, number: 0xffff_ffff, participant: 'b'.repeat(64) };
    expect(parseGid(gidOf(id))).toEqual(id);
    expect(gidOf(id).length).toBeLessThan(200);
    for (const other of ['', 'x', 'phantom:a:1:1', 'phantom:a:01:1:b', 'phantom:a:x:1:b', 'phantom:a:1:1:b:c']) {
      expect(parseGid(other)).toBeUndefined();
    }
  });

  it('say what becomes of what is in doubt', () => {
    const facts = {
      coordinator: 'home',
      lastEpoch: 2,
      isDecided: ({ number }: { number: number }) => number === 7,
      isUndecided: ({ number }: { number: number }) => number === 8,
    };
    const on = (gid: string): string => verdictOn(gid, 'billing', facts);
    expect(on('phantom:home:2:7:billing')).toBe('commit');
    expect(on('phantom:before-the-backup:1:7:billing')).toBe('commit');
    expect(on('phantom:home:2:8:billing')).toBe('leave');
    expect(on('phantom:home:3:1:billing')).toBe('leave');
    expect(on('phantom:home:1:1:stock')).toBe('leave');
    expect(on('phantom:other:1:1:billing')).toBe('leave');
    expect(on('somebody else')).toBe('leave');
    expect(on('phantom:home:1:1:billing')).toBe('rollback');
    expect(on('phantom:home:2:9:billing')).toBe('rollback');
  });
});
