/**
 * Vectors of segments, kept for the next query: decoding a chunk costs as much as reading it some times. A segment never changes,
 * so nothing here is ever out of date; the one that was used longest ago goes first.
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

  constructor(key: string) {
    this.key = key;
  }
}

export class ColumnCache {
  private readonly bytesMax: number;
  /** In the order of their last use. */
  private readonly segments = new Map<string, KeptSegment>();
  bytes = 0;

  constructor(bytesMax: number) {
    this.bytesMax = bytesMax;
  }

  /** What there is of a segment of an index's space, or an empty place for it. */
  segment(space: number, segment: number): KeptSegment {
    const key = `${space}/${segment}`;
    let kept = this.segments.get(key);
    if (kept === undefined) kept = new KeptSegment(key);
    else this.segments.delete(key);
    this.segments.set(key, kept);
    return kept;
  }

  /** Counts what has been put into a segment, and makes room: never of that one. */
  grew(segment: KeptSegment, bytes: number): void {
    // Another scan may have made room of it while this one still reads it.
    if (this.segments.get(segment.key) !== segment) return;
    segment.bytes += bytes;
    this.bytes += bytes;
    if (this.bytes <= this.bytesMax) return;
    for (const [key, other] of this.segments) {
      if (this.bytes <= this.bytesMax) return;
      if (other === segment) continue;
      this.segments.delete(key);
      this.bytes -= other.bytes;
    }
  }
}
