/**
 * Recovery: brings the engines from what their files hold to what the log holds.
 *
 * Each engine's files have everything up to its own flushedSeq and nothing later (engine invariant 4), so a record is
 * applied to each engine that does not have it yet, and replaying twice changes nothing. Batches find their engines by the
 * engine mask; no catalog is needed. The log itself has already decided which tail it accepts and has made it durable
 * (DESIGN's invariants 2 and 4) before the first record comes out of it.
 *
 * Recovery admits batches as commits are, many at a time, so a log longer than the memory for deltas is flushed on the way.
 * Engines that a batch does not touch hear nothing of it: they are told once where the log ended.
 */
import { type Logger, corruptionError } from '@phantom/base';
import { BatchReader, type KvEngine, type Seq } from '@phantom/kv';
import type { Lsn, Wal, WalRecord } from '@phantom/wal';
import { applyLoads } from './bulk-load.js';
import { RecordKind, type SuperblockState } from './format.js';
import { decodeLoads } from './load-record.js';
import { LogMap } from './log-map.js';
import { type PlacedEngine, type SpaceCatalog, decodeSpaceLimit } from './space-catalog.js';

export interface RecoveryResult {
  /** Seq of the last commit there is; every engine's appliedSeq. */
  readonly seq: Seq;
  readonly log: LogMap;
  readonly records: number;
  readonly commitTimeMs: number;
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

  next(seq: Seq, position: Lsn): void {
    const { previous, flushedSeqMax } = this;
    if (seq !== previous + 1 && (seq <= previous || seq > flushedSeqMax + 1)) {
      throw corruptionError('the log skips or repeats a commit', {
        file: 'log',
        offset: position,
        expected: previous + 1,
        found: seq,
      });
    }
    this.previous = seq;
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
 * a power cut may have taken what the engines have in their files, and all there is to do is to go on behind it.
 */
export async function recover(
  wal: Wal,
  catalog: SpaceCatalog,
  superblock: SuperblockState,
  logger: Logger,
): Promise<RecoveryResult> {
  const { logStart, logStartSeq, relaxed } = superblock;
  const isLost = wal.end < logStart;
  if ((logStart > 0 && wal.start > logStart) || (isLost && !relaxed)) {
    throw corruptionError('the log does not hold the position at which recovery begins', {
      file: 'log',
      expected: logStart,
      found: `${wal.start} to ${wal.end}`,
    });
  }
  const flushedSeqMax = newestFlushedSeq(catalog);
  const from = isLost ? wal.end : logStart === 0 ? wal.start : logStart;
  const order = new SeqOrder(logStartSeq, flushedSeqMax);
  const replay = new Replay(catalog);
  const log = new LogMap(logStartSeq, from);
  let seq = logStartSeq;
  let records = 0;
  let commitTimeMs = 0;
  for await (const batch of wal.replay(from)) {
    for (const record of batch.records) {
      records++;
      commitTimeMs = record.commitTimeMs;
      if (record.flags === RecordKind.SpaceLimit) {
        catalog.replayLimit(decodeSpaceLimit(record.payload));
      } else if (record.flags === RecordKind.Load) {
        order.next(record.seq, record.lsn);
        seq = record.seq;
        const loads = decodeLoads(record.payload);
        for (const { engine } of loads) catalog.checkEngines(1 << engine);
        applyLoads(catalog.engines, loads, seq, undefined);
      } else if (record.flags === RecordKind.Batch) {
        order.next(record.seq, record.lsn);
        seq = record.seq;
        // Nearly always there is room; a promise for each record would cost as much as applying it.
        const waiting = replay.apply(record);
        if (waiting !== undefined) await waiting;
      } else {
        throw corruptionError('the log has a record of a kind that does not exist', {
          file: 'log',
          offset: record.lsn,
          found: record.flags,
        });
      }
      log.add(seq, record.end);
    }
  }
  if (seq < flushedSeqMax) logger.info('engine files are ahead of the log', { logSeq: seq, flushedSeq: flushedSeqMax });
  seq = Math.max(seq, flushedSeqMax);
  replay.end(seq);
  return { seq, log, records, commitTimeMs };
}

/** Room that replay has an engine reserve at a time, so that not each of many small batches asks for its own. */
const RESERVED_BYTES = 64 * 1024;

/** An engine that has files, and the room in its memory that is reserved and not used yet. */
class ReplayedEngine {
  readonly bit: number;
  readonly engine: KvEngine;
  private reservedBytes = 0;

  constructor({ bit, engine }: PlacedEngine) {
    this.bit = bit;
    this.engine = engine;
  }

  /** Reserves room for a batch; a promise when the engine makes us wait. */
  admit(room: number): Promise<void> | undefined {
    if (this.reservedBytes >= room) return undefined;
    // A batch that is larger than all of the memory waits until nothing else is in it.
    this.release();
    this.reservedBytes = Math.max(room, RESERVED_BYTES);
    return this.engine.admit(this.reservedBytes);
  }

  /** Applies an admitted batch, which gives its room back. */
  apply(batch: BatchReader, seq: Seq): void {
    this.reservedBytes -= batch.room;
    this.engine.apply(batch, seq, Number.POSITIVE_INFINITY);
    batch.rewind();
  }

  release(): void {
    this.engine.unadmit(this.reservedBytes);
    this.reservedBytes = 0;
  }
}

/** Gives batches to the engines that do not have them. */
class Replay {
  private readonly catalog: SpaceCatalog;
  private readonly engines: readonly ReplayedEngine[];
  private readonly reader = new BatchReader();
  private seq: Seq = 0;

  constructor(catalog: SpaceCatalog) {
    this.catalog = catalog;
    this.engines = catalog.engines.filter(({ volatile }) => !volatile).map((placed) => new ReplayedEngine(placed));
  }

  /** A promise when an engine makes us wait for room; the record stays as it is until that has resolved. */
  apply(record: WalRecord): Promise<void> | undefined {
    this.reader.setBatch(record.payload);
    this.seq = record.seq;
    this.catalog.checkEngines(this.reader.engines);
    return this.applyFrom(0);
  }

  /** Everything is applied: what engines were not touched by last is told to them, and room that was not used is free. */
  end(seq: Seq): void {
    for (const engine of this.engines) engine.release();
    for (const { engine } of this.catalog.engines) if (engine.appliedSeq < seq) engine.advance(seq);
  }

  private applyFrom(first: number): Promise<void> | undefined {
    const { engines, reader, seq } = this;
    for (let i = first; i < engines.length; i++) {
      const replayed = engines[i] as ReplayedEngine;
      if ((reader.engines & replayed.bit) === 0 || replayed.engine.appliedSeq >= seq) continue;
      const wait = replayed.admit(reader.room);
      if (wait !== undefined) return this.applyRest(wait, i);
      replayed.apply(reader, seq);
    }
    return undefined;
  }

  private async applyRest(room: Promise<void>, index: number): Promise<void> {
    await room;
    (this.engines[index] as ReplayedEngine).apply(this.reader, this.seq);
    await this.applyFrom(index + 1);
  }
}
