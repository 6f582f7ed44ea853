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
  get,
  giveBack,
  greater,
  i32,
  increase,
  isZero,
  less,
  load16,
  load32,
  load64,
  load8,
  multiply,
  notEqual,
  or,
  rotateLeft,
  set,
  shiftLeft,
  shiftRight,
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
  ])('has %s', (_, expression, result) => {
    expect(compute(expression, -7, 3)).toBe(result);
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
