/**
 * Scans of a column index: the vectors of its segments handed to a step piece by piece, and in the place of marked rows what the table
 * has of them (storage/columnar/format.ts says why that is exact).
 *
 *   segment   ....x.......x..      x: marked, passed over
 *   table         o   o   o        the marked rows of the segment's keys, where they are
 */
import { ByteWriter, compareBytes } from '@phantom/base';
import { type Decimal, StorageKind } from '@phantom/codec';
import type { ByteSlot, KeyRange, KvCursor } from '@phantom/kv';
import { wholeRange } from './table-access.js';
import type { ComparisonRole } from '../expr/expression.js';
import type { ColumnIndex } from '../storage/columnar/column-index.js';
import { Part, beginKey } from '../storage/columnar/format.js';
import { MarkedRows } from '../storage/columnar/markers.js';
import { Directory, type Segment, SegmentReader } from '../storage/columnar/segments.js';
import { type ColumnValues, DecimalValues } from '../storage/columnar/vectors.js';
import { ZoneCodec, excludes } from '../storage/columnar/zones.js';
import type { Value } from '../types/type.js';
import { Pipeline, type Sink } from './pipelines.js';
import type { CompiledFunction, Work } from './program.js';
import type { Partition, SegmentCount, Yielded } from './runtime.js';
import type { Run } from './run.js';

const NO_BYTES = new Uint8Array(0);
/** Rows handed to a step at once, at most: they cost a few nanoseconds each. */
const PIECE_ROWS = 1024;
/** Rows of the table gathered before they are handed on. */
const MARKED_ROWS = 512;

/** A comparison of a column with values known when the scan begins. */
export interface ZoneTest {
  readonly place: number;
  readonly role: ComparisonRole;
}

/** What a scan reads. */
export interface ColumnScanPlan {
  readonly index: ColumnIndex;
  /** Of the columns that the step reads, in its order. */
  readonly places: readonly number[];
  readonly tests: readonly ZoneTest[];
  /** The values that the tests compare with, in their order. */
  readonly bounds: (run: Run) => readonly Value[];
  /** Set in a plan that counts what it does. */
  readonly counts: SegmentCount | undefined;
}

/** What a step reads: value of row r, column c is `columns[c]` at r. */
class ColumnBatch {
  columns: ColumnValues[] = [];
}

export class ColumnPipeline extends Pipeline {
  private readonly plan: ColumnScanPlan;
  private readonly zones: readonly ZoneCodec[];

  constructor(step: CompiledFunction, sink: ((run: Run) => Sink) | undefined, plan: ColumnScanPlan) {
    super(step, sink, PIECE_ROWS);
    this.plan = plan;
    this.zones = plan.tests.map(({ place }) => new ZoneCodec(plan.index.columns[place]!.storage));
  }

  *run(run: Run): Work {
    const { index, counts } = this.plan;
    const { read, context } = run;
    const bounds = this.plan.bounds(run);
    const { partition } = run;
    const directory = new Directory(read, index, partition);
    const marked = new MarkedRows(read.cursor(markersFrom(index, partition)));
    const reader = new SegmentReader(read, index, context.columns.cache);
    const table = new MarkedBatch(run, this.plan);
    const batch = new ColumnBatch();
    try {
      marked.next();
      // A marker of a key before the partition may lie behind its first: markers end with their writer's snapshot.
      while (partition !== undefined && marked.isBefore(partition.lower)) marked.next();
      for (let segment = directory.next(); segment !== undefined; segment = directory.next()) {
        const isRead = segment.rows > 0 && !this.isExcluded(segment, bounds);
        const gaps: number[] = [];
        for (; marked.isBefore(directory.upper); marked.next()) {
          const { buffer, length } = marked.rowKey;
          const row = isRead ? reader.rowKeys(segment).find(buffer, length) : -1;
          if (row >= 0) gaps.push(row);
          table.add(buffer, length);
          if (table.count === MARKED_ROWS && !(yield* this.handOn(run, table))) return;
        }
        if (counts !== undefined && segment.rows > 0) counts[isRead ? 'read' : 'skipped']++;
        if (!isRead) continue;
        batch.columns = this.plan.places.map((place) => reader.column(segment, place));
        context.counters.rowsScanned += segment.rows;
        if (!(yield* this.between(run, batch, segment.rows, gaps))) return;
        yield* this.look(run);
      }
      if (!(yield* this.handOn(run, table))) return;
    } finally {
      context.columns.sawMarkers(index, marked.count);
      directory.close();
      marked.close();
      table.close();
    }
  }

  /** Hands on the rows of a segment but those in the gaps. */
  private *between(
    run: Run,
    batch: ColumnBatch,
    rows: number,
    gaps: readonly number[],
  ): Generator<Yielded, boolean, void> {
    let from = 0;
    for (const gap of gaps) {
      if (gap > from && !(yield* this.drive(run, batch, gap, from))) return false;
      from = gap + 1;
    }
    return from >= rows || (yield* this.drive(run, batch, rows, from));
  }

  private *handOn(run: Run, table: MarkedBatch): Generator<Yielded, boolean, void> {
    const { count } = table;
    const { counts } = this.plan;
    if (counts !== undefined) counts.markedRows += count;
    run.context.counters.rowsScanned += count;
    const wanted = count === 0 || (yield* this.drive(run, table.batch(), count));
    table.clear();
    yield* this.look(run);
    return wanted;
  }

  /** True when a test can be true for no row of the segment. A null bound is left to the filter. */
  private isExcluded(segment: Segment, bounds: readonly Value[]): boolean {
    const { tests } = this.plan;
    for (let i = 0; i < tests.length; i++) {
      const { place, role } = tests[i]!;
      const zone = segment.zone(place, this.zones[i]!);
      // A column without a zone is null in every row of the segment.
      if (bounds[i] !== null && (zone === undefined || excludes(zone, role, bounds[i]))) return true;
    }
    return false;
  }
}

/** Markers of the rows from the partition's first on. */
function markersFrom({ markers, prefix }: ColumnIndex, partition: Partition | undefined): KeyRange {
  if (partition === undefined) return markers;
  const key = new ByteWriter();
  beginKey(key, prefix, Part.Marker);
  key.bytes(partition.lower);
  return { lower: key.buffer.slice(0, key.length), upper: markers.upper };
}

/** Cuts the directory of a column index into at most so many parts with about as many rows: the keys between which they lie. */
export function columnPartitions(run: Run, index: ColumnIndex, parts: number): Partition[] {
  const directory = new Directory(run.read, index);
  const segments: Segment[] = [];
  for (let segment = directory.next(); segment !== undefined; segment = directory.next()) segments.push(segment);
  directory.close();
  const rows = segments.reduce((sum, segment) => sum + segment.rows, 0);
  const bounds: Uint8Array[] = [];
  let before = 0;
  for (const segment of segments) {
    // The first part begins before every key.
    if (before * parts >= rows * (bounds.length + 1)) bounds.push(segment.lower);
    before += segment.rows;
  }
  return [NO_BYTES, ...bounds].map((lower, i) => ({ lower, upper: bounds[i] }));
}

/** Marked rows as the table has them: by a cursor that stays open, since most of them stand beside each other. */
class MarkedBatch {
  count = 0;
  private readonly run: Run;
  private readonly plan: ColumnScanPlan;
  private readonly positions: readonly number[];
  private columns: Value[][] = [];
  private readonly row: Value[] = [];
  private readonly key = new ByteWriter();
  private cursor: KvCursor | undefined;
  /** Where the cursor stands, if it does. */
  private found = false;

  constructor(run: Run, plan: ColumnScanPlan) {
    this.run = run;
    this.plan = plan;
    this.positions = plan.places.map((place) => plan.index.columns[place]!.position);
    this.clear();
  }

  /** Adds the row of the key if the table has it. */
  add(rowKey: Uint8Array, rowKeyBytes: number): void {
    const { key, plan, run, row, positions } = this;
    const { table } = plan.index;
    key.reset();
    key.bytes(table.prefix);
    key.bytes(rowKey, 0, rowKeyBytes);
    const slot = this.seek();
    if (slot === undefined) return;
    table.decodeColumns(positions, slot.buffer, slot.start, slot.end, row, run.evaluation);
    for (let i = 0; i < positions.length; i++) this.columns[i]!.push(row[positions[i]!]);
    this.count++;
  }

  /** What was added, as a step reads it. */
  batch(): ColumnBatch {
    const batch = new ColumnBatch();
    const { places, index } = this.plan;
    batch.columns = this.columns.map((values, i) =>
      index.columns[places[i]!]!.storage.kind === StorageKind.Decimal
        ? new DecimalValues(values as (Decimal | null)[])
        : values,
    );
    return batch;
  }

  clear(): void {
    // The step may have kept the arrays of before.
    this.columns = this.positions.map(() => []);
    this.count = 0;
  }

  close(): void {
    this.cursor?.close();
  }

  /** The row of the key at hand; undefined when there is none. */
  private seek(): ByteSlot | undefined {
    const { key, run, plan } = this;
    // What a serializable transaction passes over counts as read: it reads by the key.
    if (run.read.tracksReads === true) return run.read.get(key.buffer, 0, key.length, run.slot) ? run.slot : undefined;
    const cursor = (this.cursor ??= run.read.cursor(wholeRange(plan.index.table.prefix)));
    if (this.found && this.order(cursor) < 0) this.found = cursor.next();
    if (!this.found || this.order(cursor) < 0) this.found = cursor.seek(key.buffer, 0, key.length);
    return this.found && this.order(cursor) === 0 ? cursor.value : undefined;
  }

  private order(cursor: KvCursor): number {
    const { buffer, start, end } = cursor.key;
    return compareBytes(buffer, start, end, this.key.buffer, 0, this.key.length);
  }
}
