/** What the scrubber of a store with one tree alone finds: a flipped bit in any file that counts, though nobody reads it. */
import type { Finding } from '@phantom/kv';
import { MemoryVfs } from '@phantom/vfs/testing';
import type { Vfs } from '@phantom/vfs';
import { describe, expect, it } from 'vitest';
import { filesBelow } from './files-below.js';

/** What the suite needs of a tree alone. */
interface ScrubbedTree {
  readonly store: {
    scrub(
      signal?: AbortSignal,
    ): Promise<{ readonly found: number; readonly bytes: number; readonly findings: readonly Finding[] }>;
    locate(
      file: string,
      offset: number | undefined,
    ): { readonly lower: Uint8Array; readonly upper: Uint8Array | undefined } | undefined;
    stats(): { readonly engines: readonly { readonly cacheBytes: number; readonly cacheHits: number }[] };
  };
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  get(key: Uint8Array): Uint8Array | undefined;
  flush(): Promise<unknown>;
  close(): Promise<void>;
}

interface ScrubSuiteOptions<Alone extends ScrubbedTree> {
  open(directory: string, options: { readonly vfs: Vfs }): Promise<Alone>;
  /** Does the work that flushes leave for later: a merge, a compaction. */
  settle(tree: Alone): Promise<void>;
}

const DIRECTORY = '/data/store';
const KEYS = 400;
const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const keyOf = (i: number): Uint8Array => encode(`key ${1000 + i}`);
/** Bytes of the space in front of keys. */
const SPACE_BYTES = 4;

export function scrubSuite<Alone extends ScrubbedTree>({ open, settle }: ScrubSuiteOptions<Alone>): void {
  /** Merged files, a run above them, and a tail of the log that is in no file. */
  async function openStore(): Promise<{ vfs: MemoryVfs; db: Alone; paths: readonly string[] }> {
    const vfs = new MemoryVfs({ losesPower: false });
    const db = await open(DIRECTORY, { vfs });
    const put = async (from: number, to: number, round: string): Promise<void> => {
      const value = (i: number): Uint8Array => encode(`${round} ${i} `.repeat(i % 99 === 0 ? 3000 : 12));
      await Promise.all(Array.from({ length: to - from }, (_, i) => db.put(keyOf(from + i), value(from + i))));
    };
    await put(0, KEYS, 'merged');
    await settle(db);
    await put(100, 200, 'flushed');
    await db.flush();
    await put(300, 310, 'logged');
    return { vfs, db, paths: filesBelow(vfs, DIRECTORY) };
  }

  function placeOf(vfs: MemoryVfs, paths: readonly string[], text: string): { path: string; at: number } {
    for (const path of paths) {
      const at = Buffer.from(vfs.readFile(path)).indexOf(text);
      if (at >= 0) return { path, at };
    }
    throw new Error(`"${text}" is in no file`);
  }

  function flip(vfs: MemoryVfs, path: string, at: number): void {
    vfs.corrupt(path, at, Uint8Array.of((vfs.readFile(path)[at] as number) ^ 4));
  }

  function holds(range: ReturnType<ScrubbedTree['store']['locate']>, key: Uint8Array): boolean {
    if (range === undefined) return false;
    const isFrom = Buffer.compare(range.lower.subarray(SPACE_BYTES), key) <= 0;
    return isFrom && (range.upper === undefined || Buffer.compare(range.upper.subarray(SPACE_BYTES), key) > 0);
  }

  describe('the scrubber', () => {
    it('finds nothing where all is well, and leaves the cache as it is', async () => {
      const { db } = await openStore();
      db.get(keyOf(7));
      const before = db.store.stats().engines.map(({ cacheBytes, cacheHits }) => [cacheBytes, cacheHits]);
      const { bytes, findings } = await db.store.scrub();
      expect(findings).toEqual([]);
      expect(bytes).toBeGreaterThan(50_000);
      expect(db.store.stats().engines.map(({ cacheBytes, cacheHits }) => [cacheBytes, cacheHits])).toEqual(before);
      await db.close();
    });

    it.each(['merged 50 ', 'merged 99 ', 'flushed 150 '])(
      'finds a bit that flipped at %s, and whose keys are there',
      async (text) => {
        const { vfs, db, paths } = await openStore();
        const { path, at } = placeOf(
          vfs,
          paths.filter((name) => !name.includes('/log/')),
          text,
        );
        flip(vfs, path, at);
        const { findings, found } = await db.store.scrub();
        expect({ found, findings }).toMatchObject({ found: 1, findings: [{ severity: 'corruption', file: path }] });
        const key = Number(/\d+/.exec(text)?.[0]);
        // Pages of a long value are no pages of keys.
        expect(key === 99 || holds(db.store.locate(path, findings[0]?.offset), keyOf(key))).toBe(true);
        expect(db.store.locate('another file', 0)).toBeUndefined();
        await db.close();
      },
    );

    it('finds one in the log, and makes that part of it needless', async () => {
      const { vfs, db, paths } = await openStore();
      const { path, at } = placeOf(
        vfs,
        paths.filter((name) => name.includes('/log/')),
        'logged 305 ',
      );
      flip(vfs, path, at);
      const { findings } = await db.store.scrub();
      expect(findings).toMatchObject([
        { severity: 'corruption', file: path, message: expect.stringContaining('a checkpoint has made it needless') },
      ]);
      expect((await db.store.scrub()).findings).toEqual([]);
      const again = await open(DIRECTORY, { vfs: vfs.crashClone(1) });
      expect(new TextDecoder().decode(again.get(keyOf(305))).slice(0, 11)).toBe('logged 305 ');
      await again.close();
      await db.close();
    });

    it('finds one in what says which files count', async () => {
      const { vfs, db, paths } = await openStore();
      const superblock = paths.find((path) => path.endsWith('/superblock')) as string;
      flip(vfs, superblock, 5000);
      expect((await db.store.scrub()).findings).toMatchObject([
        { file: superblock, message: expect.stringContaining('it was written again') },
      ]);
      const last = paths.filter((path) => /tree\.db|manifest/.test(path)).at(-1) as string;
      for (const at of [40, 4096 + 40]) if (at < vfs.readFile(last).length) flip(vfs, last, at);
      expect((await db.store.scrub()).findings).toMatchObject([{ file: last }]);
      // Whatever is committed next is written where nothing is damaged.
      await db.put(keyOf(1), encode('one more'));
      await db.flush();
      await db.put(keyOf(1), encode('and one more'));
      await db.flush();
      expect((await db.store.scrub()).findings).toEqual([]);
      await db.close();
    });

    it('can be ended', async () => {
      const { db } = await openStore();
      const reason = new Error('enough');
      await expect(db.store.scrub(AbortSignal.abort(reason))).rejects.toBe(reason);
      const ending = new AbortController();
      const scrubbed = db.store.scrub(ending.signal);
      ending.abort(reason);
      await expect(scrubbed).rejects.toBe(reason);
      const closed = db.store.scrub();
      const closing = db.close();
      await expect(closed).rejects.toMatchObject({ code: '57P01' });
      await closing;
      await expect(db.store.scrub()).rejects.toMatchObject({ code: '55000' });
    });
  });
}
