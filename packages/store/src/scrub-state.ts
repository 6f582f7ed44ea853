/**
 * What a scrubber remembers over restarts: where it is, what it has found, and when all was last read.
 *
 *   scrub     one line of JSON, then h64 of that line in hexadecimal
 *
 * A file that cannot be read, or is not there, means that nothing is remembered, and the next pass begins at the beginning: nothing is
 * lost by that but time. So it is replaced whole, and never part of what an opening depends on.
 */
import { type Checksums, isPhantomError } from '@phantom/base';
import type { Finding } from '@phantom/kv';
import { type Vfs, replaceFile } from '@phantom/vfs';

export const SCRUB_FILE = 'scrub';
/** Findings that are remembered of a pass; further ones are counted. */
export const FINDINGS_MAX = 100;
/** Longer than any state can be. */
const STATE_BYTES_MAX = 4 * 1024 * 1024;

/** One reading of everything; moments in milliseconds since 1970. */
export interface ScrubPass {
  readonly begunMs: number;
  /** Undefined while it is under way. */
  readonly endedMs: number | undefined;
  readonly bytes: number;
  /** All there were; `findings` holds the first hundred. */
  readonly found: number;
  readonly findings: readonly Finding[];
}

export interface ScrubState {
  /** The last one that has ended. */
  readonly last: ScrubPass | undefined;
  readonly present: ScrubPass | undefined;
  /** Where the present one goes on: a part of the store, and a place that means something to that part. */
  readonly part: string;
  readonly place: string;
}

export const NOTHING_SCRUBBED: ScrubState = { last: undefined, present: undefined, part: '', place: '' };

/** Reads the state of a store; NOTHING_SCRUBBED where there is none that can be read. */
export function readScrubState(vfs: Vfs, path: string, checksums: Checksums): ScrubState {
  try {
    if (!vfs.exists(path)) return NOTHING_SCRUBBED;
    const file = vfs.open(path, { mode: 'read' });
    try {
      const bytes = new Uint8Array(Math.min(file.size(), STATE_BYTES_MAX));
      return decodeState(bytes.subarray(0, file.readAt(0, bytes)), checksums) ?? NOTHING_SCRUBBED;
    } finally {
      file.close();
    }
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    return NOTHING_SCRUBBED;
  }
}

/** Makes it durable once resolved. */
export function writeScrubState(vfs: Vfs, path: string, checksums: Checksums, state: ScrubState): Promise<void> {
  const line = new TextEncoder().encode(JSON.stringify(state));
  const sum = new TextEncoder().encode(`\n${sumOf(line, checksums)}\n`);
  const bytes = new Uint8Array(line.length + sum.length);
  bytes.set(line);
  bytes.set(sum, line.length);
  return replaceFile(vfs, path, bytes);
}

function decodeState(bytes: Uint8Array, checksums: Checksums): ScrubState | undefined {
  const end = bytes.indexOf(10);
  if (end < 0) return undefined;
  const line = bytes.subarray(0, end);
  const sum = new TextDecoder().decode(bytes.subarray(end + 1)).trimEnd();
  // Under its checksum it is what was written, by this release or by one that says the same.
  return sum === sumOf(line, checksums) ? (JSON.parse(new TextDecoder().decode(line)) as ScrubState) : undefined;
}

function sumOf(line: Uint8Array, checksums: Checksums): string {
  return checksums.h64(line, 0, line.length).toString(16).padStart(16, '0');
}
