import { describe, expect, it } from 'vitest';
import { compileFilter } from '../src/filter/filter.js';
import { compileUpdate } from '../src/update/update.js';
import { updateShape } from '../src/update/update-shape.js';

const context = { filter: compileFilter({}), inserting: false };
const applied = (update: unknown, document: Record<string, unknown>): unknown =>
  compileUpdate(update, undefined, { nowMs: () => 0 }).apply(document, context);

describe('shapes of updates', () => {
  it('are the same for the same operators and paths, whatever the operands', () => {
    const shape = updateShape({ $inc: { score: 1 }, $set: { 'a.b': 2 } });
    expect(updateShape({ $inc: { score: 'x' }, $set: { 'a.b': null } })).toBe(shape);
    expect(updateShape({ $set: { 'a.b': 2 }, $inc: { score: 1 } })).not.toBe(shape);
    expect(updateShape({ $inc: { score: 1 }, $set: { 'a.c': 2 } })).not.toBe(shape);
    expect([...shape.fields]).toEqual(['score', 'a']);
  });

  it('keep no operands', () => {
    expect(applied({ $set: { a: 1 }, $push: { b: { $each: [1] } } }, {})).toEqual({ a: 1, b: [1] });
    expect(applied({ $set: { a: 2 }, $push: { b: 3 } }, {})).toEqual({ a: 2, b: [3] });
    expect(applied({ $rename: { a: 'b' } }, { a: 1 })).toEqual({ b: 1 });
    expect(applied({ $rename: { a: 'c' } }, { a: 1 })).toEqual({ c: 1 });
  });

  it('take no path for an operator', () => {
    updateShape({ $inc: {}, $set: { a: 1 } });
    expect(() => updateShape({ $inc: { $set: 1, a: 1 } })).toThrow('begins with a dollar');
  });

  it('refuse what is wrong each time', () => {
    for (let i = 0; i < 2; i++) {
      expect(() => updateShape({ $set: { a: 1, 'a.b': 2 } })).toThrow('would conflict');
      expect(() => applied({ $set: { a: undefined } }, {})).toThrow('is undefined');
      expect(() => applied({ $inc: { a: 'x' } }, {})).toThrow('$inc needs a number');
      expect(() => applied({ $set: { 'a.$[e]': 1 } }, {})).toThrow('there is no array filter for "e"');
    }
  });

  it('are forgotten when there are too many', () => {
    const first = updateShape({ $set: { zero: 1 } });
    for (let i = 0; i < 5000; i++) updateShape({ $set: { [`field${i}`]: 1 } });
    const again = updateShape({ $set: { zero: 1 } });
    expect(again).not.toBe(first);
    expect(again).toEqual(first);
  });
});
