/** What a bulk load of a tree alone must be: a write like others that takes neither log nor memory, whole or not at all. */
import type { Vfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';

interface Entry {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** A state of the tree, to be closed. */
interface Snapshot {
  scan(): Iterable<Entry>;
  close(): void;
}

/** What the suite needs of a tree. */
interface Tree {
  readonly store: {
    readonly visibleSeq: number;
    changes(options: { name: string; ranges: readonly { lower: Uint8Array; upper: Uint8Array }[] }): {
      next(): Promise<unknown>;
      close(): void;
    };
  };
  get(key: Uint8Array): Uint8Array | undefined;
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  load(entries: Iterable<Entry> | AsyncIterable<Entry>): Promise<{ readonly seq: number }>;
  scan(): Iterable<Entry>;
  snapshot(): Snapshot;
  stats(): {
    readonly wal: { readonly bytesAppended: number };
    readonly engines: readonly { readonly deltaBytes: number }[];
  };
  flush(): Promise<void>;
  check(): Promise<readonly unknown[]>;
  close(): Promise<void>;
}

interface LoadSuiteOptions {
  /** Code of the engine: the upper half of the first byte of its keys. */
  readonly code: number;
  /** Name of the engine, and of the directory of its files. */
  readonly engine: string;
  open(directory: string, vfs: Vfs): Promise<Tree>;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const entry = (number: number, value = 'x'): Entry => ({
  key: bytes(String(number).padStart(6, '0')),
  value: bytes(value.repeat(40)),
});
const entries = (from: number, to: number, value?: string): Entry[] =>
  Array.from({ length: to - from }, (_, i) => entry(from + i, value));

/** Registers the tests of loads in whatever `describe` it is called. */
export function loadSuite({ code, engine, open }: LoadSuiteOptions): void {
  it('take neither log nor memory, and are read like other writes', async () => {
    const db = await open('/load', new MemoryVfs());
    await db.put(entry(1500).key, bytes('older'));
    const appended = db.stats().wal.bytesAppended;
    const { seq } = await db.load(entries(1000, 4000));
    expect([seq, db.store.visibleSeq]).toEqual([2, 2]);
    expect(db.stats().wal.bytesAppended - appended).toBeLessThan(500);
    expect(db.stats().engines[0]?.deltaBytes).toBeLessThan(2000);
    await db.put(entry(2000).key, bytes('younger'));
    const read = () =>
      [1500, 2000, 3999].map((number) => String(Buffer.from(db.get(entry(number).key) ?? [])).slice(0, 7));
    expect(read()).toEqual(['xxxxxxx', 'younger', 'xxxxxxx']);
    await db.flush();
    expect(read()).toEqual(['xxxxxxx', 'younger', 'xxxxxxx']);
    expect([...db.scan()]).toHaveLength(3000);
    expect(await db.check()).toEqual([]);
    await db.close();
  });

  it('are seen by no view from before, and not before they are complete', async () => {
    const db = await open('/load', new MemoryVfs());
    await db.load(entries(0, 10, 'a'));
    const snapshot = db.snapshot();
    let seen = -1;
    async function* slowly(): AsyncGenerator<Entry> {
      yield* entries(5, 10, 'b');
      seen = [...db.scan()].filter(({ value }) => value[0] === 98).length;
      yield* entries(10, 15, 'b');
    }
    await db.load(slowly());
    expect(seen).toBe(0);
    expect([...snapshot.scan()].map(({ value }) => value[0])).toEqual(Array.from({ length: 10 }, () => 97));
    expect([...db.scan()].filter(({ value }) => value[0] === 98)).toHaveLength(10);
    snapshot.close();
    await db.close();
  });

  it('leave nothing when they are refused', async () => {
    const vfs = new MemoryVfs();
    const db = await open('/load', vfs);
    await db.load([]);
    const files = vfs.list(`/load/${engine}`);
    await expect(db.load([entry(2), entry(1)])).rejects.toMatchObject({ code: '22023' });
    await expect(db.load([entry(2), entry(2)])).rejects.toMatchObject({ code: '22023' });
    await expect(
      db.load(
        (function* () {
          yield entry(1);
          throw new Error('of the caller');
        })(),
      ),
    ).rejects.toThrow('of the caller');
    expect([...db.scan()]).toEqual([]);
    expect(vfs.list(`/load/${engine}`)).toEqual(files);
    expect(db.store.visibleSeq).toBe(0);
    await db.close();
  });

  it('are not passed over in silence by who follows changes', async () => {
    const db = await open('/load', new MemoryVfs());
    const [lower, upper] = [Uint8Array.of(code << 4), Uint8Array.of((code << 4) + 1)];
    const feed = db.store.changes({ name: 'test', ranges: [{ lower, upper }] });
    const next = feed.next();
    await db.load(entries(0, 10));
    await expect(next).rejects.toMatchObject({ code: '55000' });
    feed.close();
    await db.close();
  });
}
