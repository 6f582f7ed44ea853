/** The small parts of the store, each alone: the map of the log, space numbers, the order of records, settings, health. */
import { silentLogger } from '@phantom/base';
import { EngineCode, SPACE_NUMBER_MAX } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { StoreHealth } from '../src/health.js';
import { LogMap } from '../src/log-map.js';
import { SPACE_BLOCK_NUMBERS, resolveOptions } from '../src/options.js';
import { SeqOrder } from '../src/recovery.js';
import { SpaceCatalog, decodeSpaceLimit } from '../src/space-catalog.js';
import type { EngineFactory } from '../src/index.js';

const KIB = 1024;

describe('log map', () => {
  it('knows no more than it was told, and never too much', () => {
    const map = new LogMap(10, 1000);
    map.markLast();
    expect(map.marks).toBe(0);
    expect(map.lastUpTo(100)).toBeUndefined();
    map.add(11, 2000);
    expect(map.marks).toBe(0);
    map.markLast();
    map.markLast();
    expect(map.marks).toBe(1);
    expect(map.lastUpTo(10)).toBeUndefined();
    expect(map.lastUpTo(11)).toEqual({ seq: 11, end: 2000 });
    map.add(12, 2000 + 256 * KIB);
    expect(map.lastUpTo(99)).toEqual({ seq: 12, end: 2000 + 256 * KIB });
    map.dropBefore(2000 + 256 * KIB);
    expect(map.marks).toBe(1);
    expect(map.lastUpTo(11)).toBeUndefined();
  });

  it('stays small by forgetting every other mark', () => {
    const map = new LogMap(0, 0);
    const count = 10_000;
    for (let seq = 1; seq <= count; seq++) map.add(seq, seq * 256 * KIB);
    expect(map.marks).toBeLessThanOrEqual(1024);
    for (const seq of [1, 500, 5000, 9999, 10_000]) {
      const mark = map.lastUpTo(seq);
      if (mark === undefined) continue;
      expect(mark.end).toBe(mark.seq * 256 * KIB);
      expect(mark.seq).toBeLessThanOrEqual(seq);
      expect(mark.seq).toBeGreaterThan(seq - 64);
    }
    expect(map.lastUpTo(count)).toBeDefined();
  });
});

describe('order of records', () => {
  it('is one by one', () => {
    const order = new SeqOrder(5, 5);
    order.next(6, 0);
    order.next(7, 10);
    for (const wrong of [7, 9, 1]) {
      expect(() => order.next(wrong, 20)).toThrowError(
        expect.objectContaining({ code: 'XX001', data: { file: 'log', offset: 20, expected: 8, found: wrong } }),
      );
    }
  });

  it('may skip what an engine has in its files', () => {
    const order = new SeqOrder(0, 9);
    order.next(1, 0);
    order.next(10, 10);
    expect(() => order.next(12, 20)).toThrowError(/skips or repeats/);
  });
});

describe('space numbers', () => {
  it('come in blocks, each reserved before its first number is given away', () => {
    const catalog = new SpaceCatalog([], 1);
    const reserved: number[] = [];
    const count = 2 * SPACE_BLOCK_NUMBERS + 6;
    const numbers = Array.from({ length: count }, () => catalog.allocate((limit) => reserved.push(limit)));
    expect(numbers).toEqual(Array.from({ length: count }, (_, i) => i + 1));
    expect(reserved).toEqual([1, 2, 3].map((blocks) => 1 + blocks * SPACE_BLOCK_NUMBERS));
    expect(catalog.spaceNext).toBe(count + 1);
  });

  it('of a block that was reserved need nothing', () => {
    const catalog = new SpaceCatalog([], 5);
    expect(catalog.reserveBlock()).toBe(5 + SPACE_BLOCK_NUMBERS);
    const refuse = (): never => {
      throw new Error('reserved already');
    };
    expect(catalog.allocate(refuse)).toBe(5);
    expect(catalog.spaceNext).toBe(6);
  });

  it('are not given away when the reservation fails', () => {
    const catalog = new SpaceCatalog([], 1);
    const full = (): never => {
      throw new Error('full');
    };
    expect(() => catalog.allocate(full)).toThrowError('full');
    expect(catalog.allocate(() => undefined)).toBe(1);
  });

  it('go on behind the highest limit that was replayed', () => {
    const catalog = new SpaceCatalog([], 10);
    catalog.replayLimit(42);
    catalog.replayLimit(33);
    expect(catalog.allocate(() => undefined)).toBe(42);
  });

  it('end', () => {
    const catalog = new SpaceCatalog([], SPACE_NUMBER_MAX);
    expect(catalog.allocate(() => undefined)).toBe(SPACE_NUMBER_MAX);
    expect(() => catalog.allocate(() => undefined)).toThrowError(expect.objectContaining({ code: '54000' }));
  });

  it('of earlier releases are four bytes', () => {
    expect(decodeSpaceLimit(new Uint8Array([0x40, 0xe2, 0x01, 0x00]))).toBe(123_456);
    expect(() => decodeSpaceLimit(new Uint8Array(3))).toThrowError(expect.objectContaining({ code: 'XX001' }));
    expect(() => decodeSpaceLimit(new Uint8Array(4).fill(255))).toThrowError(
      expect.objectContaining({ code: 'XX001' }),
    );
  });
});

describe('engines of a store', () => {
  it('are found by the key', () => {
    const engine = new MemoryEngine();
    const catalog = new SpaceCatalog(
      [{ code: EngineCode.Btree, bit: 2, name: 'b', volatile: false, engine, pathOf: (file) => file }],
      1,
    );
    expect(catalog.engineOfKey(new Uint8Array([0x10, 0, 0, 1]), 0).engine).toBe(engine);
    expect(catalog.engine(EngineCode.Lsm)).toBeUndefined();
    expect(() => catalog.engineOfKey(new Uint8Array([0x20, 0, 0, 1]), 0)).toThrowError(/engine 2/);
    catalog.checkEngines(2);
    expect(() => catalog.checkEngines(6)).toThrowError(
      expect.objectContaining({ code: '22023', data: { engineCode: 2 } }),
    );
  });
});

describe('settings', () => {
  const factory = (name: string, code: EngineCode = 1): EngineFactory => ({
    code,
    name,
    open: async () => new MemoryEngine(),
  });
  const resolve = (engines: EngineFactory[], more = {}): unknown =>
    resolveOptions({ vfs: new MemoryVfs(), engines, ...more });

  it('have defaults', () => {
    expect(resolve([factory('btree')])).toMatchObject({
      durability: 'fsync',
      cacheBytes: 67_108_864,
      deltaBytesMax: 67_108_864,
      checkpointBytesMin: 4_194_304,
      checkpointBytesMax: 67_108_864,
      readOnly: false,
      create: true,
    });
  });

  it.each([
    ['no engine', [], {}],
    ['two of a name', [factory('a', 1), factory('a', 2)], {}],
    ['two of a code', [factory('a', 1), factory('b', 1)], {}],
    ['a name that is a path', [factory('../x')], {}],
    ['the name of the log', [factory('log')], {}],
    ['a long name', [factory('abcdefghijklmno')], {}],
    ['no cache', [factory('a')], { cacheBytes: 0 }],
    ['no log', [factory('a')], { checkpointBytesMax: Number.NaN }],
  ])('are refused: %s', (_, engines, more) => {
    expect(() => resolve(engines, more)).toThrowError(expect.objectContaining({ code: '22023' }));
  });
});

describe('health', () => {
  it('keeps the first failure and tells of it once', () => {
    const health = new StoreHealth(silentLogger, false);
    const told: Error[] = [];
    health.onFailure((failure) => told.push(failure));
    expect(health.refusal()).toBeUndefined();
    health.fail('something odd');
    health.fail(new Error('later'));
    expect(told).toHaveLength(1);
    expect(health.refusal()).toMatchObject({ code: 'XX000', message: 'the store takes no more writes: something odd' });
  });

  it('refuses after closing and when it is read-only', () => {
    const health = new StoreHealth(silentLogger, true);
    expect(health.refusal()).toMatchObject({ code: '25006' });
    health.close();
    expect(health.refusal()).toMatchObject({ code: '55000' });
  });
});
