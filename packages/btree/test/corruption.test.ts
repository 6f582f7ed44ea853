/**
 * Rotten bytes: whatever is flipped, swapped or dropped in the files of a small database, either opening or reading says
 * so with XX001, or nothing that is read has changed.
 */
import { isPhantomError } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { EngineDriver, type Model } from '@phantom/kv/testing';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { BtreeEngine } from '../src/index.js';
import { compareState, testContext } from '@phantom/testkit/engine';

const numbered = (i: number): string => String(i).padStart(5, '0');
const OPTIONS = { idleMergeMs: 1e9 };
const TREE = 'engine/tree.db';
const PAGE_BYTES = 8192;

interface Database {
  readonly vfs: MemoryVfs;
  readonly generation: { value: number };
  readonly models: Model[];
}

/** A tree of two levels with an overflow value and a freelist, a run above it, and an older meta beside the present one. */
async function smallDatabase(afterMerge?: (vfs: MemoryVfs) => void): Promise<Database> {
  const vfs = new MemoryVfs({ losesPower: false });
  const context = await testContext(vfs);
  const engine = await BtreeEngine.open(context, OPTIONS);
  const driver = new EngineDriver(engine, EngineCode.Btree);
  const models: Model[] = [];
  const fill = async (from: number, to: number, step: number): Promise<void> => {
    for (let i = from; i < to; i += step) await driver.commit([driver.put(numbered(i), `value ${i} `.repeat(10))]);
  };
  await fill(0, 120, 1);
  await driver.commit([driver.put('big', new Uint8Array(5000).fill(7))]);
  await engine.merge();
  afterMerge?.(vfs);
  await fill(0, 120, 40);
  await engine.merge();
  afterMerge?.(vfs);
  await fill(10, 120, 30);
  await driver.commit([driver.removeRange(numbered(20), numbered(30)), driver.remove(numbered(77))]);
  await engine.flush();
  models[driver.seq] = driver.model.clone();
  await engine.close();
  return { vfs, generation: context.generation, models };
}

/** True when the damage was noticed; throws when it was not and something reads differently. */
async function isNoticed({ vfs, generation, models }: Database): Promise<boolean> {
  let engine: BtreeEngine | undefined;
  try {
    engine = await BtreeEngine.open(await testContext(vfs, { generation: { ...generation } }), OPTIONS);
    compareState(engine, EngineCode.Btree, models);
    return false;
  } catch (error) {
    if (isPhantomError(error) && error.code === 'XX001') return true;
    throw error;
  } finally {
    await engine?.close();
  }
}

/** Every byte where each means something else, then one in 127: the whole sweep takes half a minute and finds no more. */
function* places(name: string, bytes: number): Iterable<number> {
  for (let at = 0; at < bytes;) {
    yield at;
    const isDense = !name.endsWith('.db') || at % PAGE_BYTES < (at < PAGE_BYTES ? 200 : 64);
    at += isDense ? 1 : 127;
  }
}

/** Damages the file, looks whether that is noticed, and repairs it. */
async function damage(database: Database, path: string, at: number, bytes: Uint8Array, what: string): Promise<boolean> {
  const before = database.vfs.readFile(path).slice(at, at + bytes.length);
  database.vfs.corrupt(path, at, bytes);
  try {
    return await isNoticed(database);
  } catch (error) {
    throw new Error(`${what}: ${(error as Error).message}`, { cause: error });
  } finally {
    database.vfs.corrupt(path, at, before);
  }
}

describe('rotten bytes', () => {
  it('are noticed or harmless when a bit flips', async () => {
    const database = await smallDatabase();
    const { vfs } = database;
    for (const name of vfs.list('engine')) {
      const path = `engine/${name}`;
      const bytes = vfs.readFile(path);
      let tried = 0;
      let noticed = 0;
      for (const at of places(name, bytes.length)) {
        tried++;
        const flipped = Uint8Array.of((bytes[at] as number) ^ (1 << (at & 7)));
        if (await damage(database, path, at, flipped, `bit ${at & 7} of byte ${at} of ${path}`)) noticed++;
      }
      expect(noticed).toBeGreaterThan(tried / 4);
    }
    expect(await isNoticed(database)).toBe(false);
  });

  it('are noticed or harmless when a page lies in the place of another', async () => {
    const database = await smallDatabase();
    const bytes = database.vfs.readFile(TREE);
    let noticed = 0;
    for (let from = 1; from < bytes.length / PAGE_BYTES; from++) {
      for (let to = 1; to < bytes.length / PAGE_BYTES; to++) {
        const page = bytes.slice(from * PAGE_BYTES, (from + 1) * PAGE_BYTES);
        if (await damage(database, TREE, to * PAGE_BYTES, page, `page ${from} over ${to}`)) noticed++;
      }
    }
    expect(noticed).toBeGreaterThan(10);
  });

  it('are noticed or harmless when a write was lost', async () => {
    const before: Uint8Array[] = [];
    const database = await smallDatabase((vfs) => before.push(vfs.readFile(TREE)));
    const now = database.vfs.readFile(TREE);
    let noticed = 0;
    for (const old of before) {
      for (let at = 0; at + 4096 <= now.length; at += 4096) {
        const lost = new Uint8Array(4096);
        lost.set(old.subarray(at, at + 4096));
        if (await damage(database, TREE, at, lost, `the write at ${at} is lost`)) noticed++;
      }
    }
    expect(noticed).toBeGreaterThan(6);
  });

  it('are noticed when a file is cut short or gone', async () => {
    const database = await smallDatabase();
    const { vfs } = database;
    for (const name of vfs.list('engine')) {
      const path = `engine/${name}`;
      const bytes = vfs.readFile(path);
      const file = vfs.open(path, { mode: 'write' });
      for (const keep of [bytes.length - 1, bytes.length >> 1, 100, 0]) {
        file.truncate(keep);
        expect(await isNoticed(database)).toBe(true);
        file.writeAt(0, bytes);
      }
      file.close();
    }
    expect(await isNoticed(database)).toBe(false);
  });

  it('are found by check', async () => {
    const database = await smallDatabase();
    const { vfs, generation } = database;
    const engine = await BtreeEngine.open(await testContext(vfs, { generation }), OPTIONS);
    expect([...engine.check()]).toEqual([]);
    const tree = vfs.readFile(TREE);
    for (let at = PAGE_BYTES + 100; at < tree.length; at += PAGE_BYTES) {
      vfs.corrupt(TREE, at, Uint8Array.of((tree[at] as number) ^ 1));
    }
    const run = vfs.list('engine').find((name) => name.endsWith('.run')) as string;
    vfs.corrupt(`engine/${run}`, 40, Uint8Array.of(0xee));
    const findings = [...engine.check()];
    expect(new Set(findings.map(({ file }) => file))).toEqual(new Set([TREE, `engine/${run}`]));
    expect(findings.every(({ severity }) => severity !== 'note')).toBe(true);
    await engine.close();
  });
});
