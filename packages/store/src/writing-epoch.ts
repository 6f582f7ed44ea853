/**
 * The epoch of a process that writes: what an opening changes in the superblock. Reading needs none of it, so an opening
 * does not wait for its two syncs; the first writer does, and nearly always finds them done.
 */
import type { SuperblockState } from './format.js';
import type { Superblock } from './superblock.js';

export class WritingEpoch {
  private readonly superblock: Superblock;
  private hasBegun = false;
  private beginning: Promise<void> | undefined;

  /** Begins at once; a failure is told to whoever writes first, and tried again by the next one. */
  constructor(superblock: Superblock, change: (state: SuperblockState) => void) {
    this.superblock = superblock;
    this.begin(change).catch(() => undefined);
  }

  /** What a writer must wait for; undefined once the superblock has it. */
  stall(): Promise<void> | undefined {
    return this.hasBegun ? undefined : (this.beginning ?? this.begin(unchanged));
  }

  /** For a writer that cannot wait. */
  beginNow(): void {
    if (this.hasBegun) return;
    this.superblock.updateNow(unchanged);
    this.hasBegun = true;
  }

  private begin(change: (state: SuperblockState) => void): Promise<void> {
    const beginning = this.superblock
      .update(change)
      .then(() => {
        this.hasBegun = true;
      })
      .finally(() => {
        this.beginning = undefined;
      });
    this.beginning = beginning;
    return beginning;
  }
}

/** The state has it already; what it lacks is being written. */
function unchanged(): void {}
