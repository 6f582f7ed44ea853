/**
 * Deltas as worker threads see them: copied into shared memory that is used again for the next one.
 *
 *      delta      nodes | entries | older versions | arena            tables of this thread, larger than what is used
 *                   └───────┴───────────┴────────────┴──┐
 *      buffer     | nodes | entries | older | arena | free |          one SharedArrayBuffer, a power of two of bytes
 *
 * The deltas themselves could lie in shared memory, and nothing would be copied. But V8 does not count shared memory as a
 * cost of whoever refers to it, so no thread collects garbage because of it, and one that has done its task and idles
 * does not collect at all: it keeps each delta that it ever wrote. Views and values that were handed out point into a
 * delta until their owners let go, so its tables cannot be used again either. A copy has one reader, and an end: that of
 * the call it was made for. It costs about a millisecond for four megabytes, in pieces.
 *
 * Invariants:
 *   1. A buffer is handed out to one copy at a time, and again only after `giveBack`.
 *   2. What is kept between copies is bounded by BUFFERS_KEPT_MAX and BYTES_KEPT_MAX.
 *
 * Left out: SharedArrayBuffers that grow where they are; typed arrays over them are slower to read.
 */
import type { DeltaDescriptor } from './delta.js';
import { HANDING_OVER, type Wait } from './job.js';

/** Buffers that wait for their next copy: one being written by a thread leaves one to be filled meanwhile. */
const BUFFERS_KEPT_MAX = 2;
/** What they hold together. A copy that is larger than this has a buffer of its own. */
const BYTES_KEPT_MAX = 256 * 1024 * 1024;
/** Buffers are no smaller, so that small deltas do not go through all the powers of two. */
const BUFFER_BYTES_MIN = 1024 * 1024;
/** Others may run after so many bytes. */
const PIECE_BYTES = 4 * 1024 * 1024;

/** A delta in shared memory: read by others until it is given back. */
export interface DeltaCopy {
  readonly descriptor: DeltaDescriptor;
  readonly buffer: SharedArrayBuffer;
}

export class DeltaCopies {
  /** SharedArrayBuffers that were ever made. */
  buffersMade = 0;
  /** Smallest first. */
  private readonly kept: SharedArrayBuffer[] = [];

  /**
   * Copies the tables of a delta: the tree in the first turn, since that of an active one changes with the next batch. The
   * caller gives the copy back once nobody reads it any more.
   */
  *make(descriptor: DeltaDescriptor): Generator<Wait, DeltaCopy> {
    const { tree, arena, older } = descriptor;
    const { nodes, entries } = tree;
    const buffer = this.take(nodes.byteLength + entries.byteLength + older.byteLength + arena.byteLength);
    let isMade = false;
    try {
      const entriesAt = nodes.byteLength;
      const olderAt = entriesAt + entries.byteLength;
      const arenaAt = olderAt + older.byteLength;
      const copy: DeltaDescriptor = {
        ...descriptor,
        tree: {
          ...tree,
          nodes: new Int32Array(buffer, 0, nodes.length),
          entries: new Int32Array(buffer, entriesAt, entries.length),
        },
        older: new Int32Array(buffer, olderAt, older.length),
        arena: new Uint8Array(buffer, arenaAt, arena.length),
      };
      copy.tree.nodes.set(nodes);
      copy.tree.entries.set(entries);
      yield* copyInPieces(bytesOf(older), bytesOf(copy.older));
      yield* copyInPieces(arena, copy.arena);
      isMade = true;
      return { descriptor: copy, buffer };
    } finally {
      if (!isMade) this.giveBack(buffer);
    }
  }

  /** The buffer of a copy may hold another one from now on. */
  giveBack(buffer: SharedArrayBuffer): void {
    const { kept } = this;
    kept.push(buffer);
    kept.sort((a, b) => a.byteLength - b.byteLength);
    // The smallest go first: the others can hold what they can.
    if (kept.length > BUFFERS_KEPT_MAX) kept.shift();
    for (let bytes = total(kept); bytes > BYTES_KEPT_MAX; bytes = total(kept)) kept.pop();
  }

  private take(bytes: number): SharedArrayBuffer {
    const fitting = this.kept.findIndex(({ byteLength }) => byteLength >= bytes);
    if (fitting >= 0) return this.kept.splice(fitting, 1)[0] as SharedArrayBuffer;
    this.buffersMade++;
    // Room that nothing was ever written to costs addresses and no memory.
    return new SharedArrayBuffer(Math.max(BUFFER_BYTES_MIN, 2 ** Math.ceil(Math.log2(bytes))));
  }
}

function* copyInPieces(from: Uint8Array, to: Uint8Array): Generator<Wait, void> {
  for (let at = 0; at < from.length; at += PIECE_BYTES) {
    to.set(from.subarray(at, at + PIECE_BYTES), at);
    if (at + PIECE_BYTES < from.length) yield HANDING_OVER;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: Int32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

function total(buffers: readonly SharedArrayBuffer[]): number {
  let bytes = 0;
  for (const { byteLength } of buffers) bytes += byteLength;
  return bytes;
}
