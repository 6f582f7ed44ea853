/** A disk in memory whose syncs end when the test says so, one by one. */
import type { OpenOptions, VfsFile } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';

export class HeldSyncs extends MemoryVfs {
  /** False: syncs end at once. */
  isHolding = false;
  private readonly held: (() => void)[] = [];

  constructor() {
    super({ losesPower: false });
  }

  get count(): number {
    return this.held.length;
  }

  override open(path: string, options: OpenOptions): VfsFile {
    const file = super.open(path, options);
    const sync = file.sync.bind(file);
    file.sync = async () => {
      await sync();
      if (this.isHolding) await new Promise<void>((resolve) => this.held.push(resolve));
    };
    return file;
  }

  /** Lets the oldest sync end. */
  releaseOne(): void {
    this.held.shift()?.();
  }

  /** From here on none is held. */
  releaseAll(): void {
    this.isHolding = false;
    while (this.held.length > 0) this.releaseOne();
  }
}
