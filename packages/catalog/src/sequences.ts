/**
 * Sequence values: handed out from memory, but only from a range whose end is durable already, so that no value is ever
 * given twice, whatever crashes. Nothing is rolled back. The next range is logged when half of the present one is used,
 * in a commit of its own that shares its fsync with whatever else is being committed; ranges double while a sequence is
 * busy, so a bulk load logs a handful of times.
 *
 * Durable state (value of the sequence key), JSON for a person to read:
 *   { "next": "<first value not reserved, or the exact next one after a clean close>", "called": true }
 *
 * What a crash costs: the unused rest of a range is skipped, as in PostgreSQL. What was left out: PostgreSQL's
 * per-session CACHE keeps values apart per connection; here one process hands out all values, so CACHE only sets the
 * smallest range.
 *
 * A restart is a change of the catalog: the descriptor names a new place for the position, which the transaction uses at
 * once, the others when it has committed, and nobody when it has not (PostgreSQL gives the sequence a new file). Other
 * changes of a sequence keep its place: values that others take meanwhile must not be given twice.
 *
 * Invariants:
 *   1. A value is handed out only if it lies before `reserved`, and `reserved` is durable.
 *   2. setval is durable before it returns.
 */
import { PhantomError, assert } from '@phantom/base';
import { ByteSlot } from '@phantom/kv';
import type { Mvcc } from '@phantom/mvcc';
import type { Oid, SequenceDescriptor } from './descriptors.js';
import type { CatalogKeys } from './keys.js';

/** Values reserved first: the one that is asked for, and as many ahead of it as PostgreSQL logs. */
const RANGE_MIN = 33n;
/** Values reserved at most: what a crash may skip. */
const RANGE_MAX = 65536n;

const UTF8 = new TextEncoder();
const UTF8_IN = new TextDecoder();

/** int8 in canonical form: number while safe. */
export type Int8 = number | bigint;

interface SequenceState {
  /** The next value to hand out. */
  next: bigint;
  /** Values strictly before it (in the sequence's direction) are durable; equal to next when nothing is reserved. */
  reserved: bigint;
  /** Where the range ends that is being made durable, if one is. */
  pending: bigint | undefined;
  /** How many values the present range has, or the one that is being made durable; 0 before there is any. */
  range: bigint;
  /** Last value handed out, for the sequence's own row (last_value, is_called). */
  last: bigint;
  called: boolean;
  /** Set once values ran past the limit without CYCLE. */
  exhausted: boolean;
  /** The steps and limits that `next` was found by; ALTER SEQUENCE changes them. */
  rules: SequenceRules;
}

type SequenceRules = Pick<SequenceDescriptor, 'increment' | 'minimum' | 'maximum' | 'cycle'>;

/** What `SELECT * FROM sequence` shows. */
export interface SequenceRow {
  readonly lastValue: Int8;
  readonly isCalled: boolean;
  /** Values that may still be handed out before the disk must be waited for. */
  readonly reservedCount: Int8;
}

function canonical(value: bigint): Int8 {
  return value >= -9007199254740991n && value <= 9007199254740991n ? Number(value) : value;
}

export class Sequences {
  /** By the oid under which a position is kept. */
  private readonly states = new Map<Oid, SequenceState>();
  private readonly mvcc: Mvcc;
  private readonly keys: CatalogKeys;

  constructor(mvcc: Mvcc, keys: CatalogKeys) {
    this.mvcc = mvcc;
    this.keys = keys;
  }

  /** The next value. Waits for the disk only when a range ran out before its successor was durable. 2200H at the limit. */
  next(sequence: SequenceDescriptor): Int8 {
    const state = this.state(sequence);
    const increment = BigInt(sequence.increment);
    if (state.exhausted) {
      if (!sequence.cycle) throw limitReached(sequence);
      // CYCLE came after the limit was met: the range begins anew.
      state.exhausted = false;
      state.next = BigInt(increment > 0n ? sequence.minimum : sequence.maximum);
      state.reserved = state.next;
      state.pending = undefined;
    }
    if (state.next === state.reserved) this.reserveNow(sequence, state);
    const value = state.next;
    state.last = value;
    state.called = true;
    this.advance(sequence, state, increment);
    const left = increment > 0n ? state.reserved - state.next : state.next - state.reserved;
    const step = increment > 0n ? increment : -increment;
    if (state.pending === undefined && left < (state.range * step) / 2n) this.reserveLater(sequence, state);
    return canonical(value);
  }

  /** Sets the sequence's position, durable on return; 22003 outside its limits. */
  set(sequence: SequenceDescriptor, value: Int8, called: boolean): void {
    const wanted = BigInt(value);
    if (wanted < BigInt(sequence.minimum) || wanted > BigInt(sequence.maximum)) {
      throw new PhantomError(
        '22003',
        `setval: value ${wanted} is out of bounds for sequence "${sequence.name}" (${sequence.minimum}..${sequence.maximum})`,
      );
    }
    const state = this.state(sequence);
    state.last = wanted;
    state.called = called;
    state.exhausted = false;
    state.next = wanted;
    state.pending = undefined;
    state.range = 0n;
    if (called) this.advance(sequence, state, BigInt(sequence.increment));
    state.reserved = state.next;
    this.writeNow(sequence, state);
  }

  /** The sequence's own row. */
  row(sequence: SequenceDescriptor): SequenceRow {
    const state = this.state(sequence);
    const reservedCount = (state.reserved - state.next) / BigInt(sequence.increment);
    return { lastValue: canonical(state.last), isCalled: state.called, reservedCount: canonical(reservedCount) };
  }

  /** Forgets in memory a position that is no longer used. */
  forget(stateOid: Oid): void {
    this.states.delete(stateOid);
  }

  /** Removes a position that no sequence has any more. Where that fails, a few bytes are left that nobody reads. */
  discard(stateOid: Oid): void {
    this.forget(stateOid);
    const transaction = this.mvcc.begin({ label: 'sequence' });
    const key = this.keys.sequence(stateOid);
    transaction.remove(key, 0, key.length);
    transaction.commit().catch(() => undefined);
  }

  /** Writes exact positions, so that a clean close skips nothing. */
  async close(): Promise<void> {
    if (this.states.size === 0) return;
    const transaction = this.mvcc.begin({ label: 'sequences' });
    for (const [oid, state] of this.states) {
      if (state.next === state.reserved && state.pending === undefined) continue;
      const key = this.keys.sequence(oid);
      const value = encode(state, state.next);
      transaction.put(key, 0, key.length, value, 0, value.length);
    }
    this.states.clear();
    await transaction.commit();
  }

  private state(sequence: SequenceDescriptor): SequenceState {
    const oid = stateOid(sequence);
    let state = this.states.get(oid);
    if (state === undefined) this.states.set(oid, (state = this.load(sequence)));
    if (!sameRules(state.rules, sequence)) this.follow(sequence, state);
    return state;
  }

  /** Goes on from the last value by the sequence's rules as they are now; what was reserved by others is left. */
  private follow(sequence: SequenceDescriptor, state: SequenceState): void {
    state.rules = sequence;
    state.exhausted = false;
    state.next = state.last;
    state.pending = undefined;
    state.range = 0n;
    if (state.called) this.advance(sequence, state, BigInt(sequence.increment));
    state.reserved = state.next;
  }

  private load(sequence: SequenceDescriptor): SequenceState {
    const start = BigInt(sequence.origin?.first ?? sequence.start);
    const state: SequenceState = {
      next: start,
      reserved: start,
      pending: undefined,
      range: 0n,
      last: start,
      called: false,
      exhausted: false,
      rules: sequence,
    };
    const key = this.keys.sequence(stateOid(sequence));
    const slot = new ByteSlot();
    const transaction = this.mvcc.begin({ readOnly: true });
    try {
      transaction.beginStatement();
      if (!transaction.get(key, 0, key.length, slot)) return state;
      const stored = decode(slot.copy(), sequence.oid);
      state.next = stored.next;
      state.reserved = stored.next;
      state.last = stored.last;
      state.called = stored.called;
      state.exhausted = stored.exhausted;
      // What was reserved may lie beyond limits that came later.
      if (stored.next < BigInt(sequence.minimum) || stored.next > BigInt(sequence.maximum))
        this.follow(sequence, state);
      return state;
    } finally {
      transaction.rollback();
    }
  }

  /** Moves `next` on by one step; wraps or exhausts at the limit. */
  private advance(sequence: SequenceDescriptor, state: SequenceState, increment: bigint): void {
    const next = state.next + increment;
    const maximum = BigInt(sequence.maximum);
    const minimum = BigInt(sequence.minimum);
    if (next > maximum || next < minimum) {
      if (!sequence.cycle) {
        state.exhausted = true;
        return;
      }
      state.next = increment > 0n ? minimum : maximum;
      // A wrapped sequence begins a range of its own.
      state.reserved = state.next;
      state.pending = undefined;
      return;
    }
    state.next = next;
  }

  /** End of the range that starts at `from`, cut at the limit. */
  private rangeEnd(sequence: SequenceDescriptor, state: SequenceState, from: bigint): bigint {
    const increment = BigInt(sequence.increment);
    const cache = BigInt(sequence.cache);
    if (state.range === 0n) state.range = RANGE_MIN;
    else if (state.range < RANGE_MAX) state.range *= 2n;
    const count = state.range > cache ? state.range : cache;
    const limit = increment > 0n ? BigInt(sequence.maximum) : BigInt(sequence.minimum);
    const room = (limit - from) / increment + 1n;
    return from + increment * (room < count ? room : count);
  }

  private reserveNow(sequence: SequenceDescriptor, state: SequenceState): void {
    const end = state.pending ?? this.rangeEnd(sequence, state, state.next);
    this.writeNow(sequence, state, end);
    state.reserved = end;
    state.pending = undefined;
  }

  private reserveLater(sequence: SequenceDescriptor, state: SequenceState): void {
    const end = this.rangeEnd(sequence, state, state.reserved);
    if (end === state.reserved) return;
    state.pending = end;
    const transaction = this.mvcc.begin({ label: 'sequence' });
    const key = this.keys.sequence(stateOid(sequence));
    const value = encode(state, end);
    transaction.put(key, 0, key.length, value, 0, value.length);
    transaction.commit().then(
      () => {
        // setval, a wrap or a synchronous reservation may have overtaken this one.
        if (state.pending !== end) return;
        state.reserved = end;
        state.pending = undefined;
      },
      () => {
        if (state.pending === end) state.pending = undefined;
      },
    );
  }

  private writeNow(sequence: SequenceDescriptor, state: SequenceState, end: bigint = state.next): void {
    const transaction = this.mvcc.begin({ label: 'sequence' });
    const key = this.keys.sequence(stateOid(sequence));
    const value = encode(state, end);
    transaction.put(key, 0, key.length, value, 0, value.length);
    transaction.commitSync();
  }
}

/** The oid under which a sequence's position is kept. */
export function stateOid(sequence: SequenceDescriptor): Oid {
  return sequence.origin?.stateOid ?? sequence.oid;
}

function sameRules(a: SequenceRules, b: SequenceRules): boolean {
  return a.increment === b.increment && a.minimum === b.minimum && a.maximum === b.maximum && a.cycle === b.cycle;
}

function encode(state: SequenceState, next: bigint): Uint8Array {
  return UTF8.encode(
    JSON.stringify({ next: String(next), last: String(state.last), called: state.called, exhausted: state.exhausted }),
  );
}

function decode(bytes: Uint8Array, oid: Oid): { next: bigint; last: bigint; called: boolean; exhausted: boolean } {
  try {
    const stored = JSON.parse(UTF8_IN.decode(bytes)) as {
      next: string;
      last: string;
      called: boolean;
      exhausted: boolean;
    };
    return { next: BigInt(stored.next), last: BigInt(stored.last), called: stored.called, exhausted: stored.exhausted };
  } catch (cause) {
    throw new PhantomError('XX001', `the state of sequence ${oid} is unreadable`, { cause });
  }
}

function limitReached(sequence: SequenceDescriptor): PhantomError {
  const rising = BigInt(sequence.increment) > 0n;
  assert(sequence.cycle === false, 'a cycling sequence never ends');
  return new PhantomError(
    '2200H',
    rising
      ? `nextval: reached maximum value of sequence "${sequence.name}" (${sequence.maximum})`
      : `nextval: reached minimum value of sequence "${sequence.name}" (${sequence.minimum})`,
  );
}
