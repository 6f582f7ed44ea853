/**
 * What salvage brings of a store with one tree alone that was damaged anywhere: every entry that it does not call doubtful is the newest
 * there was, and every one that is missing lies in a range that it calls lost. The damage of a single bit costs nothing.
 */
import { Random, compareKeys, toHex } from '@phantom/base';
import type { LostRange, SalvageFinding, SalvagedRow } from '@phantom/kv';
import type { Vfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';
import { beforeAll, describe, expect, it } from 'vitest';
import { filesBelow } from './files-below.js';

/** What the suite needs of a tree alone. */
interface Tree {
  put(key: Uint8Array, value: Uint8Array): Promise<unknown>;
  delete(key: Uint8Array): Promise<unknown>;
  deleteRange(range: { gte: Uint8Array; lt: Uint8Array }): Promise<unknown>;
  load(entries: Iterable<{ key: Uint8Array; value: Uint8Array }>): Promise<unknown>;
  flush(): Promise<unknown>;
}

/** What is salvaged of a store. */
interface Salvaged {
  readonly findings: readonly SalvageFinding[];
  readonly isLogWhole: boolean;
  rows(): Iterable<SalvagedRow | LostRange>;
  close(): Promise<void>;
}

interface SalvageSuiteOptions<Alone extends Tree> {
  open(directory: string, options: { readonly vfs: Vfs }): Promise<Alone>;
  /** Does the work that flushes leave for later: a merge, a compaction. */
  settle(tree: Alone): Promise<void>;
  salvage(directory: string, vfs: Vfs): Promise<Salvaged>;
}

interface DamagedStore {
  readonly disk: MemoryVfs;
  /** By the text of the key: every value that it ever had, the present one last; undefined where it was removed. */
  readonly values: ReadonlyMap<string, (string | undefined)[]>;
}

const DIRECTORY = '/data/store';
const KEYS = 600;
/** No piece of a tree's file that is checked by itself is smaller than this, nearly. */
const PIECE_BYTES = 4096;
const HOLE_BYTES = 16;
/** Of each file so many, where not all are tried. */
const PIECES_MAX = 14;
/** Bytes of the space in front of keys. */
const SPACE_BYTES = 4;
const SWEEPS_WHOLE = process.env['PHANTOM_SWEEP'] === 'whole';
const CASES = SWEEPS_WHOLE ? 3000 : 24;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
const keyOf = (i: number): string => `key ${1000 + i}`;

function isLost(item: SalvagedRow | LostRange): item is LostRange {
  return 'lower' in item;
}

export function salvageSuite<Alone extends Tree>({ open, settle, salvage }: SalvageSuiteOptions<Alone>): void {
  /** Merged files, runs above them, a load, and a tail of the log that is in no file. */
  async function madeStore(): Promise<DamagedStore> {
    const vfs = new MemoryVfs({ losesPower: false });
    const db = await open(DIRECTORY, { vfs });
    const values = new Map<string, (string | undefined)[]>();
    const note = (key: string, value: string | undefined): void => {
      const before = values.get(key);
      if (before === undefined) values.set(key, [value]);
      else before.push(value);
    };
    const put = async (from: number, to: number, step: number, round: string): Promise<void> => {
      const writes: Promise<unknown>[] = [];
      for (let i = from; i < to; i += step) {
        const value = `${round} ${i} `.repeat(i % 97 === 0 ? 1000 : 8);
        note(keyOf(i), value);
        writes.push(db.put(encode(keyOf(i)), encode(value)));
      }
      await Promise.all(writes);
    };
    await put(0, KEYS, 1, 'first');
    await settle(db);
    await put(0, KEYS, 3, 'second');
    await settle(db);
    await put(100, 300, 7, 'third');
    await db.deleteRange({ gte: encode(keyOf(200)), lt: encode(keyOf(210)) });
    for (let i = 200; i < 210; i++) note(keyOf(i), undefined);
    await db.flush();
    const loaded = Array.from({ length: 40 }, (_, i) => ({
      key: encode(keyOf(KEYS + i)),
      value: encode(`loaded ${i}`),
    }));
    for (const { key, value } of loaded) note(decode(key), decode(value));
    await db.load(loaded);
    await db.flush();
    await put(5, 50, 9, 'last');
    await db.delete(encode(keyOf(11)));
    note(keyOf(11), undefined);
    return { disk: vfs.killClone(), values };
  }

  /** What is wrong with what was salvaged of a damaged store; nothing, if all is well. */
  async function faults({ disk, values }: DamagedStore, path: string, isBit: boolean, what: string): Promise<string[]> {
    const salvaged = await salvage(DIRECTORY, disk);
    const found: string[] = [];
    const lost: LostRange[] = [];
    const keys = new Set<string>();
    let last: Uint8Array | undefined;
    const isLog = path.includes('/log/');
    try {
      for (const item of salvaged.rows()) {
        if (isLost(item)) {
          lost.push(item);
          continue;
        }
        const key = decode(item.key.subarray(SPACE_BYTES));
        if (last !== undefined && compareKeys(last, item.key) >= 0) found.push(`${what}: ${key} is out of order`);
        last = item.key;
        keys.add(key);
        const known = values.get(key) ?? [];
        const isNewest = decode(item.value) === known.at(-1);
        const mayBeOlder = item.doubt !== undefined || isLog;
        if (!isNewest && !(mayBeOlder && known.includes(decode(item.value)))) found.push(`${what}: ${key} is wrong`);
      }
      for (const [key, known] of values) {
        if (known.at(-1) === undefined || keys.has(key) || isLog) continue;
        if (!lost.some((range) => contains(range, encode(key)))) found.push(`${what}: ${key} is missing unnamed`);
      }
      if (isBit && !isLog && lost.length > 0) found.push(`${what}: a bit costs something`);
      const isFound = salvaged.findings.some(({ isMended }) => !isMended);
      if (lost.length > 0 && !isFound) found.push(`${what}: something is lost, and nothing is wrong`);
      return found;
    } finally {
      await salvaged.close();
    }
  }

  describe('salvage', () => {
    let store: DamagedStore;
    beforeAll(async () => {
      store = await madeStore();
    });

    it('finds everything in a store that is whole', async () => {
      const { disk, values } = store;
      const salvaged = await salvage(DIRECTORY, disk.killClone());
      const rows = [...salvaged.rows()].map((row) => (isLost(row) ? toHex(row.lower) : decode(row.key.subarray(4))));
      await salvaged.close();
      const present = [...values].filter(([, known]) => known.at(-1) !== undefined).map(([key]) => key);
      expect(salvaged.findings).toEqual([]);
      expect(rows).toEqual(present.toSorted());
    });

    it('brings what does not lie on the damage, and names what does', async () => {
      const random = new Random(7);
      const paths = filesBelow(store.disk, DIRECTORY);
      for (let n = 0; n < CASES; n++) {
        const disk = store.disk.killClone();
        const path = paths[n % paths.length] as string;
        const bytes = disk.readFile(path);
        const used = bytes.findLastIndex((byte) => byte !== 0) + 1;
        if (used === 0) continue;
        const isBit = random.below(2) === 0;
        const at = random.below(used);
        const length = isBit ? 1 : Math.min(used - at, 1 + random.below(300));
        const before = bytes.slice(at, at + length);
        disk.corrupt(path, at, isBit ? before.map((byte) => byte ^ (1 << (n % 8))) : before.map((byte) => byte ^ 0xa5));
        const what = `${length} bytes at ${at} of ${path}`;
        expect(await faults({ disk, values: store.values }, path, isBit, what)).toEqual([]);
      }
    }, 600_000);

    it('reads around every page and block', async () => {
      for (const path of filesBelow(store.disk, DIRECTORY).filter((name) => !name.includes('/log/'))) {
        const used = store.disk.readFile(path).findLastIndex((byte) => byte !== 0) + 1;
        const pieces = Array.from({ length: Math.ceil(used / PIECE_BYTES) }, (_, i) => i * PIECE_BYTES + 24);
        for (const at of few(pieces)) {
          const disk = store.disk.killClone();
          const before = disk.readFile(path).slice(at, at + HOLE_BYTES);
          disk.corrupt(
            path,
            at,
            before.map((byte) => byte ^ 0x5a),
          );
          const what = `${HOLE_BYTES} bytes at ${at} of ${path}`;
          expect(await faults({ disk, values: store.values }, path, false, what)).toEqual([]);
        }
      }
    }, 600_000);

    it('goes on without a file that is gone', async () => {
      for (const path of filesBelow(store.disk, DIRECTORY)) {
        const disk = store.disk.killClone();
        disk.remove(path);
        expect(await faults({ disk, values: store.values }, path, false, `${path} is gone`)).toEqual([]);
      }
    });
  });
}

/** The first and the last ones, and some between them. */
function few(pieces: readonly number[]): readonly number[] {
  if (SWEEPS_WHOLE || pieces.length <= PIECES_MAX) return pieces;
  const step = pieces.length / (PIECES_MAX - 4);
  return pieces.filter((_, i) => i < 2 || i >= pieces.length - 2 || Math.floor(i / step) > Math.floor((i - 1) / step));
}

function contains({ lower, upper }: LostRange, key: Uint8Array): boolean {
  const whole = new Uint8Array(SPACE_BYTES + key.length);
  whole.set(lower.subarray(0, 1));
  whole.set(key, SPACE_BYTES);
  return compareKeys(whole, lower) >= 0 && (upper === undefined || compareKeys(whole, upper) < 0);
}
