/** Sorted sources as one, by a heap of them with the least in front (D. Knuth, The Art of Computer Programming 3, 5.4.1). */

/** What comes in an order, one at a time; it stands at one that is there. */
export interface SortedSource {
  /** To the next one; false behind the last. */
  next(): boolean;
}

/** A merge of sources that stand before their first. Of equals those of the first source come first. */
export class Merged<S extends SortedSource> {
  private readonly sources: readonly S[];
  private readonly compare: (a: S, b: S) => number;
  /** Numbers of the sources that have one. */
  private readonly heap: number[];
  /** The source in front has been shown and is to go on. */
  private isShown = false;

  constructor(sources: readonly S[], compare: (a: S, b: S) => number) {
    this.sources = sources;
    this.compare = compare;
    this.heap = Array.from(sources.keys()).filter((number) => (sources[number] as S).next());
    for (let at = this.heap.length >> 1; at-- > 0;) this.sink(at);
  }

  /** The source that shows the next one; undefined behind the last. */
  next(): S | undefined {
    const { heap, sources } = this;
    if (this.isShown) {
      if (!(sources[heap[0] as number] as S).next()) {
        const last = heap.pop() as number;
        if (heap.length > 0) heap[0] = last;
      }
      if (heap.length > 1) this.sink(0);
    }
    this.isShown = heap.length > 0;
    return this.isShown ? sources[heap[0] as number] : undefined;
  }

  private precedes(a: number, b: number): boolean {
    return (this.compare(this.sources[a] as S, this.sources[b] as S) || a - b) < 0;
  }

  /** Brings what stands at a place of the heap down to its own. */
  private sink(place: number): void {
    const { heap } = this;
    const number = heap[place] as number;
    let at = place;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.precedes(heap[child + 1] as number, heap[child] as number)) child++;
      if (!this.precedes(heap[child] as number, number)) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = number;
  }
}
