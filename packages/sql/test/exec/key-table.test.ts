import { MemoryBudget } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntegerTable, PairTable, RowChains, ValueTable } from '../../src/exec/key-table.js';

const budget = (): MemoryBudget => new MemoryBudget(1 << 30);
const seed = 20240229;

describe('tables that number keys', () => {
  it('number integers and null as a Map would', () => {
    fc.assert(
      fc.property(fc.array(fc.option(fc.integer({ min: -50, max: 50 }), { nil: null })), (keys) => {
        const table = new IntegerTable(budget());
        const values = new ValueTable(budget());
        const model = new Map<unknown, number>();
        for (const key of keys) {
          if (!model.has(key)) model.set(key, model.size);
          expect(table.intern(key)).toBe(model.get(key));
          expect(values.intern(key)).toBe(model.get(key));
        }
        for (let key = -60; key <= 60; key++) {
          expect(table.find(key)).toBe(model.get(key) ?? -1);
          expect(values.find(key)).toBe(model.get(key) ?? -1);
        }
        expect(table.find(null)).toBe(model.get(null) ?? -1);
        expect(table.size).toBe(model.size);
      }),
      { seed },
    );
  });

  it('grow', () => {
    const table = new IntegerTable(budget());
    for (let i = 0; i < 10_000; i++) expect(table.intern(i * 7919)).toBe(i);
    for (let i = 0; i < 10_000; i++) expect(table.find(i * 7919)).toBe(i);
    expect(table.find(1)).toBe(-1);
    expect(table.find(2 ** 40)).toBe(-1);
  });

  it('number pairs', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(200), fc.nat(200)), { maxLength: 400 }), (pairs) => {
        const table = new PairTable(budget());
        const model = new Map<string, number>();
        for (const [a, b] of pairs) {
          const key = `${a} ${b}`;
          if (!model.has(key)) model.set(key, model.size);
          expect(table.intern(a, b)).toBe(model.get(key));
        }
        for (const [a, b] of pairs) expect(table.find(a, b)).toBe(model.get(`${a} ${b}`));
        expect(table.find(-1, 3)).toBe(-1);
        expect(table.find(3, -1)).toBe(-1);
        expect(table.find(1000, 1)).toBe(-1);
      }),
      { seed },
    );
  });

  it('take NaN for one key, and 0 and -0 for one', () => {
    const table = new ValueTable(budget());
    expect(table.intern(Number.NaN)).toBe(table.intern(Number.NaN));
    expect(table.intern(0)).toBe(table.intern(-0));
  });
});

describe('chains of rows', () => {
  it('keep rows in the order of coming', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(300), { maxLength: 500 }), (numbers) => {
        const chains = new RowChains(budget());
        const model = new Map<number, number[]>();
        numbers.forEach((number, row) => {
          chains.add(number, row);
          model.set(number, [...(model.get(number) ?? []), row]);
        });
        for (const [number, rows] of model) {
          const found: number[] = [];
          for (let row = chains.first(number); row >= 0; row = chains.next(row)) found.push(row);
          expect(found).toEqual(rows);
        }
        expect(chains.first(-1)).toBe(-1);
      }),
      { seed },
    );
  });
});
