/**
 * Drives an engine the way a store does (admit, apply in slices, publish, replay after a restart) and keeps the oracle
 * beside it. Comparisons throw an Error that says what differed, so that any test runner shows it.
 */
import { equalBytes, readU32, toHex } from '@phantom/base';
import { ByteSlot, CursorBatch, type KvCursor, type KvEngine, type KvView } from '../engine.js';
import type { KeyRange } from '../key-range.js';
import { SEQ_NONE, type Seq } from '../seq.js';
import { type EngineCode, SPACE_BYTES, makeSpaceId, writeSpace } from '../space.js';
import { BatchReader, WriteBatch } from '../write-batch.js';
import { Model, type ModelEntry, type ModelOperation } from './model.js';

const ENCODER = new TextEncoder();

/** Throws unless the condition holds. A message that costs something to put together is given as a function. */
export function check(condition: boolean, message: string | (() => string)): asserts condition {
  if (!condition) throw new Error(typeof message === 'string' ? message : message());
}

/** A batch as the log would hold it. */
interface LoggedBatch {
  readonly seq: Seq;
  readonly bytes: Uint8Array;
}

/** A view and what it must show. */
export interface OpenView {
  readonly view: KvView;
  readonly model: Model;
}

export class EngineDriver {
  engine: KvEngine;
  readonly code: EngineCode;
  model = new Model();
  seq: Seq = SEQ_NONE;
  private readonly log: LoggedBatch[] = [];
  private readonly slot = new ByteSlot();

  constructor(engine: KvEngine, code: EngineCode) {
    this.engine = engine;
    this.code = code;
  }

  /** A key in space 1 (or another one) of the engine under test. */
  key(text: string | Uint8Array, space = 1): Uint8Array {
    const rest = typeof text === 'string' ? ENCODER.encode(text) : text;
    const key = new Uint8Array(SPACE_BYTES + rest.length);
    writeSpace(key, 0, makeSpaceId(this.code, space));
    key.set(rest, SPACE_BYTES);
    return key;
  }

  put(text: string, value: string | Uint8Array): ModelOperation {
    return { kind: 'put', key: this.key(text), value: typeof value === 'string' ? ENCODER.encode(value) : value };
  }

  remove(text: string): ModelOperation {
    return { kind: 'remove', key: this.key(text) };
  }

  removeRange(lower: string, upper: string): ModelOperation {
    return { kind: 'removeRange', lower: this.key(lower), upper: this.key(upper) };
  }

  /** The range between two texts in space 1. */
  range(lower: string, upper: string): KeyRange {
    return { lower: this.key(lower), upper: this.key(upper) };
  }

  /** Everything the engine under test may hold. */
  everything(): KeyRange {
    const lower = new Uint8Array(SPACE_BYTES);
    writeSpace(lower, 0, makeSpaceId(this.code, 0));
    const upper = new Uint8Array(1);
    upper[0] = (this.code + 1) << 4;
    return { lower, upper };
  }

  /** Commits operations as one batch, in slices of so many operations; `between` runs after each but the last. */
  async commit(
    operations: readonly ModelOperation[],
    sliceOperations: number = Number.POSITIVE_INFINITY,
    between?: () => void,
  ): Promise<Seq> {
    const bytes = encode(operations);
    const reader = new BatchReader().setBatch(bytes);
    await this.engine.admit(
      reader.room,
      operations.every(({ kind }) => kind !== 'put'),
    );
    const seq = ++this.seq;
    this.log.push({ seq, bytes });
    if (seq % 2 === 0) this.engine.foresee?.(reader);
    while (!this.engine.apply(reader, seq, sliceOperations)) {
      check(this.engine.appliedSeq < seq, 'appliedSeq moved before the batch was complete');
      between?.();
    }
    check(this.engine.appliedSeq === seq, 'appliedSeq did not move to the applied batch');
    for (const operation of operations) this.model.apply(operation);
    return seq;
  }

  /** A commit of which this engine has no part. */
  advance(): void {
    this.engine.advance(++this.seq);
    check(this.engine.appliedSeq === this.seq, 'advance did not move appliedSeq');
  }

  view(): OpenView {
    return { view: this.engine.view(this.seq), model: this.model.clone() };
  }

  /** Hands the engine over to another instance over the same files and replays what those do not hold. */
  async restart(reopen: (engine: KvEngine) => Promise<KvEngine>, replayFrom: Seq = SEQ_NONE): Promise<void> {
    const flushed = this.engine.flushedSeq();
    this.engine = await reopen(this.engine);
    const found = this.engine.flushedSeq();
    // An idle engine reports what it was told to advance to; its files need not say so, as long as nothing is missing.
    const missing = this.log.some(({ seq, bytes }) => seq > found && seq <= flushed && readU32(bytes, 4) > 0);
    check(!missing, `files hold seq ${found}, but ${flushed} was reported as flushed`);
    check(this.engine.appliedSeq === found, 'a fresh engine has applied exactly what its files hold');
    await this.replay(replayFrom);
  }

  /** Applies the logged batches again from a seq on, as recovery does. */
  async replay(from: Seq): Promise<void> {
    const reader = new BatchReader();
    for (const { seq, bytes } of this.log) {
      if (seq < from) continue;
      await this.engine.admit(reader.setBatch(bytes).room);
      check(this.engine.apply(reader, seq, Number.POSITIVE_INFINITY), 'a replayed batch is not complete');
    }
    if (this.engine.appliedSeq < this.seq) this.engine.advance(this.seq);
  }

  /** Looks one key up in a view and compares. */
  compareGet(open: OpenView, key: Uint8Array): void {
    const expected = open.model.get(key);
    const found = open.view.get(key, 0, key.length, this.slot);
    check(found === (expected !== undefined), () => `get ${toHex(key)} at ${open.view.seq}: found is ${String(found)}`);
    if (expected !== undefined) compareSlot(this.slot, expected, () => `value of ${toHex(key)}`);
  }

  /** Walks a range of a view forwards, backwards and by batches, and compares. */
  compareRange(open: OpenView, range: KeyRange): void {
    const expected = open.model.entries(range.lower, range.upper);
    const cursor = open.view.cursor(range);
    for (const entry of expected) {
      check(cursor.next(), () => `forward: ${entry.key} is missing at ${open.view.seq}`);
      compareEntry(cursor, entry, 'forward');
    }
    check(!cursor.next() && !cursor.next(), 'forward: there is more than expected');
    for (let i = expected.length - 1; i >= 0; i--) {
      const entry = expected[i] as ModelEntry;
      check(cursor.prev(), () => `reverse: ${entry.key} is missing at ${open.view.seq}`);
      compareEntry(cursor, entry, 'reverse');
    }
    check(!cursor.prev() && !cursor.prev(), 'reverse: there is more than expected');
    cursor.close();
    cursor.close();
    compareFill(open.view.cursor(range), expected);
    compareCount(open.view.cursor(range), expected);
  }

  /** Compares everything in a view with the oracle. */
  compareAll(open: OpenView): void {
    this.compareRange(open, this.everything());
  }

  /** Opens a view of the present, compares everything and releases it. */
  compareNow(): void {
    const open = this.view();
    this.compareAll(open);
    open.view.release();
  }
}

/** Encodes operations as one write batch, owned by the caller. */
export function encode(operations: readonly ModelOperation[]): Uint8Array {
  const batch = new WriteBatch();
  for (const operation of operations) {
    if (operation.kind === 'put') {
      batch.put(operation.key, 0, operation.key.length, operation.value, 0, operation.value.length);
    } else if (operation.kind === 'remove') {
      batch.remove(operation.key, 0, operation.key.length);
    } else {
      batch.removeRange(operation.lower, operation.upper);
    }
  }
  return batch.finish().slice();
}

export function compareEntry(cursor: KvCursor, expected: ModelEntry, what: string): void {
  const { key } = cursor;
  const { keyBytes } = expected;
  check(
    equalBytes(key.buffer, key.start, key.end, keyBytes, 0, keyBytes.length),
    () => `${what}: expected key ${expected.key}, found ${toHex(key.buffer, key.start, key.end)}`,
  );
  compareSlot(cursor.value, expected.value, () => `${what}: value of ${expected.key}`);
}

export function compareSlot(slot: ByteSlot, expected: Uint8Array, what: () => string): void {
  const same = equalBytes(slot.buffer, slot.start, slot.end, expected, 0, expected.length);
  check(same, () => `${what()}: expected ${show(expected)}, found ${show(slot.copy())}`);
}

function compareFill(cursor: KvCursor, expected: readonly ModelEntry[]): void {
  const batch = new CursorBatch(7);
  let at = 0;
  for (let count = cursor.fill(batch); count > 0; count = cursor.fill(batch)) {
    check(count === batch.count && count <= batch.capacity, 'fill: the count is not the number of entries');
    for (let i = 0; i < count; i++) {
      const entry = expected[at++];
      check(entry !== undefined, 'fill: there is more than expected');
      const { keyBytes, value } = entry;
      const keyBuffer = batch.keyBuffers[i] as Uint8Array;
      const keyStart = batch.keyStarts[i] as number;
      const keyEnd = batch.keyEnds[i] as number;
      check(
        equalBytes(keyBuffer, keyStart, keyEnd, keyBytes, 0, keyBytes.length),
        () => `fill: expected key ${entry.key}, found ${toHex(keyBuffer, keyStart, keyEnd)}`,
      );
      const start = batch.valueStarts[i] as number;
      const end = batch.valueEnds[i] as number;
      const same = equalBytes(batch.valueBuffers[i] as Uint8Array, start, end, value, 0, value.length);
      check(same, () => `fill: value of ${entry.key} differs`);
    }
  }
  check(at === expected.length, `fill: ${expected.length} entries expected, ${at} found`);
  cursor.close();
}

/** Who only counts is shown as many entries, and the cursor stands on the last of them. */
function compareCount(cursor: KvCursor, expected: readonly ModelEntry[]): void {
  const batch = new CursorBatch(7);
  batch.keyless = true;
  batch.valueless = true;
  let at = 0;
  for (let count = cursor.fill(batch); count > 0; count = cursor.fill(batch)) {
    at += count;
    const last = expected[at - 1];
    check(last !== undefined, 'count: there is more than expected');
    compareEntry(cursor, last, 'count');
  }
  check(at === expected.length, `count: ${expected.length} entries expected, ${at} found`);
  cursor.close();
}

function show(bytes: Uint8Array): string {
  const head = toHex(bytes, 0, Math.min(bytes.length, 24));
  return bytes.length > 24 ? `${head}... (${bytes.length} bytes)` : head || '(empty)';
}
