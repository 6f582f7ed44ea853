/** Serializable: what commits has a serial order, what need not lose rarely does, and memory stays within its limits. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ReadSet } from '../src/read-set.js';
import { WrittenKeys } from '../src/written-keys.js';
import { compareKeys } from '@phantom/base';
import { ByteSlot, WriteBatch, keyAfter } from '@phantom/kv';
import type { Isolation, Mvcc, MvccTransaction } from '../src/index.js';
import {
  ALL,
  codeOf,
  drainCursor,
  keyOf,
  openMvcc,
  openSlow,
  put,
  rangeOf,
  read,
  remove,
  seed,
  settle,
  thrownBy,
} from './support.js';

const KEYS = ['a', 'b', 'c', 'd'];

/** One step of one of a few transactions. */
type Step =
  | { readonly kind: 'read' | 'write' | 'remove'; readonly by: number; readonly key: string }
  | {
      readonly kind: 'scan';
      readonly by: number;
      readonly key: string;
      readonly entries: number;
      readonly backward: boolean;
    }
  | { readonly kind: 'end'; readonly by: number };

const TRANSACTIONS = 4;
const by = fc.integer({ min: 0, max: TRANSACTIONS - 1 });
const key = fc.constantFrom(...KEYS);
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('read' as const, 'write' as const), by, key }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('remove' as const), by, key }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('scan' as const),
      by,
      key,
      entries: fc.integer({ min: 0, max: 3 }),
      backward: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), by }) },
);

/** What a transaction did, so that it can be done again in another order, on a model. */
interface Deed {
  readonly step: Step;
  readonly saw: string;
  readonly wrote: string;
}

class History {
  readonly deeds: Deed[][] = [];
  readonly committed: number[] = [];
  lost = 0;
}

async function play(mvcc: Mvcc, steps: readonly Step[], isolation: Isolation, readOnlyFrom: number): Promise<History> {
  const history = new History();
  const live: (MvccTransaction | undefined)[] = [];
  const ended = new Set<number>();
  let value = 0;
  const finish = async (who: number): Promise<void> => {
    const transaction = live[who];
    live[who] = undefined;
    ended.add(who);
    if (transaction === undefined) return;
    try {
      await transaction.commit();
      history.committed.push(who);
    } catch {
      history.lost++;
    }
  };
  for (const step of steps) {
    const { by: who } = step;
    if (ended.has(who)) continue;
    if (step.kind === 'end') {
      await finish(who);
      continue;
    }
    const readOnly = who >= readOnlyFrom;
    if (readOnly && (step.kind === 'write' || step.kind === 'remove')) continue;
    const transaction = (live[who] ??= mvcc.begin({ isolation, readOnly }));
    const deeds = (history.deeds[who] ??= []);
    transaction.beginStatement();
    if (step.kind === 'read') deeds.push({ step, saw: read(transaction, step.key) ?? '', wrote: '' });
    else if (step.kind === 'scan') deeds.push({ step, saw: scan(transaction, step), wrote: '' });
    else if (step.kind === 'remove') {
      remove(transaction, step.key);
      deeds.push({ step, saw: '', wrote: '' });
    } else {
      put(transaction, step.key, String(++value));
      deeds.push({ step, saw: '', wrote: String(value) });
    }
  }
  for (let who = 0; who < TRANSACTIONS; who++) if (!ended.has(who)) await finish(who);
  return history;
}

function scan(transaction: MvccTransaction, { key, entries, backward }: Step & { kind: 'scan' }): string {
  const cursor = transaction.cursor(backward ? rangeOf('a', key) : rangeOf(key, 'z'));
  const seen: string[] = [];
  while (seen.length < entries && (backward ? cursor.prev() : cursor.next())) {
    seen.push(
      `${new TextDecoder().decode(cursor.key.copy().subarray(4))}=${new TextDecoder().decode(cursor.value.copy())}`,
    );
  }
  cursor.close();
  return seen.join(' ');
}

/** Does the deeds one transaction after the other; false when one would have seen something else. */
function explains(order: readonly number[], history: History, initial: ReadonlyMap<string, string>): boolean {
  const state = new Map(initial);
  for (const who of order) {
    for (const { step, saw, wrote } of history.deeds[who] ?? []) {
      if (step.kind === 'write') state.set(step.key, wrote);
      else if (step.kind === 'remove') state.delete(step.key);
      else if (step.kind === 'read' && (state.get(step.key) ?? '') !== saw) return false;
      else if (step.kind === 'scan') {
        const keys = [...state.keys()].sort().filter((k) => (step.backward ? k < step.key : k >= step.key));
        if (step.backward) keys.reverse();
        const shown = keys.slice(0, step.entries).map((k) => `${k}=${state.get(k)}`);
        if (shown.join(' ') !== saw) return false;
      }
    }
  }
  return true;
}

function* orders(items: readonly number[]): Iterable<number[]> {
  if (items.length === 0) yield [];
  for (const item of items) for (const rest of orders(items.filter((i) => i !== item))) yield [item, ...rest];
}

function hasSerialOrder(history: History, initial: ReadonlyMap<string, string>): boolean {
  for (const order of orders(history.committed)) if (explains(order, history, initial)) return true;
  return false;
}

const INITIAL = new Map([
  ['a', 'x'],
  ['c', 'y'],
]);

async function countUnserializable(isolation: Isolation, runs: number): Promise<{ bad: number; lost: number }> {
  let bad = 0;
  let lost = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 6, maxLength: 28 }),
      fc.integer({ min: 1, max: TRANSACTIONS }),
      async (steps, readOnlyFrom) => {
        const { mvcc, store } = await openMvcc();
        await seed(mvcc, Object.fromEntries(INITIAL));
        const history = await play(mvcc, steps, isolation, readOnlyFrom);
        if (!hasSerialOrder(history, INITIAL)) bad++;
        lost += history.lost;
        await store.drain();
        const { serializableRecords, live } = mvcc.stats();
        expect([serializableRecords, live]).toEqual([0, 0]);
        await mvcc.close();
        await store.close({ checkpoint: false });
        return isolation !== 'serializable' || bad === 0;
      },
    ),
    { numRuns: runs, seed: 4 },
  );
  return { bad, lost };
}

describe('random histories of serializable transactions', () => {
  it('have a serial order, and most transactions commit', async () => {
    const { bad, lost } = await countUnserializable('serializable', 600);
    expect(bad).toBe(0);
    expect(lost).toBeGreaterThan(40);
    expect(lost).toBeLessThan(600);
  });

  it('have none at repeatable read: the check can tell', async () => {
    expect((await countUnserializable('repeatable read', 250)).bad).toBeGreaterThan(3);
  });
});

describe('a read set', () => {
  const anyKey = fc
    .tuple(fc.constantFrom(1, 2), fc.uint8Array({ maxLength: 3 }))
    .map(([space, rest]) => new Uint8Array([0, 0, 0, space, ...rest]));
  const reading = fc.oneof(
    fc.record({ lower: anyKey, upper: fc.constant(undefined) }),
    fc.record({ lower: anyKey, upper: anyKey }),
  );

  it('finds whatever was read, however coarse it has become', () => {
    fc.assert(
      fc.property(fc.array(reading, { maxLength: 80 }), fc.constantFrom(700, 2000, 100_000), (readings, bytesMax) => {
        const reads = new ReadSet(bytesMax);
        const read: Uint8Array[] = [];
        for (const { lower, upper } of readings) {
          if (upper === undefined) {
            reads.addRow(lower, 0, lower.length);
            read.push(lower);
          } else {
            reads.addRange(lower.slice(), upper.slice());
            if (compareKeys(lower, upper) < 0)
              read.push(
                lower,
                keyAfter(lower).length < 9 && compareKeys(keyAfter(lower), upper) < 0 ? keyAfter(lower) : lower,
              );
          }
        }
        for (const key of read) {
          const batch = new WriteBatch();
          batch.remove(key, 0, key.length);
          expect(reads.firstRead(new WrittenKeys(batch.finish()))).toBe(0);
          expect(reads.touches(key, keyAfter(key))).toBe(true);
        }
        expect(reads.bytes).toBeLessThanOrEqual(Math.max(bytesMax, 3 * 700));
      }),
      { numRuns: 400, seed: 1 },
    );
  });

  it('of exact rows and ranges has nothing else', () => {
    const reads = new ReadSet(1 << 20);
    for (const name of ['b', 'd']) reads.addRow(keyOf(name), 0, keyOf(name).length);
    reads.addRange(keyOf('m'), keyOf('p'));
    const isRead = (name: string): boolean => {
      const batch = new WriteBatch();
      batch.remove(keyOf(name), 0, keyOf(name).length);
      return reads.firstRead(new WrittenKeys(batch.finish())) === 0;
    };
    expect(['a', 'b', 'c', 'd', 'e', 'l', 'm', 'o', 'p'].filter(isRead)).toEqual(['b', 'd', 'm', 'o']);
    expect(reads.promotions).toBe(0);
  });

  it('of very many rows takes a bounded amount, whichever way they were read', async () => {
    const { mvcc } = await openMvcc({ readSetBytesMax: 64 * 1024 });
    await seed(mvcc, { a: '1' });
    const rows = mvcc.begin({ isolation: 'serializable' });
    rows.beginStatement();
    const slot = new ByteSlot();
    const some = keyOf('        ');
    const view = new DataView(some.buffer);
    for (let i = 0; i < 300_000; i++) {
      view.setUint32(4, Math.imul(i, 0x9e3779b1));
      rows.get(some, 0, some.length, slot);
    }
    const [info] = mvcc.transactions();
    expect(info?.readSetBytes).toBeLessThanOrEqual(64 * 1024);
    rows.rollback();
  });
});

describe('committed serializable transactions', () => {
  it('are remembered while somebody may conflict with them, and no longer', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1', b: '1' });
    const old = mvcc.begin({ isolation: 'serializable' });
    old.beginStatement();
    for (let i = 0; i < 10; i++) {
      const short = mvcc.begin({ isolation: 'serializable' });
      read(short, 'a');
      put(short, 'b', String(i));
      await short.commit();
    }
    expect(mvcc.stats().serializableRecords).toBe(10);
    expect(mvcc.stats().serializableBytes).toBeGreaterThan(10 * 200);
    old.rollback();
    expect(mvcc.stats()).toMatchObject({ serializableRecords: 0, serializableBytes: 0 });
  });

  it('past the limit are forgotten, and the old snapshot is told why it loses', async () => {
    const { mvcc } = await openMvcc({ serializableBytesMax: 8000 });
    await seed(mvcc, { a: '1', b: '1' });
    const old = mvcc.begin({ isolation: 'serializable' });
    read(old, 'c');
    for (let i = 0; i < 40; i++) {
      const short = mvcc.begin({ isolation: 'serializable' });
      read(short, 'a');
      put(short, 'b', String(i));
      await short.commit();
    }
    expect(mvcc.stats().serializableBytes).toBeLessThanOrEqual(8000);
    put(old, 'c', '1');
    const error = thrownBy(() => old.commitSync());
    expect(error).toMatchObject({ code: '40001', message: 'could not serialize access: the snapshot is too old' });
    expect(error.detail).toContain('had to be forgotten (8000 bytes)');
    const next = mvcc.begin({ isolation: 'serializable' });
    put(next, 'c', '1');
    next.commitSync();
  });

  it('past the limit leave nobody safe who might have had to know them', async () => {
    const { mvcc } = await openSlow({ serializableBytesMax: 4000 });
    await seed(mvcc, { a: '1', b: '1' });
    const pivot = mvcc.begin({ isolation: 'serializable' });
    read(pivot, 'a');
    const earlier = mvcc.begin({ isolation: 'serializable' });
    put(earlier, 'a', '2');
    await earlier.commit();
    put(pivot, 'b', '2');
    const queued = [pivot.commit()];
    for (let i = 0; i < 20; i++) {
      const other = mvcc.begin({ isolation: 'serializable' });
      read(other, 'c');
      put(other, `k${i}`, '1');
      // Those whose snapshot is too old by then lose as well.
      queued.push(other.commit().catch(() => ({ seq: 0, durability: 'fsync' })));
    }
    const reader = mvcc.begin({ isolation: 'serializable', readOnly: true });
    expect([read(reader, 'a'), read(reader, 'b')]).toEqual(['2', '1']);
    await expect(reader.commit()).rejects.toMatchObject({ code: '40001' });
    await Promise.all(queued);
  });

  it('that are queued count for snapshots taken meanwhile', async () => {
    const { mvcc, store } = await openSlow();
    await seed(mvcc, { a: '1', b: '1' });
    const first = mvcc.begin({ isolation: 'serializable' });
    read(first, 'a');
    put(first, 'b', '2');
    const done = first.commit();
    const second = mvcc.begin({ isolation: 'serializable' });
    expect(read(second, 'b')).toBe('1');
    put(second, 'a', '2');
    await expect(second.commit()).rejects.toMatchObject({ code: '40001' });
    await done;
    await store.drain();
    expect(mvcc.stats().serializableRecords).toBe(0);
  });
});

describe('a read-only serializable transaction', () => {
  it('that begins beside no writer remembers nothing', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1' });
    const reader = mvcc.begin({ isolation: 'serializable', readOnly: true });
    expect(reader.whenSafe()).toBeUndefined();
    expect(reader.tracksReads).toBe(false);
    drainCursor(reader.cursor(ALL));
    reader.commitSync();
  });

  it('becomes safe when the writers beside it have ended well', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1' });
    const writers = [1, 2].map(() => mvcc.begin({ isolation: 'serializable' }));
    for (const writer of writers) read(writer, 'a');
    const reader = mvcc.begin({ isolation: 'serializable', readOnly: true });
    drainCursor(reader.cursor(ALL));
    expect(reader.tracksReads).toBe(true);
    writers[0]?.rollback();
    expect(reader.tracksReads).toBe(true);
    put(writers[1] as MvccTransaction, 'b', '1');
    writers[1]?.commitSync();
    expect(reader.tracksReads).toBe(false);
    reader.commitSync();
  });

  it('that is deferrable takes another snapshot when the first one turns out unsafe', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1', b: '1' });
    const pivot = mvcc.begin({ isolation: 'serializable' });
    read(pivot, 'b');
    const earlier = mvcc.begin({ isolation: 'serializable' });
    put(earlier, 'b', '2');
    earlier.commitSync();
    const reader = mvcc.begin({ isolation: 'serializable', readOnly: true });
    const safe = reader.whenSafe();
    const firstSeq = reader.snapshotSeq;
    put(pivot, 'a', '2');
    pivot.commitSync();
    await safe;
    expect(reader.snapshotSeq).toBeGreaterThan(firstSeq);
    expect(drainCursor(reader.cursor(ALL))).toEqual(['a=2', 'b=2']);
    reader.commitSync();
  });

  it('that is deferrable has one safe snapshot, however often it is asked for', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1', b: '1' });
    const [pivot, beside] = [1, 2].map(() => mvcc.begin({ isolation: 'serializable' })) as MvccTransaction[];
    read(pivot as MvccTransaction, 'b');
    read(beside as MvccTransaction, 'c');
    const earlier = mvcc.begin({ isolation: 'serializable' });
    put(earlier, 'b', '2');
    earlier.commitSync();
    const reader = mvcc.begin({ isolation: 'serializable', readOnly: true });
    const first = reader.whenSafe();
    const second = reader.whenSafe();
    expect(second).toBe(first);
    put(pivot as MvccTransaction, 'a', '2');
    pivot?.commitSync();
    beside?.rollback();
    await second;
    const { snapshotSeq } = reader;
    expect(reader.whenSafe()).toBeUndefined();
    await seed(mvcc, { a: '3' });
    await settle();
    expect(reader.snapshotSeq).toBe(snapshotSeq);
    expect(drainCursor(reader.cursor(ALL))).toEqual(['a=2', 'b=2']);
    reader.commitSync();
  });

  it('that is rolled back while it waits is told so', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { a: '1' });
    const writer = mvcc.begin({ isolation: 'serializable' });
    read(writer, 'a');
    const reader = mvcc.begin({ isolation: 'serializable', readOnly: true });
    const safe = reader.whenSafe();
    reader.rollback();
    await expect(safe).rejects.toMatchObject({ code: '25000' });
    writer.rollback();
    await settle();
  });
});

describe('a row that was looked for in an index, and not found', () => {
  /**
   * A scanner looks through an index and finds nothing; a maker enters a row there; an updater overwrites the row and ends; then
   * a reader begins, and misses what the scanner writes: scanner, maker, updater, reader, scanner. Whether all commit.
   */
  async function allCommit(maker: Isolation): Promise<boolean> {
    const { mvcc } = await openMvcc();
    const [scanner, updater] = [mvcc.begin({ isolation: 'serializable' }), mvcc.begin({ isolation: 'serializable' })];
    expect(drainCursor(scanner.cursor(rangeOf('index', 'index~')))).toEqual([]);
    const made = mvcc.begin({ isolation: maker });
    put(made, 'index 7', '');
    put(made, 'row 7', '1');
    made.commitSync();
    expect(read(updater, 'row 7')).toBe('1');
    put(updater, 'row 7', '2');
    updater.commitSync();
    const reader = mvcc.begin({ isolation: 'serializable' });
    expect(read(reader, 'other')).toBeUndefined();
    put(scanner, 'other', '1');
    scanner.commitSync();
    return (await codeOf(reader.commit())) === 'done';
  }

  it('is depended on through whoever made it, if that one is serializable', async () => {
    expect(await allCommit('serializable')).toBe(false);
    // As in PostgreSQL: nobody watches who makes the row, and who overwrites it changes nothing that was looked at.
    expect(await allCommit('repeatable read')).toBe(true);
    expect(await allCommit('read committed')).toBe(true);
  });
});

describe('what was read where nobody writes any more', () => {
  const putIn = (transaction: MvccTransaction, space: number): void =>
    transaction.put(new Uint8Array([0, 0, 0, space, 7]), 0, 5, new Uint8Array(1), 0, 1);

  /** A reader of space 1 that writes 'b', and one beside it that reads 'b' and writes in another space: whether both commit. */
  async function bothCommit(mvcc: Mvcc, between: (seq: number) => void): Promise<boolean> {
    const reader = mvcc.begin({ isolation: 'serializable' });
    read(reader, 'a');
    const other = mvcc.begin({ isolation: 'serializable' });
    read(other, 'b');
    const mover = mvcc.begin();
    put(mover, 'moved', '1');
    between(mover.commitSync().seq);
    put(reader, 'b', '2');
    reader.commitSync();
    putIn(other, 3);
    return (await other.commit().catch((error: { code: string }) => error.code)) !== '40001';
  }

  it('counts for the space where rows are written now, over several moves', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { b: '1' });
    expect(await bothCommit(mvcc, () => undefined)).toBe(true);
    const moved = (seq: number): void => {
      mvcc.spaceLeft(1, 2, seq);
      mvcc.spaceLeft(2, 3, seq);
    };
    expect(await bothCommit(mvcc, moved)).toBe(false);
    expect(await bothCommit(mvcc, (seq) => mvcc.spaceLeft(1, 4, seq))).toBe(true);
  });

  it('counts for ranges that are removed there', async () => {
    const { mvcc } = await openMvcc();
    const reader = mvcc.begin({ isolation: 'serializable' });
    read(reader, 'a');
    const other = mvcc.begin({ isolation: 'serializable' });
    read(other, 'b');
    mvcc.spaceLeft(1, 3, 1);
    put(reader, 'b', '2');
    reader.commitSync();
    other.removeRange({ lower: new Uint8Array([0, 0, 0, 3]), upper: new Uint8Array([0, 0, 0, 4]) });
    expect(thrownBy(() => other.commitSync()).code).toBe('40001');
  });

  it('is forgotten past so many moves, and snapshots from before lose', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { b: '1' });
    const before = mvcc.begin({ isolation: 'serializable' });
    read(before, 'b');
    const mover = mvcc.begin();
    put(mover, 'moved', '1');
    const { seq } = mover.commitSync();
    for (let space = 100; space < 4300; space++) mvcc.spaceLeft(space, 99, seq);
    put(before, 'd', '1');
    expect(thrownBy(() => before.commitSync())).toMatchObject({ code: '40001' });
  });
});

describe('lost races', () => {
  it('are counted for each key, and errors name the winner and both statements', async () => {
    const { mvcc } = await openMvcc();
    await seed(mvcc, { hot: '1', cool: '1' });
    for (let i = 0; i < 5; i++) {
      const key = i === 0 ? 'cool' : 'hot';
      const winner = mvcc.begin({ isolation: 'serializable', label: 'winner' });
      const loser = mvcc.begin({ isolation: 'serializable' });
      loser.beginStatement(`update t set a = 1\n where k = '${key}'`);
      winner.beginStatement('the one that came first');
      put(loser, key, '2');
      put(winner, key, '3');
      winner.commitSync();
      const error = thrownBy(() => loser.commitSync());
      expect(error.detail).toMatch(
        /^Transaction \d+ \(winner\) wrote key .* This transaction's statement: "update t set a = 1 where k = '.*'"\. Statement of transaction \d+ \(winner\): "the one that came first"\.$/,
      );
    }
    expect(mvcc.conflicts().map(({ count, countErrorMax }) => [count, countErrorMax])).toEqual([
      [4, 0],
      [1, 0],
    ]);
  });

  it('are counted for so many keys at the most', async () => {
    const { mvcc } = await openMvcc();
    for (let i = 0; i < 300; i++) {
      const key = `k${i}`;
      const winner = mvcc.begin({ isolation: 'repeatable read' });
      const loser = mvcc.begin({ isolation: 'repeatable read' });
      for (const transaction of [winner, loser]) {
        transaction.beginStatement();
        put(transaction, key, '1');
      }
      winner.commitSync();
      expect(thrownBy(() => loser.commitSync()).code).toBe('40001');
    }
    const counts = mvcc.conflicts();
    expect(counts).toHaveLength(256);
    expect(counts[0]).toMatchObject({ count: 2, countErrorMax: 1 });
  });
});
