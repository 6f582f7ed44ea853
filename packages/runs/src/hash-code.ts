/**
 * xxHash's XXH64 as WebAssembly (Collet's specification, github.com/Cyan4973/xxHash), for checksums of bytes that lie in a memory
 * already: the package that makes all other checksums copies what it is given, and gives back a bigint that is compared once.
 */
import {
  type Code,
  LOCALS,
  type WasmFunction,
  add,
  add64,
  atMost,
  equal64,
  exclusiveOr64,
  get,
  i32,
  i64,
  increase,
  less,
  load32,
  load64,
  load8,
  multiply64,
  or64,
  rotateLeft64,
  set,
  shiftLeft64,
  shiftRight64,
  subtract,
  to64,
  when,
  whileTrue,
} from '@phantom/base/wasm-code';

const PRIME_1 = 0x9e3779b185ebca87n;
const PRIME_2 = 0xc2b2ae3d27d4eb4fn;
const PRIME_3 = 0x165667b19e3779f9n;
const PRIME_4 = 0x85ebca77c2b2ae63n;
const PRIME_5 = 0x27d4eb2f165667c5n;
const STRIPE_BYTES = 32;
const LANES = 4;

const times = (value: Code, prime: bigint): Code => multiply64(value, i64(prime));
const rotated = (value: Code, bits: number): Code => rotateLeft64(value, i64(BigInt(bits)));
const plus = (value: Code, addend: bigint): Code => add64(value, i64(addend));
/** A lane after eight more bytes. */
const round = (lane: Code, input: Code): Code => times(rotated(add64(lane, times(input, PRIME_2)), 31), PRIME_1);

/**
 * A function `isWhole(start, end, seedLow, seedHigh)`: 1 when the eight bytes at `end` are the hash of those in [start, end).
 */
export function hashComparison(): WasmFunction {
  const [place, end, seedLow, seedHigh, start, hash, seed, lane1, lane2, lane3, lane4] = LOCALS;
  const lanes = [lane1, lane2, lane3, lane4];
  const input = (at: number): Code => load64(add(get(place), i32(at)));
  const hasLeft = (bytes: number): Code => atMost(add(get(place), i32(bytes)), get(end));
  const shifted = (bits: number): Code =>
    set(hash, exclusiveOr64(get(hash), shiftRight64(get(hash), i64(BigInt(bits)))));
  const body = [
    set(start, get(place)),
    set(seed, or64(to64(get(seedLow)), shiftLeft64(to64(get(seedHigh)), i64(32n)))),
    set(hash, plus(get(seed), PRIME_5)),
    when(
      hasLeft(STRIPE_BYTES),
      set(lane1, plus(get(seed), PRIME_1 + PRIME_2)),
      set(lane2, plus(get(seed), PRIME_2)),
      set(lane3, get(seed)),
      set(lane4, plus(get(seed), -PRIME_1)),
      whileTrue(
        hasLeft(STRIPE_BYTES),
        ...lanes.map((lane, i) => set(lane, round(get(lane), input(i * 8)))),
        increase(place, i32(STRIPE_BYTES)),
      ),
      set(
        hash,
        [1, 7, 12, 18].map((bits, i) => rotated(get(lanes[i % LANES]!), bits)).reduce((sum, lane) => add64(sum, lane)),
      ),
      ...lanes.map((lane) =>
        set(hash, plus(times(exclusiveOr64(get(hash), round(i64(0n), get(lane))), PRIME_1), PRIME_4)),
      ),
    ),
    set(hash, add64(get(hash), to64(subtract(get(end), get(start))))),
    whileTrue(
      hasLeft(8),
      set(hash, plus(times(rotated(exclusiveOr64(get(hash), round(i64(0n), input(0))), 27), PRIME_1), PRIME_4)),
      increase(place, i32(8)),
    ),
    when(
      hasLeft(4),
      set(
        hash,
        plus(times(rotated(exclusiveOr64(get(hash), times(to64(load32(get(place))), PRIME_1)), 23), PRIME_2), PRIME_3),
      ),
      increase(place, i32(4)),
    ),
    whileTrue(
      less(get(place), get(end)),
      set(hash, times(rotated(exclusiveOr64(get(hash), times(to64(load8(get(place))), PRIME_5)), 11), PRIME_1)),
      increase(place, i32(1)),
    ),
    shifted(33),
    set(hash, times(get(hash), PRIME_2)),
    shifted(29),
    set(hash, times(get(hash), PRIME_3)),
    shifted(32),
    equal64(get(hash), load64(get(end))),
  ];
  return { name: 'isWhole', parameters: 4, locals: 1, longs: 6, body };
}
