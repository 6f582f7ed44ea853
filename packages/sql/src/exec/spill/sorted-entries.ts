/**
 * Entries that come in any order and are wanted in the order of their keys, however many (D. Knuth, The Art of Computer Programming
 * 3, 5.4). They are sorted in pieces, each in a few milliseconds, which stay in memory while that lasts and go to disk after that:
 *
 *   put, put, ... ──► piece ──sort──► in memory, in memory, on disk, ...          merge: the least that one of them shows
 *
 * Where there is no disk, more than memory holds is refused with 53200. Entries of one key come as they were put.
 */
import { type Scratch, compareBytes, type MemoryBudget } from '@phantom/base';
import { EntrySorter } from '@phantom/kv';
import { EntryRun, type EntrySource } from './entry-run.js';

/** Entries that are sorted at one go: nobody else has a turn meanwhile. */
const PIECE_ENTRIES_MAX = 128 * 1024;
/** Or as many as fill this share of the memory that was left: buffers that grow are up to four times as large. */
const PIECE_SHARE = 1 / 32;
const PIECE_BYTES_MIN = 32 * 1024;
/** What an entry of a piece takes beside its key and value. */
const ENTRY_BYTES = 20;
/** Share of that memory in which pieces stay. */
const KEPT_SHARE = 1 / 2;
/** What a merge holds of each piece on disk; together they take half of what memory is left at the most. */
const WINDOW_BYTES_MIN = 1024;
const WINDOW_BYTES_MAX = 16 * 1024;
const WINDOWS_SHARE = 1 / 2;

export class SortedEntries {
  /** Of their keys and values. */
  bytes = 0;
  private readonly memory: MemoryBudget;
  private readonly scratch: Scratch | undefined;
  private readonly bytesMax: number;
  private readonly pieceBytesMax: number;
  private readonly keptBytesMax: number;
  private readonly kept: EntrySource[] = [];
  private readonly files: EntryRun[] = [];
  private piece = new EntrySorter(Number.MAX_SAFE_INTEGER);
  /** Memory of the piece at hand, and of all that is held. */
  private pieceBytes = 0;
  private takenBytes = 0;

  /** `bytesMax`: how much of the memory that is left it may fill before it goes to files. */
  constructor(memory: MemoryBudget, scratch: Scratch | undefined, bytesMax: number) {
    this.memory = memory;
    this.scratch = scratch;
    this.bytesMax = bytesMax;
    const { room } = this;
    this.pieceBytesMax = Math.max(PIECE_BYTES_MIN, room * PIECE_SHARE);
    this.keptBytesMax = room * KEPT_SHARE;
  }

  /** Takes an entry; the bytes are copied. 53200 past the memory, 53100 from the disk. */
  put(
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const { piece } = this;
    this.bytes += keyEnd - keyStart + valueEnd - valueStart;
    piece.add(key, keyStart, keyEnd, value, valueStart, valueEnd);
    const bytes = piece.memoryBytes;
    if (bytes > this.pieceBytes) {
      this.take(bytes - this.pieceBytes);
      this.pieceBytes = bytes;
    }
    const used = piece.waitingBytes + piece.count * ENTRY_BYTES;
    if (piece.count >= PIECE_ENTRIES_MAX || used > this.pieceBytesMax) this.endPiece();
  }

  /** Walks over all entries. Nothing may be put any more. */
  merge(): EntrySource {
    const sources = [...this.kept];
    const share = Math.floor((this.room * WINDOWS_SHARE) / this.files.length);
    const windowBytes = Math.min(Math.max(share, WINDOW_BYTES_MIN), WINDOW_BYTES_MAX);
    for (const file of this.files) {
      this.take(windowBytes);
      sources.push(file.reader(windowBytes));
    }
    sources.push(this.piece.inOrder());
    return sources.length === 1 ? (sources[0] as EntrySource) : new EntryMerge(sources);
  }

  /** Gives memory and files back. */
  close(): void {
    for (const file of this.files) file.close();
    this.memory.give(this.takenBytes);
    this.takenBytes = 0;
  }

  private get room(): number {
    return Math.min(this.memory.leftBytes, this.bytesMax);
  }

  private take(bytes: number): void {
    this.takenBytes += bytes;
    this.memory.take(bytes);
  }

  private endPiece(): void {
    const { scratch, piece } = this;
    if (scratch === undefined || this.takenBytes <= this.keptBytesMax) {
      this.kept.push(piece.inOrder());
      this.piece = new EntrySorter(Number.MAX_SAFE_INTEGER);
      this.pieceBytes = 0;
      return;
    }
    const run = new EntryRun(scratch);
    this.files.push(run);
    run.append(piece.inOrder());
    // Its memory is used again.
    piece.clear();
  }
}

/** Sources as one, by a heap of them with the least in front. */
class EntryMerge implements EntrySource {
  buffer: Uint8Array = new Uint8Array(0);
  keyStart = 0;
  valueStart = 0;
  valueEnd = 0;
  private readonly sources: readonly EntrySource[];
  /** Numbers of the sources that have an entry. */
  private readonly heap: number[];
  /** The source in front has been shown and is to go on. */
  private isShown = false;

  constructor(sources: readonly EntrySource[]) {
    this.sources = sources;
    this.heap = Array.from(sources.keys()).filter((number) => (sources[number] as EntrySource).next());
    for (let at = this.heap.length >> 1; at-- > 0;) this.sink(at);
  }

  next(): boolean {
    const { heap, sources } = this;
    if (this.isShown) {
      if (!sources[heap[0] as number]!.next()) {
        const last = heap.pop() as number;
        if (heap.length > 0) heap[0] = last;
      }
      this.sink(0);
    }
    this.isShown = heap.length > 0;
    if (!this.isShown) return false;
    const { buffer, keyStart, valueStart, valueEnd } = sources[heap[0] as number]!;
    this.buffer = buffer;
    this.keyStart = keyStart;
    this.valueStart = valueStart;
    this.valueEnd = valueEnd;
    return true;
  }

  private precedes(a: number, b: number): boolean {
    const x = this.sources[a] as EntrySource;
    const y = this.sources[b] as EntrySource;
    const order = compareBytes(x.buffer, x.keyStart, x.valueStart, y.buffer, y.keyStart, y.valueStart);
    return (order || a - b) < 0;
  }

  /** Brings what stands at a place of the heap down to its own. */
  private sink(place: number): void {
    const { heap } = this;
    const number = heap[place] as number;
    let at = place;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && this.precedes(heap[child + 1]!, heap[child]!)) child++;
      if (!this.precedes(heap[child]!, number)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    if (at !== place) heap[at] = number;
  }
}
