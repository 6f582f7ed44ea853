/** A disk whose awaited operations take a random number of turns of the event loop before they happen, or fail, on the disk below. */
import { Random } from '@phantom/base';
import type { DirectoryLock, LockHolder, OpenOptions, Vfs, VfsCapabilities, VfsFile } from '@phantom/vfs';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

export class LaggingVfs implements Vfs {
  readonly inner: Vfs;
  private readonly random: Random;
  private readonly turnsMax: number;

  constructor(inner: Vfs, seed: number, turnsMax: number) {
    this.inner = inner;
    this.random = new Random(seed);
    this.turnsMax = turnsMax;
  }

  get capabilities(): VfsCapabilities {
    return this.inner.capabilities;
  }

  open(path: string, options: OpenOptions): VfsFile {
    const file = this.inner.open(path, options);
    const sync = file.sync.bind(file);
    const fill = file.fill.bind(file);
    const close = file.close.bind(file);
    let underWay = 0;
    let isClosed = false;
    const lagged = async (operation: () => Promise<void>): Promise<void> => {
      underWay++;
      await this.lag();
      try {
        await operation();
      } finally {
        if (--underWay === 0 && isClosed) close();
      }
    };
    file.sync = () => lagged(sync);
    file.fill = (offset, bytes) => lagged(() => fill(offset, bytes));
    // What is under way ends first.
    file.close = () => {
      isClosed = true;
      if (underWay === 0) close();
    };
    return file;
  }

  lock(directory: string, holder: LockHolder): Promise<DirectoryLock> {
    return this.inner.lock(directory, holder);
  }

  list(directory: string): string[] {
    return this.inner.list(directory);
  }

  exists(path: string): boolean {
    return this.inner.exists(path);
  }

  makeDir(path: string): void {
    this.inner.makeDir(path);
  }

  rename(from: string, to: string): void {
    this.inner.rename(from, to);
  }

  remove(path: string): void {
    this.inner.remove(path);
  }

  syncDir(path: string): void {
    this.inner.syncDir(path);
  }

  async syncDirLater(path: string): Promise<void> {
    await this.lag();
    await this.inner.syncDirLater(path);
  }

  private async lag(): Promise<void> {
    for (let turns = this.random.below(this.turnsMax + 1); turns > 0; turns--) await nextTurn();
  }
}
