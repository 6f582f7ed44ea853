/**
 * Recovery: brings the engines from what their files hold to what the log holds.
 *
 * Each engine's files have everything up to its own flushedSeq and nothing later (engine invariant 4), so a record is
 * applied to each engine that does not have it yet, and replaying twice changes nothing. Batches find their engines by the
 * engine mask; no catalog is needed. The log itself has already decided which tail it accepts and has made it durable
 * (DESIGN's invariants 2 and 4) before the first record comes out of it.
 *
 * Recovery admits each batch as a commit does, so a log longer than the memory for deltas is flushed on the way.
 */
import { type Logger, corruptionError } from '@phantom/base';
import { BatchReader, type Seq } from '@phantom/kv';
import type { Lsn, Wal, WalRecord } from '@phantom/wal';
import { RecordKind, type SuperblockState } from './format.js';
import { LogMap } from './log-map.js';
import { type SpaceCatalog, decodeSpaceLimit } from './space-catalog.js';

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
  const reader = new BatchReader();
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
        log.add(seq, record.end);
        continue;
      }
      if (record.flags !== RecordKind.Batch) {
        throw corruptionError('the log has a record of a kind that does not exist', {
          file: 'log',
          offset: record.lsn,
          found: record.flags,
        });
      }
      order.next(record.seq, record.lsn);
      seq = record.seq;
      await applyRecord(record, reader, catalog);
      log.add(record.seq, record.end);
    }
  }
  if (seq < flushedSeqMax) logger.info('engine files are ahead of the log', { logSeq: seq, flushedSeq: flushedSeqMax });
  seq = Math.max(seq, flushedSeqMax);
  for (const { engine } of catalog.engines) if (engine.appliedSeq < seq) engine.advance(seq);
  return { seq, log, records, commitTimeMs };
}

async function applyRecord(record: WalRecord, reader: BatchReader, catalog: SpaceCatalog): Promise<void> {
  const { seq, payload } = record;
  reader.setBatch(payload);
  catalog.checkEngines(reader.engines);
  for (const { bit, engine, volatile } of catalog.engines) {
    if (engine.appliedSeq >= seq) continue;
    if (volatile || (reader.engines & bit) === 0) {
      engine.advance(seq);
      continue;
    }
    const room = engine.admit(payload.length);
    if (room !== undefined) await room;
    engine.apply(reader, seq, Number.POSITIVE_INFINITY);
    reader.rewind();
  }
}
