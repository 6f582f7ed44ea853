/**
 * Reading a store that is damaged, as far as it can be read, without opening it: nothing in its directory is written, and nothing is
 * believed without its checksum.
 *
 *   1 lock the directory           nobody else has it
 *   2 superblock                   a slot of it, mended if need be; without one everything is taken as it is found
 *   3 log                          from where recovery would begin up to the first damage
 *   4 each engine's files          tolerant readers of its own; the log's tail is the layer above them
 *
 * All of it together is one walk over keys (kv's salvage.ts), which can be taken as often as it is wanted. What has been read may
 * become a store of its own (salvage-copy.ts).
 */
import { type Checksums, type Logger, isPhantomError, loadChecksums } from '@phantom/base';
import {
  type EngineCode,
  type LostRange,
  SPACE_NUMBER_MAX,
  type SalvageFinding,
  type SalvagedEngine,
  type SalvagedRow,
  type Seq,
  isLostRange,
  mergeSalvaged,
  spaceOfKey,
} from '@phantom/kv';
import { type DirectoryLock, MendedVfs, type Vfs, joinPath } from '@phantom/vfs';
import { type SalvagedLog, type SalvagedRecord, salvageLog } from '@phantom/wal';
import { LOG_DIRECTORY, RecordKind, SLOT_BYTES, SUPERBLOCK_FILE, type SuperblockState, decodeSlot } from './format.js';
import { decodeLoads } from './load-record.js';
import { LogLayer } from './log-layer.js';
import { isVolatile } from './open-store.js';
import { noStoreError } from './superblock.js';
import type { EngineFactory, StoreOrigin } from './types.js';

export interface SalvageOptions {
  readonly vfs: Vfs;
  /** Those of the store. */
  readonly engines: readonly EngineFactory[];
  /** Take whole records of the log behind its first damage, too. Default: what they were built on is not there. */
  readonly pastDamage?: boolean;
  readonly logger?: Logger;
}

/**
 * Locks the directory and finds what can be read of the store in it; `close` what is returned. 58P01 where there is no store, 55006
 * where somebody has it, 0A000 where a newer release wrote it, an I/O error otherwise. Damage is told in `findings`.
 */
export async function salvageStore(directory: string, options: SalvageOptions): Promise<SalvagedStore> {
  const { vfs } = options;
  const isThere = [SUPERBLOCK_FILE, LOG_DIRECTORY].some((name) => vfs.exists(joinPath(directory, name)));
  if (!vfs.exists(directory) || !isThere) throw noStoreError(directory, 'There is no superblock, and no log.');
  const lock = await vfs.lock(directory, { pid: process.pid, description: `a repair by process ${process.pid}` });
  try {
    return new SalvagedStore(directory, options, await loadChecksums(), lock);
  } catch (error) {
    await lock.release();
    throw error;
  }
}

export class SalvagedStore {
  readonly directory: string;
  /** Everything that is wrong, in the order in which it was met; walking adds to it, once. */
  readonly findings: SalvageFinding[] = [];
  /** Whole records of the log behind damage, and the commit of the last of them. */
  readonly log: Pick<SalvagedLog, 'recordsPast' | 'lastSeqPast'>;
  /** The last commit that was found. */
  readonly seq: Seq;
  private readonly state: SuperblockState | undefined;
  private readonly lock: DirectoryLock;
  private readonly engines: readonly { readonly code: EngineCode; readonly salvaged: SalvagedEngine }[];
  private readonly records: readonly SalvagedRecord[];
  /** Among the records are those that recovery does not need, and none is missing behind the first. */
  private readonly hasHistory: boolean;

  constructor(directory: string, options: SalvageOptions, checksums: Checksums, lock: DirectoryLock) {
    this.directory = directory;
    this.lock = lock;
    const vfs = new MendedVfs(options.vfs);
    this.state = this.superblock(vfs, checksums);
    const log = this.readLog(vfs, checksums, options.pastDamage ?? false);
    this.log = log;
    const engines = [];
    for (const factory of options.engines) {
      if (isVolatile(factory) || factory.salvage === undefined) continue;
      const salvaged = this.engine(factory, factory.salvage, vfs, checksums, log.records);
      engines.push({ code: factory.code, salvaged });
    }
    this.engines = engines.toSorted((a, b) => a.code - b.code);
    this.checkOrder(log.records);
    const history = this.isLogWhole ? this.history(vfs, checksums) : undefined;
    this.hasHistory = history !== undefined;
    this.records = history ?? log.records;
    const flushed = this.engines.map(({ salvaged }) => salvaged.flushedSeq);
    this.seq = Math.max(0, this.state?.logStartSeq ?? 0, this.records.at(-1)?.seq ?? 0, ...flushed);
  }

  /** Every entry that was found, engine by engine in the order of keys, and every range that was lost, before what lies behind it. */
  *rows(): Generator<SalvagedRow | LostRange, void, void> {
    for (const { code, salvaged } of this.engines) {
      const tail = new LogLayer(this.records, code, salvaged.flushedSeq, this.hasHistory);
      yield* mergeSalvaged([tail, ...salvaged.layers]);
    }
  }

  /** Nothing of the log that was durable is damaged, or it could be mended. */
  get isLogWhole(): boolean {
    const log = joinPath(this.directory, LOG_DIRECTORY);
    return !this.findings.some(({ file, isMended }) => !isMended && file.startsWith(log));
  }

  /** What a copy goes on from. Reads everything when the superblock does not say it. */
  origin(): StoreOrigin {
    const spaceLimit = this.state?.spaceLimit ?? this.spacesSeen();
    return { timeline: (this.state?.timeline ?? 1) + 1, seq: this.seq, spaceLimit };
  }

  async close(): Promise<void> {
    for (const { salvaged } of this.engines) salvaged.close();
    await this.lock.release();
  }

  /** One above the greatest space number of any entry. */
  private spacesSeen(): number {
    let limit = 1;
    for (const row of this.rows()) {
      if (!isLostRange(row)) limit = Math.max(limit, (spaceOfKey(row.key, 0) & SPACE_NUMBER_MAX) + 1);
    }
    return limit;
  }

  private superblock(vfs: MendedVfs, checksums: Checksums): SuperblockState | undefined {
    const path = joinPath(this.directory, SUPERBLOCK_FILE);
    if (!vfs.exists(path)) {
      this.tell(path, 0, 'the superblock is gone', false);
      return undefined;
    }
    const file = vfs.open(path, { mode: 'read' });
    let newest: SuperblockState | undefined;
    try {
      for (let slot = 0; slot < 2; slot++) {
        const bytes = new Uint8Array(SLOT_BYTES);
        const offset = slot * SLOT_BYTES;
        file.readAt(offset, bytes);
        let state = decodeSlot(bytes, checksums, path);
        if (typeof state === 'string') {
          const isWhole = (piece: Uint8Array): boolean => typeof attemptSlot(piece, checksums, path) !== 'string';
          const mendedAt = vfs.mend(path, offset, SLOT_BYTES, isWhole);
          file.readAt(offset, bytes);
          this.tell(path, mendedAt ?? offset, `slot ${slot} of the superblock: ${state}`, mendedAt !== undefined);
          state = decodeSlot(bytes, checksums, path);
        }
        if (typeof state !== 'string' && (newest === undefined || state.generation > newest.generation)) newest = state;
      }
    } finally {
      file.close();
    }
    // Both slots hold the same state.
    if (newest !== undefined)
      this.findings.forEach((finding, i) => (this.findings[i] = { ...finding, isMended: true }));
    return newest;
  }

  private readLog(vfs: MendedVfs, checksums: Checksums, pastDamage: boolean): SalvagedLog {
    const { state } = this;
    return salvageLog({
      directory: joinPath(this.directory, LOG_DIRECTORY),
      vfs,
      checksums,
      from: state?.logStart ?? 0,
      identity: state?.identity,
      end: state?.relaxed === true ? 0 : (state?.logEnd ?? 0),
      segment: state?.relaxed === true ? 0 : (state?.logSegment ?? 0),
      pastDamage,
      report: ({ file, offset, message, isMended }) => this.tell(file, offset, message, isMended),
    });
  }

  /** The log from its beginning, if nothing is missing in it. */
  private history(vfs: MendedVfs, checksums: Checksums): readonly SalvagedRecord[] | undefined {
    let isDamaged = false;
    const { records } = salvageLog({
      directory: joinPath(this.directory, LOG_DIRECTORY),
      vfs,
      checksums,
      from: 0,
      identity: this.state?.identity,
      end: 0,
      segment: 0,
      pastDamage: false,
      report: ({ isMended }) => (isDamaged ||= !isMended),
    });
    return isDamaged ? undefined : records;
  }

  private engine(
    factory: EngineFactory,
    salvage: NonNullable<EngineFactory['salvage']>,
    vfs: MendedVfs,
    checksums: Checksums,
    records: readonly SalvagedRecord[],
  ): SalvagedEngine {
    const loads = records.flatMap(({ seq, flags, payload }) => {
      if (flags !== RecordKind.Load) return [];
      return decodeLoads(payload).flatMap(({ engine, files }) => (engine === factory.code ? [{ files, seq }] : []));
    });
    return salvage({
      vfs,
      directory: joinPath(this.directory, factory.name),
      checksums,
      generationMin: this.state?.engines.find(({ code }) => code === factory.code)?.generationMin ?? 0,
      identity: this.state?.identity,
      loads,
      report: (finding) => this.findings.push(finding),
    });
  }

  /** Says so where commits are missing that are in no engine's files either. */
  private checkOrder(records: readonly SalvagedRecord[]): void {
    const flushedMax = Math.max(0, ...this.engines.map(({ salvaged }) => salvaged.flushedSeq));
    let previous = this.state?.logStartSeq ?? flushedMax;
    for (const { seq, flags } of records) {
      if (flags === RecordKind.SpaceLimit) continue;
      if (seq > previous + 1 && seq > flushedMax + 1) {
        const message = `commit ${seq} follows commit ${previous} in the log: what lay between is lost`;
        this.tell(joinPath(this.directory, LOG_DIRECTORY), 0, message, false);
      }
      previous = seq;
    }
  }

  private tell(file: string, offset: number, message: string, isMended: boolean): void {
    this.findings.push({ severity: 'corruption', file, offset, message, isMended });
  }
}

/** As decodeSlot, of bytes that may be anything. */
function attemptSlot(bytes: Uint8Array, checksums: Checksums, path: string): SuperblockState | string {
  try {
    return decodeSlot(bytes, checksums, path);
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return error.message;
  }
}
