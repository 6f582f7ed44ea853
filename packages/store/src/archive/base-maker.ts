/**
 * Bases of an archive: whole copies of the store beside the commits, made when there is none to begin from and then every
 * `baseEveryMs`. Each lies in a place (base-1, base-2, ...) that is used again when its base was removed: folders cannot be.
 */
import { type Checksums, type Identity, PhantomError, SqlState, assert } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { joinPath, replaceFile } from '@phantom/vfs';
import { LOG_DIRECTORY, SUPERBLOCK_FILE, UNFINISHED_FILE } from '../format.js';
import { copyStore } from '../store-copy.js';
import type { Store } from '../types.js';
import { type FoundBase, readContents } from './contents.js';
import { baseName, encodeInfo, infoName } from './format.js';
import { type ArchivePorts, type ResolvedArchiveOptions } from './options.js';

/** Timers cannot wait for longer. */
const WAIT_MS_MAX = 2 ** 31 - 1;

export class BaseMaker {
  /** Bases that were made since the opening. */
  made = 0;
  /** Why the last attempt came to nothing. */
  failure: Error | undefined;
  private readonly store: Store;
  private readonly identity: Identity;
  private readonly options: ResolvedArchiveOptions;
  private readonly ports: ArchivePorts;
  private readonly checksums: Checksums;
  private readonly archived: (seq: Seq) => Promise<void>;
  private newest: FoundBase | undefined;
  private making: Promise<Seq> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private isStopping = false;

  /** `archived` resolves when the commits up to a seq are durable in the archive. */
  constructor(
    store: Store,
    identity: Identity,
    options: ResolvedArchiveOptions,
    ports: ArchivePorts,
    checksums: Checksums,
    archived: (seq: Seq) => Promise<void>,
  ) {
    this.archived = archived;
    this.store = store;
    this.identity = identity;
    this.options = options;
    this.ports = ports;
    this.checksums = checksums;
  }

  get lastSeq(): Seq | undefined {
    return this.newest?.seq;
  }

  /** Takes what is there, the oldest first, and makes a base soon when the newest is older than `neededFrom`, otherwise when it is due. */
  begin(bases: readonly FoundBase[], neededFrom: Seq): void {
    if (this.making !== undefined) return;
    this.newest = bases.at(-1);
    if (this.newest === undefined || this.newest.seq < neededFrom) this.makeSoon();
    else this.schedule();
  }

  /** Makes one in the background; a failure is told and tried again. */
  makeSoon(): void {
    this.make().catch((error: unknown) => {
      this.failure = error instanceof Error ? error : new Error(String(error));
      if (this.isStopping || this.store.failure !== undefined) return;
      this.ports.logger.error('a base of the archive could not be made and will be tried again', {
        reason: this.failure.message,
      });
      this.wait(this.options.retryMs, () => this.makeSoon());
    });
  }

  /** Makes one of the present state, and removes what need not be kept; resolves with its seq once it counts. 55000 when one is being made. */
  make(): Promise<Seq> {
    if (this.making !== undefined || this.isStopping) {
      const message = this.isStopping ? 'the archive is closed' : 'a base of the archive is being made already';
      return Promise.reject(new PhantomError(SqlState.ObjectNotInPrerequisiteState, message));
    }
    clearTimeout(this.timer);
    const making = this.copy();
    this.making = making.finally(() => {
      this.making = undefined;
    });
    return this.making;
  }

  /** Resolves when none is being made; rejects when the last attempt came to nothing. */
  async settled(): Promise<void> {
    await this.making;
    if (this.failure !== undefined) throw this.failure;
  }

  /** Ends the one that is being made, or waits for it where there is none that counts: without it the archive is of no use. Never rejects. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    await this.making?.catch(() => undefined);
  }

  private async copy(): Promise<Seq> {
    const { store, ports, options, identity, checksums } = this;
    const { vfs } = ports;
    const { directory } = options;
    const seq = store.visibleSeq;
    // Commit times never fall, the clock may.
    const timeMs = Math.max(Math.floor(ports.clock.nowMs()), store.stats().commitTimeMs);
    let place = 1;
    while (vfs.exists(joinPath(directory, infoName(place)))) place++;
    this.clear(place);
    const { entries, seq: copied } = await copyStore(store, joinPath(directory, baseName(place)), {
      vfs,
      engines: ports.engines,
      onProgress: () => {
        if (this.isStopping && this.newest !== undefined)
          throw new PhantomError(SqlState.AdminShutdown, 'the archive is closed');
      },
    });
    assert(copied === seq, 'a base has the commits up to its own');
    // Or a crash would leave a hole before it.
    await this.archived(seq);
    const info = { identity, seq, timeMs, entries };
    await replaceFile(vfs, joinPath(directory, infoName(place)), encodeInfo(info, checksums));
    this.newest = { place, ...info };
    this.made++;
    this.failure = undefined;
    this.prune();
    ports.logger.info('made a base of the archive', { seq, entries });
    this.schedule();
    return seq;
  }

  /** Removes bases that need not be kept, and the commits and restore points before the oldest of those that are. */
  private prune(): void {
    const { ports, options, checksums } = this;
    const { vfs } = ports;
    const { bases, files, points } = readContents(vfs, options.directory, checksums);
    const kept = bases.slice(-options.basesKept);
    for (const { place } of bases.slice(0, -options.basesKept)) this.clear(place);
    const oldest = kept[0]?.seq ?? 0;
    for (const { path, last } of files) if (last !== undefined && last <= oldest) vfs.remove(path);
    for (const { path, seq } of points) if (seq < oldest) vfs.remove(path);
    vfs.syncDir(options.directory);
  }

  /** Removes the files of a place. What is cut off is no base that counts, and goes before the next one is made there. */
  private clear(place: number): void {
    const { vfs, engines } = this.ports;
    const { directory } = this.options;
    const info = joinPath(directory, infoName(place));
    if (vfs.exists(info)) {
      vfs.remove(info);
      vfs.syncDir(directory);
    }
    const base = joinPath(directory, baseName(place));
    if (!vfs.exists(base)) return;
    for (const part of [LOG_DIRECTORY, ...engines.map(({ name }) => name)]) {
      const path = joinPath(base, part);
      if (vfs.exists(path)) for (const name of vfs.list(path)) vfs.remove(joinPath(path, name));
    }
    for (const name of [SUPERBLOCK_FILE, UNFINISHED_FILE]) vfs.remove(joinPath(base, name));
  }

  private schedule(): void {
    const { baseEveryMs } = this.options;
    if (baseEveryMs === 0) return;
    const dueMs = (this.newest?.timeMs ?? 0) + baseEveryMs - this.ports.clock.nowMs();
    this.wait(dueMs, () => {
      // Where nothing was committed since, the last one is as good.
      if (dueMs > WAIT_MS_MAX) this.schedule();
      else if (this.store.visibleSeq === this.newest?.seq) this.wait(baseEveryMs, () => this.schedule());
      else this.makeSoon();
    });
  }

  private wait(durationMs: number, then: () => void): void {
    clearTimeout(this.timer);
    if (this.isStopping) return;
    this.timer = setTimeout(then, Math.min(Math.max(0, durationMs), WAIT_MS_MAX));
    this.timer.unref();
  }
}
