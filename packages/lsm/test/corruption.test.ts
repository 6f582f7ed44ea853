/**
 * Rotten bytes: whatever is flipped, swapped or dropped in the files of a small database, either opening or reading says
 * so with XX001, or nothing that is read has changed.
 */
import { Random, isPhantomError } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { EngineDriver, type Model } from '@phantom/kv/testing';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { LsmEngine, type LsmOptions } from '../src/index.js';
import { compareState, testContext } from '@phantom/testkit/engine';
import { SMALL } from './small-options.js';

const numbered = (i: number): string => String(i).padStart(5, '0');
const OPTIONS: LsmOptions = { ...SMALL, level0RunsMin: 3, runBytesMax: 600, levelBytes: 250 };

/** Long, for machines that have much else to do. */
const SWEEP_TIMEOUT_MS = 120_000;

interface Database {
  readonly vfs: MemoryVfs;
  readonly generation: { value: number };
  readonly models: Model[];
}

/** Two levels of several runs, two runs above them, range tombstones, a manifest with edits. */
async function smallDatabase(): Promise<Database> {
  const vfs = new MemoryVfs({ losesPower: false });
  const context = await testContext(vfs);
  const engine = await LsmEngine.open(context, OPTIONS);
  const driver = new EngineDriver(engine, EngineCode.Lsm);
  const models: Model[] = [];
  const random = new Random(1);
  const fill = async (from: number, to: number, step: number): Promise<void> => {
    const puts = [];
    for (let i = from; i < to; i += step) puts.push(driver.put(numbered(i), random.bytes(25)));
    await driver.commit(puts);
    await engine.flush();
    await engine.settled();
  };
  for (let round = 0; round < 7; round++) await fill(round, 70, 3 + (round % 3));
  await driver.commit([driver.removeRange(numbered(20), numbered(30)), driver.remove(numbered(57))]);
  await fill(10, 70, 20);
  models[driver.seq] = driver.model.clone();
  expect(engine.stats().readAmplification).toBeGreaterThan(2);
  expect(engine.stats().runs).toBeGreaterThan(4);
  await engine.close();
  return { vfs, generation: context.generation, models };
}

/** True when the damage was noticed; throws when it was not and something reads differently. */
async function isNoticed({ vfs, generation, models }: Database): Promise<boolean> {
  let engine: LsmEngine | undefined;
  try {
    const context = await testContext(vfs, { generation: { ...generation }, readOnly: true });
    engine = await LsmEngine.open(context, OPTIONS);
    compareState(engine, EngineCode.Lsm, models);
    return false;
  } catch (error) {
    if (isPhantomError(error) && error.code === 'XX001') return true;
    throw error;
  } finally {
    await engine?.close();
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
  it(
    'are noticed or harmless when a bit flips, in every byte',
    async () => {
      const database = await smallDatabase();
      const { vfs } = database;
      for (const name of vfs.list('engine')) {
        const path = `engine/${name}`;
        const bytes = vfs.readFile(path);
        let noticed = 0;
        for (let at = 0; at < bytes.length; at++) {
          const flipped = Uint8Array.of((bytes[at] as number) ^ (1 << (at & 7)));
          if (await damage(database, path, at, flipped, `bit ${at & 7} of byte ${at} of ${path}`)) noticed++;
        }
        // A filter may let more pass; everything else is checked.
        expect(noticed).toBeGreaterThan(bytes.length * 0.8);
      }
      expect(await isNoticed(database)).toBe(false);
    },
    SWEEP_TIMEOUT_MS,
  );

  it('are noticed when a file lies in the place of another', async () => {
    const database = await smallDatabase();
    const { vfs } = database;
    const names = vfs.list('engine');
    const before = new Map(names.map((name) => [name, vfs.readFile(`engine/${name}`)]));
    const place = (name: string, bytes: Uint8Array): void => {
      const file = vfs.open(`engine/${name}`, { mode: 'write' });
      file.truncate(0);
      file.writeAt(0, bytes);
      file.close();
    };
    for (const to of names) {
      for (const from of names) {
        if (from === to) continue;
        place(to, before.get(from) as Uint8Array);
        expect(await isNoticed(database)).toBe(true);
        place(to, before.get(to) as Uint8Array);
      }
    }
    expect(await isNoticed(database)).toBe(false);
  });

  it('are noticed or harmless when a block lies in the place of another, or was never written', async () => {
    const database = await smallDatabase();
    const { vfs } = database;
    for (const name of vfs.list('engine')) {
      const path = `engine/${name}`;
      const bytes = vfs.readFile(path);
      for (let at = 0; at < bytes.length; at += 256) {
        const length = Math.min(256, bytes.length - at);
        const other = (at + 512) % Math.max(1, bytes.length - length);
        const misdirected = bytes.slice(other, other + length);
        await damage(database, path, at, misdirected, `${length} bytes of ${other} over ${at} of ${path}`);
        expect(await damage(database, path, at, new Uint8Array(length), `the write at ${at} of ${path} is lost`)).toBe(
          true,
        );
      }
    }
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
      vfs.rename(path, 'elsewhere');
      expect(await isNoticed(database)).toBe(true);
      vfs.rename('elsewhere', path);
    }
    expect(await isNoticed(database)).toBe(false);
  });

  it('are found by check', async () => {
    const { vfs, generation } = await smallDatabase();
    const engine = await LsmEngine.open(await testContext(vfs, { generation }), OPTIONS);
    expect([...engine.check()]).toEqual([]);
    const runs = vfs.list('engine').filter((name) => name.endsWith('.run'));
    for (const name of runs) vfs.corrupt(`engine/${name}`, 40, Uint8Array.of(0xee));
    const findings = [...engine.check()];
    expect(new Set(findings.map(({ file }) => file))).toEqual(new Set(runs.map((name) => `engine/${name}`)));
    expect(findings.every(({ severity }) => severity === 'corruption')).toBe(true);
    await engine.close();
  });
});
