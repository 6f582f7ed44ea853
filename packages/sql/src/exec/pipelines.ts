/** The loops around steps: sources that hand rows to a step piece by piece, give way by elapsed time, and stop on demand. */
import { CursorBatch, type KvCursor } from '@phantom/kv';
import type { KeyRange } from '@phantom/kv';
import { ByteWriter, PhantomError } from '@phantom/base';
import { Pace } from './pace.js';
import { COPIED_BYTES_MAX, copyEntry } from './copied-entries.js';
import { type CompiledFunction, FUEL, STOP, type Task, type Work } from './program.js';
import type { RowBuffer } from './row-buffer.js';
import type { Run } from './run.js';
import type { Sorter } from './sorter.js';
import type { Yielded } from './runtime.js';

/** Rows handed to a step at once, at most: scanning is cheap, so that several batches of a cursor pass between looks at the clock. */
const PIECE_ROWS = 512;
/** Entries of a cursor batch. */
const BATCH_ENTRIES = 256;
/** Entries of the first batch of a scan whose step may want no more and does not tell how many: EXISTS. */
const FIRST_BATCH_ENTRIES = 16;
/** So many times more has each batch of such a scan than the one before it. */
const BATCH_GROWTH = 4;

/** What a scan reads one after another between looks at the clock: such sources may have no rows at all. */
const CLOCK_SOURCES = 64;

/** Where what a step writes gathers, until it is handed on. Generated code returns to the driver when it is full. */
export interface Sink {
  isFull(): boolean;
  /** Hands on what is there; answers false when nobody wants more. */
  flush(): Work<unknown>;
}

type Step = (run: Run, source: unknown, from: number, to: number) => number;
type SlowStep = (run: Run, source: unknown, from: number, to: number) => Generator<Yielded, number, void>;

export abstract class Pipeline implements Task {
  protected readonly step: CompiledFunction;
  protected readonly sink: ((run: Run) => Sink) | undefined;
  protected readonly pace: Pace;

  /** `sink` is set when what the step writes gathers in one: result rows, groups. `pieceRows`: at most so many come at once. */
  constructor(step: CompiledFunction, sink: ((run: Run) => Sink) | undefined, pieceRows = PIECE_ROWS) {
    this.step = step;
    this.sink = sink;
    this.pace = new Pace(pieceRows);
  }

  abstract run(run: Run): Work<unknown>;

  /** Hands rows [from, count) of a source to the step; false when the step wants no more. */
  protected *drive(run: Run, source: unknown, count: number, from = 0): Generator<Yielded, boolean, void> {
    const { pace } = this;
    const step = this.step.get(run.statement);
    const slow = this.step.code.generator;
    const sink = this.sink?.(run);
    let at = from;
    while (at < count) {
      run.fuel = FUEL;
      const to = Math.min(count, at + pace.rows);
      const next = slow
        ? yield* (step as unknown as SlowStep)(run, source, at, to)
        : (step as unknown as Step)(run, source, at, to);
      if (sink !== undefined && sink.isFull() && (yield* sink.flush()) === false) return false;
      if (next === STOP) return false;
      at = next;
      if (at < count || slow) yield* this.look(run);
    }
    return true;
  }

  /** Learns what rows cost, and yields when the time slice is over. */
  protected *look(run: Run): Work {
    const { slice } = run.context;
    this.pace.learn(slice.elapsedMs());
    if (slice.due()) yield undefined;
  }
}

/** Yields when the time slice is over. */
export function* pause(run: Run): Work {
  if (run.context.slice.due()) yield undefined;
}

/** What a step does in the middle of a row that takes long: hands on what has gathered, and yields when the time slice is over. */
export function* restWithin(run: Run, sink: Sink | undefined): Work {
  run.fuel = FUEL;
  if (sink !== undefined && sink.isFull()) yield* sink.flush();
  yield* pause(run);
}

/** A step that runs once: VALUES of one row, a read by key. */
export class OncePipeline extends Pipeline {
  *run(run: Run): Work {
    yield* this.drive(run, undefined, 1);
  }
}

/** Rows of a buffer, in its order. */
export class BufferPipeline extends Pipeline {
  protected readonly buffer: (run: Run) => RowBuffer;

  constructor(step: CompiledFunction, sink: ((run: Run) => Sink) | undefined, buffer: (run: Run) => RowBuffer) {
    super(step, sink);
    this.buffer = buffer;
  }

  *run(run: Run): Work {
    const buffer = this.buffer(run);
    yield* this.drive(run, buffer, buffer.count);
  }
}

/** Rows of a sort, in order; those that were written down come piece by piece. */
export class SortedPipeline extends Pipeline {
  private readonly sorter: (run: Run) => Sorter;

  constructor(step: CompiledFunction, sink: ((run: Run) => Sink) | undefined, sorter: (run: Run) => Sorter) {
    super(step, sink);
    this.sorter = sorter;
  }

  *run(run: Run): Work {
    const sorter = this.sorter(run);
    do {
      if (!(yield* this.drive(run, sorter, sorter.count))) return;
    } while (sorter.refill());
  }
}

/** Rows of a WITH query's buffer. A recursive one goes on by a round whenever its reader has seen all rows there are. */
export class CommonTablePipeline extends BufferPipeline {
  private readonly id: number;

  constructor(
    step: CompiledFunction,
    sink: ((run: Run) => Sink) | undefined,
    buffer: (run: Run) => RowBuffer,
    id: number,
  ) {
    super(step, sink, buffer);
    this.id = id;
  }

  override *run(run: Run): Work {
    const buffer = this.buffer(run);
    let seen = 0;
    for (;;) {
      const { count } = buffer;
      if (seen < count && !(yield* this.drive(run, buffer, count, seen))) return;
      seen = count;
      if (seen < buffer.count) continue;
      const recursion = run.statement.with.recursions.get(this.id);
      if (recursion === undefined || !(yield* recursion.advance())) return;
    }
  }
}

/** Numbers 0 .. count-1: groups of an aggregation. */
export class CountPipeline extends Pipeline {
  private readonly count: (run: Run) => number;

  constructor(step: CompiledFunction, sink: ((run: Run) => Sink) | undefined, count: (run: Run) => number) {
    super(step, sink);
    this.count = count;
  }

  *run(run: Run): Work<boolean> {
    return yield* this.drive(run, undefined, this.count(run));
  }
}

/** Rows made one by one by an iterator (functions in FROM, system views), gathered in a small buffer. */
export class IteratorPipeline extends Pipeline {
  private readonly rows: (run: Run) => Generator<Yielded, Iterable<readonly unknown[]>, void>;
  private readonly buffer: (run: Run) => RowBuffer;

  constructor(
    step: CompiledFunction,
    sink: ((run: Run) => Sink) | undefined,
    rows: IteratorPipeline['rows'],
    buffer: (run: Run) => RowBuffer,
  ) {
    super(step, sink);
    this.rows = rows;
    this.buffer = buffer;
  }

  *run(run: Run): Work {
    const buffer = this.buffer(run);
    const rows = yield* this.rows(run);
    const iterator = rows[Symbol.iterator]();
    try {
      for (;;) {
        buffer.clear();
        let item = iterator.next();
        while (item.done !== true) {
          buffer.pushRow(item.value);
          if (buffer.count >= PIECE_ROWS) break;
          item = iterator.next();
        }
        if (buffer.count === 0) return;
        if (!(yield* this.drive(run, buffer, buffer.count))) return;
        if (item.done === true) return;
        yield* pause(run);
      }
    } finally {
      iterator.return?.();
    }
  }
}

/** What a scan's step asks for. */
export interface ScanTraits {
  /** The step may want no more rows before the range ends. */
  readonly stops: boolean;
  /** How many rows it wants at the least, where that is known when the scan begins. */
  readonly wanted: ((run: Run) => number) | undefined;
  /** The step looks at no key. */
  readonly keyless: boolean;
  /** The step looks at nothing of an entry. */
  readonly valueless: boolean;
}

/** What a scan reads in one go: a range, or what a cursor over several ranges gives. */
export type ScanSource = KeyRange | KvCursor;

/** Entries of ranges of a table or an index. */
export class CursorPipeline extends Pipeline {
  private readonly sources: (run: Run) => Iterable<ScanSource>;
  private readonly backward: boolean;
  private readonly traits: ScanTraits;

  constructor(
    step: CompiledFunction,
    sink: ((run: Run) => Sink) | undefined,
    sources: (run: Run) => Iterable<ScanSource>,
    backward: boolean,
    traits: ScanTraits,
  ) {
    super(step, sink);
    this.sources = sources;
    this.backward = backward;
    this.traits = traits;
  }

  *run(run: Run): Work {
    const { pace } = this;
    const step = this.step.get(run.statement);
    const slow = this.step.code.generator;
    const sink = this.sink?.(run);
    // What a serializable transaction has passed over counts as read: no entry more than the step wants, and by its key.
    const tracks = run.read.tracksReads === true;
    const { stops, keyless, valueless } = this.traits;
    const { counters } = run.context;
    const batch = takeBatch();
    batch.keyless = keyless && !tracks;
    batch.valueless = valueless && !tracks;
    let copies: ByteWriter | undefined;
    let cursor: KvCursor | undefined;
    let most = 0;
    let rows = 0;
    let sources = 0;
    try {
      for (const source of this.sources(run)) {
        cursor = 'lower' in source ? run.read.cursor(source) : source;
        batch.capacity = stops ? (tracks ? 1 : this.firstEntries(run)) : BATCH_ENTRIES;
        for (;;) {
          const count = this.backward ? fillBackward(cursor, batch, (copies ??= takeCopies())) : cursor.fill(batch);
          if (count === 0) break;
          counters.rowsScanned += count;
          if (count > most) most = count;
          // What `drive` does, with a look at the clock for several batches.
          for (let at = 0; at < count;) {
            run.fuel = FUEL;
            const to = Math.min(count, at + Math.max(1, pace.rows - rows));
            const next = slow
              ? yield* (step as unknown as SlowStep)(run, batch, at, to)
              : (step as unknown as Step)(run, batch, at, to);
            if (sink !== undefined && sink.isFull() && (yield* sink.flush()) === false) return;
            if (next === STOP) return;
            rows += next - at;
            at = next;
            if (rows < pace.rows && next === to && !slow) continue;
            rows = 0;
            yield* this.look(run);
          }
          if (!tracks) batch.capacity = Math.min(BATCH_ENTRIES, batch.capacity * BATCH_GROWTH);
        }
        cursor.close();
        cursor = undefined;
        if (++sources < CLOCK_SOURCES) continue;
        sources = 0;
        yield* pause(run);
      }
    } finally {
      cursor?.close();
      giveBatch(batch, most);
      if (copies !== undefined) giveCopies(copies);
    }
  }

  /** What it does not want of a scan that it may stop is not read. */
  private firstEntries(run: Run): number {
    const { wanted } = this.traits;
    if (wanted === undefined) return FIRST_BATCH_ENTRIES;
    return Math.max(1, Math.min(BATCH_ENTRIES, wanted(run)));
  }
}

/** Where backward scans copy entries to; used again like batches. */
const spareCopies: ByteWriter[] = [];

function takeCopies(): ByteWriter {
  return spareCopies.pop() ?? new ByteWriter(COPIED_BYTES_MAX / 4);
}

function giveCopies(copies: ByteWriter): void {
  if (spareCopies.length < SPARE_BATCHES_MAX && copies.buffer.length <= 2 * COPIED_BYTES_MAX) spareCopies.push(copies);
}

/**
 * Fills a batch moving backwards; 0 at the end. An entry is gone with the next move, so all but a single one are copied,
 * which costs less than a turn of the step for each.
 */
function fillBackward(cursor: KvCursor, batch: CursorBatch, copies: ByteWriter): number {
  if (!cursor.prev()) return 0;
  if (batch.capacity === 1) return batch.setOne(cursor.key, cursor.value);
  copies.reset();
  batch.count = 0;
  do {
    copyEntry(batch, cursor, copies);
  } while (batch.count < batch.capacity && copies.length < COPIED_BYTES_MAX && cursor.prev());
  return batch.count;
}

/** Batches are used again: making one costs more than a short scan. At most so many are kept. */
const SPARE_BATCHES_MAX = 8;
const spareBatches: CursorBatch[] = [];

function takeBatch(): CursorBatch {
  return spareBatches.pop() ?? new CursorBatch(BATCH_ENTRIES);
}

/** Takes a batch back of which at most so many entries were filled. */
function giveBatch(batch: CursorBatch, filled: number): void {
  if (spareBatches.length >= SPARE_BATCHES_MAX) return;
  const { keyBuffers, valueBuffers } = batch;
  for (let i = 0; i < filled; i++) keyBuffers[i] = valueBuffers[i] = EMPTY;
  spareBatches.push(batch);
}

const EMPTY = new Uint8Array(0);

/** 21000: a scalar subquery gave two rows. */
export function moreThanOneRow(): PhantomError {
  return new PhantomError('21000', 'more than one row returned by a subquery used as an expression');
}
