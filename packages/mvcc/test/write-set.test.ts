/** The write set and the cursors over it against a model: a list of operations, read from the end. */
import { Random } from '@phantom/base';
import { btree } from '@phantom/btree';
import {
  ByteSlot,
  CursorBatch,
  EngineCode,
  type KeyRange,
  type KvCursor,
  type SpilledWrites,
  Written,
} from '@phantom/kv';
import type { StoreView } from '@phantom/store';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '@phantom/store';
import { createMvcc } from '../src/index.js';
import { NOBODY } from '../src/merge-cursor.js';
import { openMerge } from '../src/open-cursors.js';
import { HashTable } from '../src/hash-table.js';
import { EVERYTHING, NOTHING, type WriteMark, WriteSet } from '../src/write-set.js';
import { entryOf, keyOf, openMemoryStore, put, rangeOf } from './support.js';

const UTF8 = new TextEncoder();
const KEYS = 24;
const name = (i: number): string => `k${String(i).padStart(2, '0')}`;

type Operation =
  | { kind: 'put'; key: number; value: string; offset: number }
  | { kind: 'remove'; key: number; offset: number }
  | { kind: 'range'; from: number; to: number; offset: number };

class Model {
  operations: Operation[] = [];

  stateAt(limit: number): Map<number, string | undefined> {
    const state = new Map<number, string | undefined>();
    for (const operation of this.operations) {
      if (operation.offset >= limit) break;
      if (operation.kind === 'put') state.set(operation.key, operation.value);
      else if (operation.kind === 'remove') state.set(operation.key, undefined);
      else for (let key = operation.from; key < operation.to; key++) state.set(key, undefined);
    }
    return state;
  }
}

type Command =
  | { do: 'put'; key: number; value: string }
  | { do: 'row'; from: number; value: string }
  | { do: 'remove'; key: number }
  | { do: 'range'; from: number; width: number }
  | { do: 'mark' }
  | { do: 'put aside' }
  | { do: 'truncate'; back: number };

const key = fc.nat(KEYS - 1);
/** Enough ascending keys not to be looked through one by one. */
const row = fc.record({ do: fc.constant('row' as const), from: fc.nat(KEYS - 12), value: fc.string({ maxLength: 6 }) });
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 1, arbitrary: row },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('put' as const), key, value: fc.string({ maxLength: 6 }) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('remove' as const), key }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('range' as const), from: key, width: fc.nat(5) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('mark' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('put aside' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('truncate' as const), back: fc.nat(3) }) },
);

function putAside(writes: WriteSet): WriteSet {
  const spilled = writes.spilled ?? (disk.spill(1 << EngineCode.Btree) as SpilledWrites);
  const steps = writes.puttingAside(spilled, new HashTable(), () => undefined);
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

/** Runs commands on a write set and on the model; the write set in which it ends, and the places at which marks were taken. */
function play(commands: readonly Command[], began: WriteSet, model: Model): { writes: WriteSet; limits: number[] } {
  const marks: WriteMark[] = [];
  let writes = began;
  const putOne = (key: number, text: string): void => {
    const bytes = keyOf(name(key));
    const value = UTF8.encode(text);
    model.operations.push({ kind: 'put', key, value: text, offset: writes.place });
    writes.put(bytes, 0, bytes.length, value, 0, value.length);
  };
  for (const step of commands) {
    const offset = writes.place;
    if (step.do === 'put') {
      putOne(step.key, step.value);
    } else if (step.do === 'row') {
      for (let key = step.from; key < KEYS; key++) putOne(key, step.value);
    } else if (step.do === 'remove') {
      const bytes = keyOf(name(step.key));
      writes.remove(bytes, 0, bytes.length);
      model.operations.push({ kind: 'remove', key: step.key, offset });
    } else if (step.do === 'range') {
      const { lower, upper } = rangeOf(name(step.from), name(step.from + step.width));
      writes.removeRange(lower, upper as Uint8Array);
      model.operations.push({ kind: 'range', from: step.from, to: step.from + step.width, offset });
    } else if (step.do === 'mark') {
      marks.push(writes.mark());
    } else if (step.do === 'put aside') {
      if (writes.batch.count > 0) writes = putAside(writes);
    } else {
      const mark = marks[marks.length - 1 - step.back];
      if (mark === undefined) continue;
      marks.length -= step.back;
      writes.truncate(mark);
      model.operations = model.operations.filter(({ offset: at }) => at < mark.place);
    }
  }
  return { writes, limits: [NOTHING, ...marks.map(({ place }) => place), writes.place, EVERYTHING] };
}

/** Gives files for what is put aside. */
let disk: Store;
const value = new ByteSlot();

beforeAll(async () => {
  disk = await openMemoryStore({ engines: [btree({ idleMergeMs: 0 })] });
});

afterAll(() => disk.close());

describe('write set', () => {
  it('answers as the list of its operations does, at every offset', () => {
    fc.assert(
      fc.property(fc.option(row), fc.array(command, { maxLength: 80 }), (first, commands) => {
        const model = new Model();
        const all = first === null ? commands : [first, ...commands.slice(0, 10)];
        const { writes, limits } = play(all, new WriteSet(), model);
        for (const limit of limits) {
          const state = model.stateAt(limit);
          for (let i = 0; i < KEYS; i++) {
            const bytes = keyOf(name(i));
            const own = writes.lookup(bytes, 0, bytes.length, limit, value);
            const content = own === Written.Put ? new TextDecoder().decode(value.copy()) : undefined;
            const expected = state.get(i) === undefined ? Written.Removed : Written.Put;
            expect(own).toBe(state.has(i) ? expected : Written.Unknown);
            expect(content).toBe(state.get(i));
          }
        }
        expect(writes.isEmpty).toBe(model.operations.length === 0);
        if (writes.base === 0) expect(writes.batch.count).toBe(model.operations.length);
        for (let from = 0; from < KEYS; from += 5) {
          const touched = model.operations.some((operation) =>
            operation.kind === 'range'
              ? operation.from < from + 3 && operation.to > from && operation.from < operation.to
              : operation.key >= from && operation.key < from + 3,
          );
          // An empty range removal inside counts as touching: harmless, and rare.
          const hasRange = model.operations.some(({ kind }) => kind === 'range');
          const found = writes.touches(rangeOf(name(from), name(from + 3)));
          expect(hasRange ? found || !touched : found === touched).toBe(true);
        }
        writes.close();
      }),
      { seed: 4, numRuns: 200 },
    );
  });

  it('is used again when it stayed small, and is as new', () => {
    const writes = new WriteSet();
    play(
      [...Array(20).keys()].map((i) => ({ do: 'put', key: i % KEYS, value: 'x' })),
      writes,
      new Model(),
    );
    expect(writes.isReusable).toBe(true);
    writes.reset();
    expect(writes.isEmpty).toBe(true);
    const bytes = keyOf(name(3));
    expect(writes.lookup(bytes, 0, bytes.length, EVERYTHING, value)).toBe(Written.Unknown);
    const large = new Uint8Array(100_000);
    writes.put(bytes, 0, bytes.length, large, 0, large.length);
    expect([writes.isReusable, writes.isLent]).toEqual([false, true]);
    writes.batch.makeRoom(65 * 1024 * 1024);
    expect(writes.isLent).toBe(false);
  });
});

/** The entries of one fill. */
function filled(cursor: KvCursor, capacity: number): string[] {
  const batch = new CursorBatch(capacity);
  const text = (buffers: Uint8Array[], starts: Int32Array, ends: Int32Array, i: number, skipped: number): string =>
    new TextDecoder().decode(buffers[i]?.subarray((starts[i] as number) + skipped, ends[i]));
  const count = cursor.fill(batch);
  return Array.from({ length: count }, (_, i) => {
    const key = text(batch.keyBuffers, batch.keyStarts, batch.keyEnds, i, 4);
    return `${key}=${text(batch.valueBuffers, batch.valueStarts, batch.valueEnds, i, 0)}`;
  });
}

describe('merge cursor', () => {
  let store: Store;

  beforeAll(async () => {
    store = await openMemoryStore();
    const mvcc = createMvcc(store);
    const transaction = mvcc.begin();
    for (let i = 0; i < KEYS; i += 2) put(transaction, name(i), `s${i}`);
    await transaction.commit();
  });

  afterAll(() => store.close());

  const range: fc.Arbitrary<[number, number]> = fc.tuple(fc.nat(KEYS), fc.nat(KEYS));
  const move = fc.oneof(
    fc.constant({ do: 'next' as const }),
    fc.constant({ do: 'prev' as const }),
    fc.record({ do: fc.constant('seek' as const), key }),
    fc.record({ do: fc.constant('seekBefore' as const), key }),
    fc.record({ do: fc.constant('fill' as const), capacity: fc.integer({ min: 1, max: 6 }) }),
  );

  it('shows the store with own writes laid over, whichever way it is moved', () => {
    fc.assert(
      fc.property(
        fc.array(command, { maxLength: 40 }),
        range,
        fc.boolean(),
        fc.array(move, { maxLength: 30 }),
        fc.array(command, { maxLength: 12 }),
        (commands, [low, high], isOpen, moves, later) => {
          const model = new Model();
          const { writes, limits } = play(commands, new WriteSet(), model);
          const limit = limits[new Random(commands.length).below(limits.length - 1)] as number;
          const state = model.stateAt(limit);
          const shown: string[] = [];
          const keys: number[] = [];
          for (let i = low; i < (isOpen ? KEYS : high); i++) {
            const value = state.has(i) ? state.get(i) : i % 2 === 0 && i < KEYS ? `s${i}` : undefined;
            if (value === undefined) continue;
            shown.push(`${name(i)}=${value}`);
            keys.push(i);
          }
          const bounds: KeyRange = isOpen
            ? { lower: keyOf(name(low)), upper: undefined }
            : rangeOf(name(low), name(high));
          const view: StoreView = store.view();
          const cursor: KvCursor = openMerge(NOBODY, view, bounds, writes, limit);
          // What is written later is not shown, though it grows the write set into a tree.
          const { writes: grown } = play(
            later.filter((step) => step.do !== 'truncate'),
            writes,
            model,
          );
          // Place of the cursor among what it shows; -1 before, shown.length behind; undefined fresh.
          let place: number | undefined;
          const seen: string[] = [];
          const wanted: string[] = [];
          const check = (found: boolean): void => {
            seen.push(found ? entryOf(cursor) : 'nothing');
            wanted.push(shown[place as number] ?? 'nothing');
          };
          for (const step of moves) {
            if (step.do === 'next') {
              place = place === undefined ? 0 : Math.min(place + 1, shown.length);
              check(cursor.next());
            } else if (step.do === 'prev') {
              place = place === undefined ? shown.length - 1 : Math.max(place - 1, -1);
              check(cursor.prev());
            } else if (step.do === 'seek') {
              place = keys.findIndex((i) => i >= step.key);
              if (place === -1) place = shown.length;
              const bytes = keyOf(name(step.key));
              check(cursor.seek(bytes, 0, bytes.length));
            } else if (step.do === 'seekBefore') {
              place = keys.findLastIndex((i) => i < step.key);
              const bytes = keyOf(name(step.key));
              check(cursor.seekBefore(bytes, 0, bytes.length));
            } else {
              const first: number = place === undefined ? 0 : place + 1;
              const entries = filled(cursor, step.capacity);
              seen.push(...entries, entries.length === 0 ? 'end' : '');
              wanted.push(...shown.slice(first, first + entries.length), first < shown.length ? '' : 'end');
              place = entries.length === 0 ? shown.length : first + entries.length - 1;
            }
          }
          cursor.close();
          cursor.close();
          grown.close();
          expect(seen).toEqual(wanted);
          expect(store.stats().openViews).toBe(0);
        },
      ),
      { seed: 11, numRuns: 400 },
    );
  });
});
