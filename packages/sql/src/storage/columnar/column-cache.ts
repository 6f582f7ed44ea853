/**
 * Vectors of segments, kept for the next query: decoding a chunk costs as much as reading it some times. A segment never changes,
 * so nothing here is ever out of date.
 *
 * Which goes when there is no room is left to chance. Scans go through an index from its beginning to its end, again and again: of one
 * that is a little larger than the cache, what was used longest ago is what is wanted next, and nothing would ever be found. By
 * chance most of it is, and what nobody asks for any more goes as well.
 */
import type { RowKeys } from './row-keys.js';
import type { ColumnValues } from './vectors.js';

/** What is kept of one segment. */
export class KeptSegment {
  readonly key: string;
  /** By place. */
  readonly vectors = new Map<number, ColumnValues>();
  rowKeys: RowKeys | undefined = undefined;
  bytes = 0;
  /** Place among those that are kept. */
  at = 0;

  constructor(key: string) {
    this.key = key;
  }
}

export class ColumnCache {
  private readonly bytesMax: number;
  private readonly byKey = new Map<string, KeptSegment>();
  private readonly segments: KeptSegment[] = [];
  private seed = 1;
  bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** What there is of a segment of an index's space, or an empty place for it. */
  segment(space: number, segment: number): KeptSegment {
    const key = `${space}/${segment}`;
    let kept = this.byKey.get(key);
    if (kept !== undefined) return kept;
    kept = new KeptSegment(key);
    kept.at = this.segments.length;
    this.byKey.set(key, kept);
    this.segments.push(kept);
    return kept;
  }

  /** Counts what has been put into a segment, and makes room: never of that one. */
  grew(segment: KeptSegment, bytes: number): void {
    // Another scan may have made room of it while this one still reads it.
    if (this.byKey.get(segment.key) !== segment) return;
    segment.bytes += bytes;
    this.bytes += bytes;
    while (this.bytes > this.bytesMax && this.segments.length > 1) this.drop(this.anyBut(segment));
  }

  private anyBut(segment: KeptSegment): KeptSegment {
    const { segments } = this;
    // The generator of "Numerical Recipes": its upper bits are the good ones.
    this.seed = (Math.imul(this.seed, 1_664_525) + 1_013_904_223) >>> 0;
    const at = Math.floor((this.seed / 2 ** 32) * segments.length);
    const found = segments[at] as KeptSegment;
    return found === segment ? (segments[(at + 1) % segments.length] as KeptSegment) : found;
  }

  private drop(segment: KeptSegment): void {
    const last = this.segments.pop() as KeptSegment;
    if (last !== segment) {
      this.segments[segment.at] = last;
      last.at = segment.at;
    }
    this.byKey.delete(segment.key);
    this.bytes -= segment.bytes;
  }
}
