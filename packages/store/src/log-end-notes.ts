/**
 * Has the superblock remember how far the log has gone, while commits go on.
 *
 * A log says itself where it ends, so one that was cut, or that is an older copy, looks like one whose last commits were never made.
 * What the superblock remembers tells (log-owner.ts), and it takes the end of the log along whenever it is written. That may be long
 * ago in a store that is written a little: its newest segment lasts for hours. So it is written NOTE_AFTER_MS after the first commit
 * that it does not know.
 *
 *   commits   |..||.|....|.|             what a log that was cut can lose unnoticed: at most what is younger than NOTE_AFTER_MS
 *   notes          ^     ^    ^
 *
 * The cost is two syncs of eight kilobytes a second, while there are commits, and never any waiting.
 */
import type { StoreParts } from './store-parts.js';

/** Commits of so long are known to the log alone. */
const NOTE_AFTER_MS = 1000;

export class LogEndNotes {
  private readonly parts: StoreParts;
  private timer: NodeJS.Timeout | undefined = undefined;
  private writing: Promise<void> = Promise.resolve();
  private isStopped = false;

  constructor(parts: StoreParts) {
    this.parts = parts;
  }

  /** Commits may have been made durable. Costs two comparisons when none were. */
  look(): void {
    const { wal, superblock, options } = this.parts;
    if (this.timer !== undefined || wal.recordsSynced <= superblock.state.logEnd) return;
    if (this.isStopped || options.durability !== 'fsync' || options.readOnly) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.writing = this.note();
    }, NOTE_AFTER_MS);
    this.timer.unref();
  }

  /** Resolves when nothing is being written any more. */
  async stop(): Promise<void> {
    this.isStopped = true;
    clearTimeout(this.timer);
    await this.writing;
  }

  private async note(): Promise<void> {
    const { health, superblock, options } = this.parts;
    if (health.refusal() !== undefined) return;
    try {
      // Whatever is written takes the end of the log along.
      await superblock.update(() => undefined);
    } catch (error) {
      // A failed sync has told the store; a failed write changes nothing that was remembered.
      options.logger.warn('the end of the log could not be remembered', { reason: String(error) });
    }
  }
}
