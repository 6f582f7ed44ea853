/** The store as the SQL engine sees it. */
import { unsupportedError } from '@phantom/base';
import { userSpace } from '@phantom/catalog';
import { EngineCode, type KeyRange, type RangeEstimate, type Seq, type SpaceId, engineOfKey } from '@phantom/kv';
import type {
  BackupFacts,
  ReadView,
  SpaceLoad,
  StoragePort,
  StorageReads,
  StorageWork,
  TableAdvice,
  TableEngine,
} from '@phantom/sql';
import type { Archiver, SpaceMove, SpacePair, Store, SyncGroup } from '@phantom/store';
import type { Backups } from './backups.js';

const CODES: Readonly<Record<TableEngine, EngineCode>> = {
  btree: EngineCode.Btree,
  lsm: EngineCode.Lsm,
  memory: EngineCode.Memory,
};

function archiveWork({ seq, timeMs, failures }: Archiver['state']): StorageWork['archive'] {
  return { lastSeq: seq, lastMs: timeMs === 0 ? undefined : timeMs, failures };
}

export class StoreStoragePort implements StoragePort {
  private readonly store: Store;
  private readonly backups: Backups;
  private readonly archiver: Archiver | undefined;

  constructor(store: Store, backups: Backups, archiver: Archiver | undefined) {
    this.archiver = archiver;
    this.store = store;
    this.backups = backups;
  }

  get lastSync(): SyncGroup {
    return this.store.lastSync;
  }

  view(): ReadView {
    return this.store.view();
  }

  reads(): StorageReads {
    const sum = { cacheHits: 0, pagesRead: 0, bytesRead: 0 };
    for (const { cacheHits, pagesRead, bytesRead } of this.store.stats().engines) {
      sum.cacheHits += cacheHits;
      sum.pagesRead += pagesRead;
      sum.bytesRead += bytesRead;
    }
    return sum;
  }

  work(): StorageWork {
    const { checkpoints, wal } = this.store.stats();
    const { records, bytesAppended, writes, syncs } = wal;
    return {
      checkpoints,
      logRecords: records,
      logBytes: bytesAppended,
      logWrites: writes,
      logSyncs: syncs,
      archive: this.archiver === undefined ? undefined : archiveWork(this.archiver.state),
    };
  }

  estimate(range: KeyRange): RangeEstimate {
    const engine = this.store.engine(engineOfKey(range.lower, 0));
    return engine === undefined ? { keys: 0, bytes: 0 } : engine.estimate(range);
  }

  locate(file: string, offset: number | undefined): KeyRange | undefined {
    return this.store.locate(file, offset);
  }

  split(range: KeyRange, parts: number): readonly KeyRange[] {
    return this.store.engine(engineOfKey(range.lower, 0))?.split(range, parts) ?? [range];
  }

  allocateSpace(engine: TableEngine): SpaceId {
    const code = CODES[engine];
    if (this.store.engine(code) === undefined) throw unsupportedError(`engine ${engine}`);
    return userSpace(code, this.store.allocateSpaceNumber());
  }

  moveSpaces(pairs: readonly SpacePair[]): SpaceMove {
    return this.store.moveSpaces(pairs);
  }

  beginLoad(engine: TableEngine): SpaceLoad | undefined {
    return this.store.isFollowed ? undefined : this.store.beginLoad(CODES[engine]);
  }

  advise(spaces: readonly SpaceId[]): TableAdvice | undefined {
    const advice = this.store.advise(spaces);
    if (advice === undefined) return undefined;
    const use = { gets: 0, scans: 0, writes: 0, bytesWritten: 0 };
    for (const { gets, scans, writes, bytesWritten } of advice.evidence) {
      use.gets += gets;
      use.scans += scans;
      use.writes += writes;
      use.bytesWritten += bytesWritten;
    }
    return {
      ...use,
      engine: advice.engine,
      reason: advice.reason,
      btreeCostUs: advice.btree.costUs,
      lsmCostUs: advice.lsm.costUs,
      btreeWriteAmplification: advice.btree.writeAmplification,
      lsmWriteAmplification: advice.lsm.writeAmplification,
    };
  }

  finishQueuedNow(): boolean {
    const { store } = this;
    const before = store.visibleSeq;
    store.drainNow();
    return store.visibleSeq !== before;
  }

  createRestorePoint(name: string): Seq | undefined {
    return this.archiver?.createPoint(name);
  }

  checkpoint(): Promise<void> {
    return this.store.checkpoint();
  }

  backup(directory: string, onProgress: () => void): Promise<BackupFacts> {
    return this.backups.make(directory, { onProgress });
  }
}
