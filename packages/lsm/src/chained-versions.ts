/** The versions of runs that are disjoint and in order, one after the other, each opened when its turn has come. */
import { ByteSlot, type Seq } from '@phantom/kv';
import { type KeyIntervals, type Run, type VersionCursor, VersionKind } from '@phantom/runs';

export class ChainedVersions implements VersionCursor {
  key: ByteSlot = new ByteSlot();
  value: ByteSlot = new ByteSlot();
  seq: Seq = 0;
  kind: VersionKind = VersionKind.Put;
  readonly firstOfKey = true;
  private readonly openers: readonly (() => Run)[];
  private readonly hidden: KeyIntervals | undefined;
  private at = -1;
  private run: Run | undefined = undefined;
  private versions: VersionCursor | undefined = undefined;

  /**
   * Of each run the newest version of a key is handed out; runs are released when they are through. What lies in `hidden` may be left
   * out, and is not read where whole blocks do.
   */
  constructor(openers: readonly (() => Run)[], hidden: KeyIntervals | undefined) {
    this.openers = openers;
    this.hidden = hidden;
  }

  next(): boolean {
    for (;;) {
      const { versions } = this;
      if (versions !== undefined && versions.next()) {
        this.seq = versions.seq;
        this.kind = versions.kind;
        return true;
      }
      this.leave();
      if (this.at + 1 >= this.openers.length) return false;
      this.at++;
      this.run = (this.openers[this.at] as () => Run)();
      this.versions = this.run.versions(false, undefined, this.hidden);
      this.key = this.versions.key;
      this.value = this.versions.value;
    }
  }

  close(): void {
    this.leave();
    this.at = this.openers.length;
  }

  private leave(): void {
    this.versions?.close();
    this.versions = undefined;
    this.run?.release();
    this.run = undefined;
  }
}
