/**
 * Recovery: brings the engines from what their files hold to what the log holds.
 *
 * Each engine's files have everything up to its own flushedSeq and nothing later (engine invariant 4), so a record is
 * applied to each engine that does not have it yet, and replaying twice changes nothing. Batches find their engines by the
 * engine mask; no catalog is needed. The log itself has already decided which tail it accepts and has made it durable
 * (DESIGN's invariants 2 and 4) before the first record comes out of it.
 *
 * Recovery admits and applies many batches as one, so a log longer than the memory for deltas is flushed on the way, and most
 * of the code runs in a few long loops: a short recovery is over before the code of each call has been compiled.
 * Engines that a batch does not touch hear nothing of it: they are told once where the log ended.
 */
import { corruptionError } from '@phantom/base';
import { BatchGroup, BatchReader, type KvEngine, type Seq } from '@phantom/kv';
import type { Lsn, Wal, WalRecord, WalRecordRun } from '@phantom/wal';
import { applyLoads } from './bulk-load.js';
import { NOT_IDENTIFIED, RecordKind, type SuperblockState } from './format.js';
import { decodeLoads } from './load-record.js';
import { LogMap } from './log-map.js';
import type { ResolvedOptions } from './options.js';
import { type PlacedEngine, type SpaceCatalog, decodeSpaceLimit } from './space-catalog.js';

/** Bytes of batches that are applied as one at the most, and the share of an engine's memory for deltas that they may need. */
const GROUP_BYTES_MAX = 8 * 1024 * 1024;
const GROUPS_OF_DELTA = 4;

export interface RecoveryResult {
  /** Seq of the last commit there is; every engine's appliedSeq. */
  readonly seq: Seq;
  readonly log: LogMap;
  readonly records: number;
  readonly commitTimeMs: number;
  /** The files of an engine have commits that the log lacks. */
  readonly isBehindEngines: boolean;
}

/**
 * Refuses records that skip or repeat a commit. Only up to what an engine has in its files may commits be missing: with
 * less than durability `fsync` a power cut can leave those files ahead of the log, and numbering goes on behind them.
 */
export class SeqOrder {
  private previous: Seq;
  private readonly flushedSeqMax: Seq;

  constructor(previous: Seq, flushedSeqMax: Seq) {
    this.previous = previous;
    this.flushedSeqMax = flushedSeqMax;
  }

  /** So many records come, the first of them with this seq and each with the one behind. */
  next(seq: Seq, position: Lsn, count = 1): void {
    const { previous, flushedSeqMax } = this;
    if (seq !== previous + 1 && (seq <= previous || seq > flushedSeqMax + 1)) {
      throw corruptionError('the log skips or repeats a commit', {
        file: 'log',
        offset: position,
        expected: previous + 1,
        found: seq,
      });
    }
    this.previous = seq + count - 1;
  }
}

/** The newest commit that some engine has in its files. */
export function newestFlushedSeq(catalog: SpaceCatalog): Seq {
  let newest = 0;
  for (const placed of catalog.engines) if (!placed.volatile) newest = Math.max(newest, placed.engine.flushedSeq());
  return newest;
}

/**
 * Replays the log from where the superblock says that it starts (0: from wherever it begins); afterwards every engine has
 * every commit. XX001 when the log does not hold that position, unless it is `relaxed`: with less than durability `fsync`
 * a power cut may have taken what the engines have in their files, and all there is to do is to go on behind it. Likewise
 * when the engines have commits that the log lacks.
 */
export async function recover(
  wal: Wal,
  catalog: SpaceCatalog,
  superblock: SuperblockState,
  { logger, engines, deltaBytesMax }: Pick<ResolvedOptions, 'logger' | 'engines' | 'deltaBytesMax'>,
): Promise<RecoveryResult> {
  const { logStart, relaxed, identifiedFrom } = superblock;
  const isLost = wal.end < logStart;
  if ((logStart > 0 && wal.start > logStart) || (isLost && !relaxed)) {
    throw corruptionError('the log does not hold the position at which recovery begins', {
      file: 'log',
      expected: logStart,
      found: `${wal.start} to ${wal.end}`,
    });
  }
  const flushedSeqMax = newestFlushedSeq(catalog);
  const groupBytesMax = Math.min(GROUP_BYTES_MAX, deltaBytesMax / engines.length / GROUPS_OF_DELTA);
  const from = isLost ? wal.end : logStart === 0 ? wal.start : logStart;
  const replay = new Replay(catalog, superblock, flushedSeqMax, { from, logBytes: wal.end - from, groupBytesMax });
  for await (const { records, run } of wal.replay(from, { runsOf: RecordKind.Batch })) {
    const count = run?.count ?? records.length;
    for (let taken = 0; taken < count;) {
      taken = run === undefined ? replay.take(records, taken) : replay.takeRun(run, taken);
      if (replay.waiting !== undefined) await replay.waiting;
    }
  }
  const { log, recordCount, commitTimeMs } = replay;
  const isBehindEngines = replay.seq < flushedSeqMax;
  if (isBehindEngines) {
    // Releases without identity did not sync the log before their engines' files counted.
    if (!relaxed && identifiedFrom !== NOT_IDENTIFIED) {
      throw corruptionError('the log ends before commits that engines have in their files: it is an older copy', {
        file: 'log',
        offset: wal.end,
        expected: `commit ${flushedSeqMax}`,
        found: `commit ${replay.seq}`,
      });
    }
    logger.info('engine files are ahead of the log', { logSeq: replay.seq, flushedSeq: flushedSeqMax });
  }
  const seq = Math.max(replay.seq, flushedSeqMax);
  await replay.end(seq);
  return { seq, log, records: recordCount, commitTimeMs, isBehindEngines };
}

/** An engine that has files, and the batches for it that are gathered and not applied yet. */
class ReplayedEngine {
  readonly bit: number;
  private readonly engine: KvEngine;
  private readonly group: BatchGroup;
  private readonly reader = new BatchReader();
  /** Of the last batch in the group. */
  private groupSeq: Seq = 0;

  constructor({ bit, code, engine }: PlacedEngine, groupBytes: number) {
    this.bit = bit;
    this.engine = engine;
    this.group = new BatchGroup(code, groupBytes);
  }

  /** Takes a batch, unless the engine has it in its files. A promise when room must be waited for; then it is not taken yet. */
  take(batch: BatchReader, seq: Seq): Promise<void> | undefined {
    if (this.engine.appliedSeq >= seq) return undefined;
    if (!this.group.hasRoomFor(batch)) return this.apply().then(() => this.take(batch, seq));
    this.group.add(batch);
    this.groupSeq = seq;
    return undefined;
  }

  /** Takes batches of a run from the given one on, as far as they can be gathered as they are; returns how many those were. */
  takeRun({ bytes, ranges, count, firstSeq }: WalRecordRun, from: number): number {
    if (this.engine.appliedSeq >= firstSeq + from) return 0;
    const taken = this.group.addRange(bytes, ranges, from, count);
    if (taken > 0) this.groupSeq = firstSeq + from + taken - 1;
    return taken;
  }

  /** Applies what is gathered. */
  async apply(): Promise<void> {
    const { engine, group, reader } = this;
    if (group.count === 0) return;
    await engine.admit(group.room);
    group.giveTo(reader);
    engine.apply(reader, this.groupSeq, Number.POSITIVE_INFINITY);
  }
}

interface ReplayedLog {
  /** Where it begins. */
  readonly from: Lsn;
  /** Bytes to be read. */
  readonly logBytes: number;
  /** Bytes of batches that are applied as one. */
  readonly groupBytesMax: number;
}

/**
 * Gives batches to the engines that do not have them, many at a time: no view is open yet, so nobody could look between them,
 * and what an engine does for a batch costs more than the few operations of a usual one.
 */
class Replay {
  /** Of the last record. */
  seq: Seq;
  recordCount = 0;
  commitTimeMs = 0;
  readonly log: LogMap;
  /** Set by `take`: to be awaited before it goes on. */
  waiting: Promise<void> | undefined = undefined;
  private readonly catalog: SpaceCatalog;
  private readonly order: SeqOrder;
  private readonly engines: readonly ReplayedEngine[];
  private readonly reader = new BatchReader();

  constructor(
    catalog: SpaceCatalog,
    { logStartSeq }: SuperblockState,
    flushedSeqMax: Seq,
    { from, logBytes, groupBytesMax }: ReplayedLog,
  ) {
    const groupBytes = Math.min(logBytes, groupBytesMax);
    this.catalog = catalog;
    this.seq = logStartSeq;
    this.order = new SeqOrder(logStartSeq, flushedSeqMax);
    this.log = new LogMap(logStartSeq, from);
    this.engines = catalog.engines
      .filter(({ volatile }) => !volatile)
      .map((placed) => new ReplayedEngine(placed, groupBytes));
  }

  /**
   * Takes records from the given one on, and returns the one to go on with: the end, unless an engine makes us wait. A function of
   * its own, which V8 compiles while it runs: it does not do that for the loop of one that awaits.
   */
  take(records: readonly WalRecord[], from: number): number {
    this.waiting = undefined;
    for (let i = from; i < records.length; i++) {
      const record = records[i] as WalRecord;
      this.recordCount++;
      this.commitTimeMs = record.commitTimeMs;
      if (record.flags === RecordKind.Batch) this.takeBatch(record);
      else if (record.flags === RecordKind.SpaceLimit) this.catalog.replayLimit(decodeSpaceLimit(record.payload));
      else if (record.flags === RecordKind.Load) this.waiting = this.takeLoad(record);
      else throw unknownRecord(record);
      this.log.add(this.seq, record.end);
      if (this.waiting !== undefined) return i + 1;
    }
    return records.length;
  }

  /** As `take`, of batches that come as a run: those of a single engine are gathered without a look at each. */
  takeRun(run: WalRecordRun, from: number): number {
    const { bytes, ranges, count, firstSeq } = run;
    this.waiting = undefined;
    if (from === 0) this.beginRun(run);
    for (let at = from; at < count;) {
      const start = ranges[2 * at] as number;
      const taken = this.engineWith(bytes[start + 1] as number)?.takeRun(run, at) ?? 0;
      at += taken;
      if (taken > 0) continue;
      this.takeBytes(bytes, start, ranges[2 * at + 1] as number, firstSeq + at);
      at++;
      if (this.waiting !== undefined) return at;
    }
    return count;
  }

  /** Everything is applied, and engines that the last records did not touch are told where the log ended. */
  async end(seq: Seq): Promise<void> {
    await this.apply();
    for (const { engine } of this.catalog.engines) if (engine.appliedSeq < seq) engine.advance(seq);
  }

  /** Sets `waiting` when an engine makes us wait for room; the record stays as it is until that has resolved. */
  private takeBatch(record: WalRecord): void {
    this.passTo(record);
    this.takeBytes(record.bytes, record.payloadStart, record.payloadEnd, record.seq);
  }

  private takeBytes(bytes: Uint8Array, start: number, end: number, seq: Seq): void {
    const { reader } = this;
    reader.setBatch(bytes, start, end);
    this.catalog.checkEngines(reader.engines);
    this.waiting = this.takeFrom(0, seq);
  }

  /** The engine whose bit is the only one. */
  private engineWith(engines: number): ReplayedEngine | undefined {
    for (const engine of this.engines) if (engine.bit === engines) return engine;
    return undefined;
  }

  private beginRun({ lsn, count, firstSeq, commitTimeMs, end }: WalRecordRun): void {
    this.order.next(firstSeq, lsn, count);
    this.seq = firstSeq + count - 1;
    this.recordCount += count;
    this.commitTimeMs = commitTimeMs;
    // Marks lie further apart than a run is long.
    this.log.add(this.seq, end);
  }

  private async takeLoad(record: WalRecord): Promise<void> {
    this.passTo(record);
    const loads = decodeLoads(record.payload);
    for (const { engine } of loads) this.catalog.checkEngines(1 << engine);
    await this.apply();
    applyLoads(this.catalog.engines, loads, record.seq, undefined);
  }

  private passTo(record: WalRecord): void {
    this.order.next(record.seq, record.lsn);
    this.seq = record.seq;
  }

  private async apply(): Promise<void> {
    for (const engine of this.engines) await engine.apply();
  }

  private takeFrom(first: number, seq: Seq): Promise<void> | undefined {
    const { engines, reader } = this;
    for (let i = first; i < engines.length; i++) {
      const engine = engines[i] as ReplayedEngine;
      if ((reader.engines & engine.bit) === 0) continue;
      const waiting = engine.take(reader, seq);
      if (waiting !== undefined) return waiting.then(() => this.takeFrom(i + 1, seq));
    }
    return undefined;
  }
}

function unknownRecord(record: WalRecord): Error {
  return corruptionError('the log has a record of a kind that does not exist', {
    file: 'log',
    offset: record.lsn,
    found: record.flags,
  });
}
