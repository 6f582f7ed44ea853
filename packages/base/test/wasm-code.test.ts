import { describe, expect, it } from 'vitest';
import {
  type Code,
  LOCALS,
  WasmMemory,
  add,
  add64,
  and,
  atLeast,
  atMost,
  atMost64,
  clear,
  equal,
  equal64,
  exclusiveOr,
  exclusiveOr64,
  get,
  giveBack,
  greater,
  i32,
  i64,
  increase,
  isZero,
  less,
  load16,
  load32,
  load64,
  load8,
  multiply,
  multiply64,
  notEqual,
  or,
  or64,
  rotateLeft,
  rotateLeft64,
  set,
  shiftLeft,
  shiftLeft64,
  shiftRight,
  shiftRight64,
  store16,
  store64,
  store8,
  subtract,
  to64,
  when,
  whileTrue,
} from '../src/wasm-code.js';

const [left, right, count] = LOCALS;

/** What an expression over two numbers gives. */
function compute(expression: Code, a: number, b: number): number {
  const functions = new WasmMemory(16).instantiate([{ name: 'run', parameters: 2, locals: 0, body: [expression] }]);
  return (functions as { run(a: number, b: number): number }).run(a, b);
}

describe('WebAssembly as expressions', () => {
  it.each<[string, Code, number]>([
    ['add', add(get(left), get(right)), -4],
    ['subtract', subtract(get(left), get(right)), -10],
    ['multiply', multiply(get(left), get(right)), -21],
    ['and', and(get(left), get(right)), 1],
    ['or', or(get(left), get(right)), -5],
    ['exclusiveOr', exclusiveOr(get(left), get(right)), -6],
    ['shiftLeft', shiftLeft(get(left), get(right)), -56],
    ['shiftRight', shiftRight(get(left), get(right)), (-7 >>> 3) | 0],
    ['rotateLeft', rotateLeft(get(left), get(right)), (-7 << 3) | 7],
    ['equal', equal(get(left), get(right)), 0],
    ['notEqual', notEqual(get(left), get(right)), 1],
    ['less, without a sign', less(get(left), get(right)), 0],
    ['atMost', atMost(get(left), get(right)), 0],
    ['greater', greater(get(left), get(right)), 1],
    ['atLeast', atLeast(get(left), get(right)), 1],
    ['isZero', isZero(get(left)), 0],
    ['numbers of all lengths', add(i32(63), add(i32(-65), add(i32(0x7fff_ffff), i32(200)))), (0x7fff_ffff + 198) | 0],
    ['add64 and equal64', equal64(add64(to64(get(left)), to64(i32(7))), to64(i32(0))), 0],
    ['atMost64', atMost64(to64(get(right)), to64(get(left))), 1],
    ['multiply64', equal64(multiply64(i64(-3n), i64(0x1_0000_0001n)), i64(-0x3_0000_0003n)), 1],
    ['or64', equal64(or64(to64(get(right)), i64(1n << 40n)), i64((1n << 40n) + 3n)), 1],
    ['exclusiveOr64', equal64(exclusiveOr64(i64(-1n), i64(0xffn)), i64(-0x100n)), 1],
    ['shiftLeft64', equal64(shiftLeft64(i64(5n), i64(61n)), i64(0xa000_0000_0000_0000n)), 1],
    ['shiftRight64, without a sign', equal64(shiftRight64(i64(-1n), i64(1n)), i64(0x7fff_ffff_ffff_ffffn)), 1],
    ['rotateLeft64', equal64(rotateLeft64(i64(0x8000_0000_0000_0001n), i64(1n)), i64(3n)), 1],
  ])('has %s', (_, expression, result) => {
    expect(compute(expression, -7, 3)).toBe(result);
  });

  it('has locals of 64 bits behind the others', () => {
    const body = [
      set(3, add64(to64(get(left)), i64(1n << 32n))),
      set(2, equal64(get(3), i64((1n << 32n) + 5n))),
      get(2),
    ];
    const functions = new WasmMemory(16).instantiate([{ name: 'run', parameters: 2, locals: 1, longs: 1, body }]);
    expect((functions as { run(a: number, b: number): number }).run(5, 0)).toBe(1);
  });

  it('loads and stores at any address', () => {
    const memory = new WasmMemory(64);
    const { run } = memory.instantiate([
      {
        name: 'run',
        parameters: 1,
        locals: 0,
        body: [
          store8(get(0), i32(0x81)),
          store16(add(get(0), i32(1)), i32(0x1234)),
          store64(add(get(0), i32(11)), load64(get(0))),
          clear(get(0), i32(2)),
          add(load8(add(get(0), i32(11))), add(load16(add(get(0), i32(12))), load32(add(get(0), i32(11))))),
        ],
      },
    ]) as { run(at: number): number };
    expect(run(5)).toBe(0x81 + 0x1234 + 0x123481);
    expect([...new Uint8Array(memory.buffer, 4, 6)]).toEqual([0, 0, 0, 0x12, 0, 0]);
  });

  it('repeats, decides and leaves', () => {
    const { sum } = new WasmMemory(1).instantiate([
      {
        name: 'sum',
        parameters: 2,
        locals: 1,
        body: [
          whileTrue(
            less(get(count), get(left)),
            increase(count, i32(1)),
            when(equal(get(count), get(right)), giveBack(i32(-1))),
          ),
          set(count, multiply(get(count), i32(2))),
          get(count),
        ],
      },
    ]) as { sum(upTo: number, forbidden: number): number };
    expect([sum(10, 11), sum(10, 10), sum(0, 0)]).toEqual([20, -1, 0]);
  });
});
