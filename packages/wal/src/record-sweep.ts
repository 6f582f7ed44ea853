/**
 * Passes over the usual records of a log, a window at once, in WebAssembly: an opening has tens of thousands of them to look
 * at and ends before the compiler would have made a loop in JavaScript fast.
 *
 * A usual record is one that `SegmentReader.step` would find valid, that is a payload of its own (no mark, no fragment), of
 * the epoch and with the owner's flags of the one before it, the next seq, and that knows at least as much to be durable. Whatever
 * else comes ends the pass in front of it and is looked at in JavaScript, which decides: a pass never says that a record is broken,
 * only that it is usual. It leaves behind where the payloads lie, so that a replay need not look at the headers again.
 *
 *      memory   | LSN of place 0 | ........ zeros | window 256 KiB | slack | table: start, end of each payload |
 *               0                8                64
 */
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
  shiftRight,
  store32,
  subtract,
  to64,
  when,
  whileTrue,
} from '@phantom/base/wasm-code';
import { FORMAT_VERSION, RECORD_ALIGNMENT, RECORD_HEADER_BYTES, type SegmentHeader } from './format.js';

/** What fits in at once; of a larger window only the beginning is passed over. */
const INPUT_BYTES = 256 * 1024;
const LSN_AT = 0;
const INPUT_AT = 64;
const TABLE_AT = INPUT_AT + INPUT_BYTES + RECORD_ALIGNMENT;
const TABLE_ENTRY_BYTES = 8;
const TABLE_BYTES = Math.ceil(INPUT_BYTES / RECORD_HEADER_BYTES) * TABLE_ENTRY_BYTES;
/** Numbers of 64 bits are safe integers when their upper half is below this. */
const SAFE_UPPER = 1 << 21;

/** The constants of xxHash32. */
const PRIME_1 = 0x9e3779b1;
const PRIME_2 = 0x85ebca77;
const PRIME_3 = 0xc2b2ae3d;
const PRIME_4 = 0x27d4eb2f;
const PRIME_5 = 0x165667b1;

/** Sets `hash` to the xxHash32 of the bytes from `at` to `end`, which are 16 at the least; `at` moves to the end. */
function hashRange(at: number, end: number, hash: number, lanes: readonly number[]): Code {
  const starts = [PRIME_1 + PRIME_2, PRIME_2, 0, -PRIME_1];
  const rotations = [1, 7, 12, 18];
  const mix = (value: Code, word: Code, factor: number, bits: number, last: number): Code =>
    multiply(rotateLeft(add(value, multiply(word, i32(factor))), i32(bits)), i32(last));
  return [
    ...set(hash, subtract(get(end), get(at))),
    ...lanes.flatMap((lane, i) => set(lane, i32(starts[i] as number))),
    ...whileTrue(
      atMost(add(get(at), i32(16)), get(end)),
      ...lanes.map((lane, i) => set(lane, mix(get(lane), load32(add(get(at), i32(4 * i))), PRIME_2, 13, PRIME_1))),
      increase(at, i32(16)),
    ),
    ...lanes.flatMap((lane, i) => increase(hash, rotateLeft(get(lane), i32(rotations[i] as number)))),
    ...whileTrue(
      atMost(add(get(at), i32(4)), get(end)),
      set(hash, mix(get(hash), load32(get(at)), PRIME_3, 17, PRIME_4)),
      increase(at, i32(4)),
    ),
    ...whileTrue(
      less(get(at), get(end)),
      set(hash, mix(get(hash), load8(get(at)), PRIME_5, 11, PRIME_1)),
      increase(at, i32(1)),
    ),
    ...set(hash, multiply(exclusiveOr(get(hash), shiftRight(get(hash), i32(15))), i32(PRIME_2))),
    ...set(hash, multiply(exclusiveOr(get(hash), shiftRight(get(hash), i32(13))), i32(PRIME_3))),
    ...set(hash, exclusiveOr(get(hash), shiftRight(get(hash), i32(16)))),
  ];
}

/** Offsets are those of a record's header in format.ts. */
function sweeper(): Code[] {
  const [place, end, segment, timeline, epoch, last, left, at, hashEnd, hash, table, ...lanes] = LOCALS;
  const field = (offset: number): Code => load32(add(get(place), i32(offset)));
  const isUnsafe = (offset: number): Code => atLeast(field(offset + 4), i32(SAFE_UPPER));
  const stopIf = (condition: Code): Code => when(condition, giveBack(get(table)));
  const ofLast = (offset: number): Code => add(get(last), i32(offset));
  const inWindow = (address: Code): Code => subtract(address, i32(INPUT_AT));
  const lsn = add64(load64(i32(LSN_AT)), to64(get(place)));
  return [
    set(table, i32(TABLE_AT)),
    whileTrue(
      atMost(add(get(place), i32(RECORD_HEADER_BYTES)), get(end)),
      // No flag of the log's own beside the version.
      stopIf(notEqual(load16(add(get(place), i32(8))), i32(FORMAT_VERSION))),
      stopIf(or(notEqual(field(20), get(segment)), notEqual(field(12), get(timeline)))),
      stopIf(or(notEqual(field(16), get(epoch)), isZero(equal64(load64(add(get(place), i32(24))), lsn)))),
      stopIf(or(or(isUnsafe(32), isUnsafe(40)), isUnsafe(48))),
      // While there is no last record, this reads a zero.
      stopIf(isZero(atMost64(load64(ofLast(48)), load64(add(get(place), i32(48)))))),
      when(
        get(last),
        stopIf(notEqual(field(8), load32(ofLast(8)))),
        stopIf(isZero(equal64(load64(add(get(place), i32(32))), add64(load64(ofLast(32)), to64(i32(1)))))),
      ),
      set(left, subtract(get(end), add(get(place), i32(RECORD_HEADER_BYTES)))),
      stopIf(greater(field(4), get(left))),
      set(at, add(get(place), i32(4))),
      set(hashEnd, add(add(get(place), i32(RECORD_HEADER_BYTES)), field(4))),
      hashRange(at, hashEnd, hash, lanes),
      stopIf(notEqual(get(hash), field(0))),
      store32(get(table), inWindow(add(get(place), i32(RECORD_HEADER_BYTES)))),
      store32(add(get(table), i32(4)), inWindow(get(hashEnd))),
      increase(table, i32(TABLE_ENTRY_BYTES)),
      set(last, get(place)),
      set(place, and(add(get(hashEnd), i32(RECORD_ALIGNMENT - 1)), i32(-RECORD_ALIGNMENT))),
    ),
    get(table),
  ];
}

interface SweepExports {
  /** Puts usual records that follow each other in [place, end) into the table and returns the end of it. */
  sweep(place: number, end: number, segment: number, timeline: number, epoch: number): number;
}

/** The window that is being passed over; one for all logs of a thread. */
class RecordSweep {
  private readonly memory = new WasmMemory(TABLE_AT + TABLE_BYTES);
  private readonly input = new Uint8Array(this.memory.buffer, INPUT_AT, INPUT_BYTES);
  private readonly lsn = new DataView(this.memory.buffer, LSN_AT, 8);
  private readonly functions = this.memory.instantiate([
    { name: 'sweep', parameters: 5, locals: LOCALS.length - 5, body: sweeper() },
  ]) as SweepExports;
  private window: object | undefined = undefined;
  /** Payload i of those passed over last lies in [ranges[2i], ranges[2i + 1]) of the window. Borrowed until the next pass. */
  readonly ranges = new Int32Array(this.memory.buffer, TABLE_AT, TABLE_BYTES / 4);

  /**
   * How many usual records follow each other from `start` and end at or before `end` of a window. `token` stands for the bytes of this window: the same ones are not copied twice.
   * `windowLsn` is the LSN of the window's first byte, `start` a multiple of the alignment away from it.
   */
  run(
    token: object,
    window: Uint8Array,
    start: number,
    end: number,
    { number, timeline }: SegmentHeader,
    epoch: number,
    windowLsn: number,
  ): number {
    if (this.window !== token) {
      this.input.set(window.length > INPUT_BYTES ? window.subarray(0, INPUT_BYTES) : window);
      this.window = token;
    }
    this.lsn.setBigInt64(0, BigInt(windowLsn - INPUT_AT), true);
    const until = Math.min(end, INPUT_BYTES);
    const tableEnd = this.functions.sweep(INPUT_AT + start, INPUT_AT + until, number, timeline, epoch);
    return (tableEnd - TABLE_AT) / TABLE_ENTRY_BYTES;
  }
}

let sweep: RecordSweep | undefined;

/** Made when a log is first read. */
export function recordSweep(): RecordSweep {
  sweep ??= new RecordSweep();
  return sweep;
}
