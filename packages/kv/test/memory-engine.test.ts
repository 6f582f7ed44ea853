import { Random } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import { ByteSlot, EngineCode, type KvView } from '../src/index.js';
import { MemoryEngine } from '../src/memory.js';
import { EngineDriver, type ModelOperation, engineConformance } from '../src/testing/index.js';

engineConformance({
  name: 'memory',
  code: EngineCode.Memory,
  open: () => Promise.resolve(new MemoryEngine()),
  describe,
  it,
  // Trees run more of them: this one holds their oracle.
  seeds: [1, 2],
});

engineConformance({
  name: 'memory in place of a tree',
  code: EngineCode.Btree,
  open: () => Promise.resolve(new MemoryEngine({ code: EngineCode.Btree, name: 'stand-in' })),
  describe,
  it,
  seeds: [21],
  mirrorSteps: 100,
});

const driverOf = (engine: MemoryEngine): EngineDriver => new EngineDriver(engine, EngineCode.Memory);

function puts(driver: EngineDriver, from: number, to: number, value: Uint8Array): ModelOperation[] {
  return Array.from({ length: to - from }, (_, i) => driver.put(String(from + i).padStart(6, '0'), value));
}

describe('MemoryEngine', () => {
  it('refuses a batch past its limit and takes it once there is room', async () => {
    const engine = new MemoryEngine({ bytesMax: 1_000_000 });
    const driver = driverOf(engine);
    const value = new Uint8Array(1000);
    let filled = 0;
    await expect(
      (async () => {
        for (;;) {
          await driver.commit(puts(driver, filled, filled + 10, value));
          filled += 10;
        }
      })(),
    ).rejects.toMatchObject({ code: '53200', family: 'limit', data: { bytesMax: 1_000_000 } });
    expect(filled).toBeGreaterThan(700);
    expect(engine.stats().deltaBytes).toBeLessThan(1_000_000);
    expect(() => engine.admitNow(100_000)).toThrow('the memory engine is full');
    driver.compareNow();
    await driver.commit([driver.removeRange('000000', '000500')]);
    driver.compareNow();
    await driver.commit(puts(driver, 0, 100, value));
    driver.compareNow();
    expect(engine.stats().merges).toBeGreaterThan(0);
  });

  it('gives reservations back when batches are applied', async () => {
    const engine = new MemoryEngine({ bytesMax: 200_000 });
    const driver = driverOf(engine);
    for (let i = 0; i < 2000; i++) await driver.commit(puts(driver, 0, 2, new Uint8Array(500)));
    driver.compareNow();
    expect(engine.stats().deltaBytes).toBeLessThan(200_000);
  });

  it('keeps one version of a hot row when nobody looks at older ones', async () => {
    const engine = new MemoryEngine();
    const driver = driverOf(engine);
    await driver.commit([driver.put('hot', 'first')]);
    const old = driver.view();
    const before = engine.current.bytes;
    for (let i = 0; i < 1000; i++) await driver.commit([driver.put('hot', 'x')]);
    // Tables hold the newest version, the one before (a view may still come), and the one that the view sees.
    expect(engine.current.bytes - before).toBeLessThan(1000 + 4 * 20);
    driver.compareAll(old);
    driver.compareNow();
    old.view.release();
  });

  it('collects what is dead under open views and cursors', async () => {
    const engine = new MemoryEngine();
    const driver = driverOf(engine);
    const random = new Random(9);
    await driver.commit(puts(driver, 0, 1000, random.bytes(200)));
    const open = driver.view();
    const cursor = open.view.cursor(driver.everything());
    const reverse = open.view.cursor(driver.everything());
    let seen = 0;
    for (let round = 0; round < 50; round++) {
      expect([cursor.next(), reverse.prev()]).toEqual([true, true]);
      seen++;
      await driver.commit(puts(driver, 0, 500, random.bytes(200)));
      await driver.commit([driver.removeRange('000100', '000200')]);
    }
    expect(engine.stats().merges).toBeGreaterThan(3);
    expect(engine.stats().deltaBytes).toBeLessThan(2_000_000);
    while (cursor.next()) seen++;
    expect(seen).toBe(1000);
    driver.compareAll(open);
    open.view.release();
    driver.compareNow();
  });

  it('forgets removed keys', async () => {
    const engine = new MemoryEngine();
    const driver = driverOf(engine);
    for (let i = 0; i < 100; i++) {
      await driver.commit(puts(driver, i * 100, i * 100 + 100, new Uint8Array(100)));
      await driver.commit([driver.removeRange('0', String(i * 100 + 100).padStart(6, '0'))]);
    }
    expect(engine.stats().deltaBytes).toBeLessThan(300_000);
    driver.compareNow();
  });

  it('asks for views between what is published and what is applied', async () => {
    const engine = new MemoryEngine();
    const driver = driverOf(engine);
    await driver.commit([driver.put('a', '1')]);
    await driver.commit([driver.put('a', '2')]);
    await driver.commit([driver.put('a', '3')]);
    expect(() => engine.view(4)).toThrow('applied');
    expect(() => engine.view(1)).toThrow('published');
    const late = engine.view(2);
    const newest = engine.view(3);
    expect(() => engine.view(2)).toThrow('earlier');
    const key = driver.key('a');
    const slot = new ByteSlot();
    const read = (view: KvView): string => {
      expect(view.get(key, 0, key.length, slot)).toBe(true);
      return String.fromCharCode(...slot.copy());
    };
    expect([read(late), read(newest)]).toEqual(['2', '3']);
    for (const view of [late, newest]) view.release();
    expect(() => late.get(key, 0, key.length, slot)).toThrow('released');
    expect(() => late.cursor(driver.everything())).toThrow('released');
  });

  it('does not mix up two batches', async () => {
    const engine = new MemoryEngine();
    const driver = driverOf(engine);
    let asked = 0;
    await driver.commit([driver.put('a', '1'), driver.put('b', '1'), driver.put('c', '1')], 1, () => {
      asked++;
      expect(() => engine.advance(9)).toThrow('not completed');
    });
    expect(asked).toBeGreaterThan(0);
    engine.advance(0);
    expect(engine.appliedSeq).toBe(1);
  });

  it('has nothing to do with files', async () => {
    const engine = new MemoryEngine({ name: 'temporary' });
    expect(() => engine.ingest([], 1)).toThrow(expect.objectContaining({ code: '0A000' }));
    expect([...engine.check()]).toEqual([]);
    expect(engine.stats()).toMatchObject({ name: 'temporary', fileBytes: 0, runs: 0, flushes: 0 });
    await engine.close();
  });
});
