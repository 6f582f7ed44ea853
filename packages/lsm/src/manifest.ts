/**
 * The manifest as a file (format.ts): which of the files in the directory count. It takes one edit after the other; an
 * edit is durable once `append` has ended, and then the store is told the new generation, so that no older state is ever
 * opened again.
 *
 *   append    edit g + 1 behind the last one, synced         or, when the file has become long or is in doubt:
 *             a new file with everything as of g + 1, synced, and its name, too; the old file goes afterwards
 *   opening   the newest generation that is whole counts; it must be at least the one the store knows. What was written
 *             and perhaps not synced by whoever came before is written anew under the same generation, synced, before
 *             anything stands on it; so is what does not carry the identity of the store yet. Of two manifests of one
 *             generation the one with the greater number counts
 *
 * Invariants:
 *   1. At every moment some manifest on disk is whole up to the generation that the store knows.
 *   2. Behind a record that was not written whole nothing is ever appended.
 *   3. No manifest is more than one generation ahead of what the store knows, however often openings are cut off.
 */
import {
  PhantomError,
  SqlState,
  corruptionError,
  foreignFileError,
  identityText,
  readU32,
  sameIdentity,
  isCorruption,
} from '@phantom/base';
import { type Wait, syncOf, syncOfNames } from '@phantom/runs';
import type { EngineContext } from '@phantom/store';
import { type VfsFile, joinPath } from '@phantom/vfs';
import { ENGINE_NUMBER_MAX, MANIFEST_HEADER_BYTES, RecordKind, manifestName, numberOfManifest } from './format.js';
import {
  type Edit,
  type ManifestHead,
  type ManifestState,
  type ParsedManifest,
  encodeHeader,
  encodeRecord,
  parseManifest,
} from './manifest-codec.js';

/** Edits are appended until they take so many times the bytes of a snapshot; at least REWRITE_BYTES_MIN. */
const REWRITE_FACTOR = 4;
const REWRITE_BYTES_MIN = 64 * 1024;
/** A manifest is read whole; one that is larger was not written by us. */
const MANIFEST_BYTES_MAX = 1024 * 1024 * 1024;

/** What opening found. */
export interface OpenedManifest {
  readonly manifest: Manifest;
  readonly state: ManifestState;
  /** The state must be written anew before anything may stand on it. */
  readonly isInDoubt: boolean;
}

export class Manifest {
  /** Random; part of the identity of every run. */
  readonly engine: number;
  private readonly context: EngineContext;
  private number: number;
  private file: VfsFile | undefined;
  /** Where the next record goes. */
  private end: number;
  /** Bytes that the snapshot took. */
  private snapshotBytes = 0;
  /** Something may lie behind `end`: only a new file will do. */
  private isTainted: boolean;
  private pending = false;

  private constructor(context: EngineContext, engine: number, number: number, file: VfsFile | undefined, end: number) {
    this.context = context;
    this.engine = engine;
    this.number = number;
    this.file = file;
    this.end = end;
    this.isTainted = file === undefined;
  }

  /** Finds the present state. A directory without a manifest holds the empty state of generation 0. */
  static open(context: EngineContext): OpenedManifest {
    const { vfs, directory, generationMin, isIdentified, readOnly } = context;
    const numbers: number[] = [];
    for (const name of vfs.list(directory)) {
      const number = numberOfManifest(name);
      if (number !== undefined) numbers.push(number);
    }
    const newest = newestOf(context, numbers);
    const found = newest?.state.generation ?? 0;
    if (found < generationMin) {
      throw corruptionError('the manifests are older than what was made durable', {
        file: joinPath(directory, manifestName(newest?.number ?? Math.max(1, ...numbers))),
        ...(newest === undefined ? {} : { offset: newest.end }),
        expected: `generation ${generationMin} or later`,
        found: `generation ${found}`,
      });
    }
    if (isIdentified && found > generationMin + 1) {
      throw corruptionError('the manifests are newer than what the store knows: an older superblock lies beside them', {
        file: joinPath(directory, manifestName(newest?.number ?? 0)),
        expected: `generation ${generationMin + 1} or earlier`,
        found: `generation ${found}`,
      });
    }
    const last = Math.max(0, ...numbers);
    if (newest === undefined) {
      const state = { generation: 0, flushedSeq: 0, nextNumber: 1, runs: new Map() };
      return { manifest: new Manifest(context, engineNumber(context), last, undefined, 0), state, isInDoubt: true };
    }
    const { engine, identity, state, end, isWhole } = newest;
    const isInDoubt = found > generationMin || !isWhole || newest.number < last || identity === undefined;
    if (readOnly || isInDoubt) return { manifest: new Manifest(context, engine, last, undefined, 0), state, isInDoubt };
    const path = joinPath(directory, manifestName(newest.number));
    const manifest = new Manifest(context, engine, last, vfs.open(path, { mode: 'write' }), end);
    manifest.removeOthers();
    return { manifest, state, isInDoubt };
  }

  /**
   * Makes an edit durable, and its generation the least that may be opened. `snapshot` gives the same state whole. When it
   * throws, `isInDoubt` says whether the edit may count all the same; if not, it does not and never will.
   */
  *append(edit: Edit, snapshot: () => Edit): Generator<Wait, void> {
    const { file, context } = this;
    const isLong = this.end > Math.max(REWRITE_BYTES_MIN, this.snapshotBytes * REWRITE_FACTOR);
    if (file === undefined || this.isTainted || isLong) {
      yield* this.rewrite(snapshot());
    } else {
      const record = encodeRecord(RecordKind.Edit, edit, this.head(this.number), this.end, context.checksums);
      this.isTainted = true;
      file.writeAt(this.end, record);
      this.isTainted = false;
      this.pending = true;
      yield syncOf(file);
      this.end += record.length;
    }
    yield recording(context, edit.generation);
    this.pending = false;
    if (this.file !== file) this.removeOthers();
  }

  /** An edit was written and not proven durable: nobody knows which of two states the next opening will find. */
  get isInDoubt(): boolean {
    return this.pending;
  }

  /** Whether the next opening would find it; true where it is not held open. */
  isInPlace(): boolean {
    return this.file?.isInPlace() ?? true;
  }

  /** Reads it again and says what is wrong, if it does not show this generation. Then the next edit goes to a new file. */
  prove(generation: number): { readonly bytes: number; readonly problem: string | undefined } {
    const { context, path } = this;
    if (this.file === undefined) return { bytes: 0, problem: undefined };
    const bytes = readWhole(context, path);
    let problem: string | undefined = 'the manifest cannot be read';
    try {
      const parsed = parseManifest(bytes, path, this.number, context.checksums);
      const found = parsed?.state.generation ?? 0;
      if (found >= generation) problem = undefined;
      else problem = `the manifest can be read to generation ${found} instead of ${generation}`;
    } catch (error) {
      if (!isCorruption(error)) throw error;
      problem = (error as Error).message;
    }
    if (problem !== undefined) this.isTainted = true;
    return { bytes: bytes.length, problem };
  }

  /** Where it lies. */
  get path(): string {
    return joinPath(this.context.directory, manifestName(this.number));
  }

  close(): void {
    this.file?.close();
    this.file = undefined;
  }

  private head(number: number): ManifestHead {
    return { number, engine: this.engine, identity: this.context.identity };
  }

  /** A new file with everything in it takes over. */
  private *rewrite(snapshot: Edit): Generator<Wait, void> {
    const { vfs, directory, checksums } = this.context;
    const number = this.number + 1;
    const path = joinPath(directory, manifestName(number));
    const header = encodeHeader(number, this.engine, checksums);
    const record = encodeRecord(RecordKind.Snapshot, snapshot, this.head(number), MANIFEST_HEADER_BYTES, checksums);
    // What an attempt before this one left behind.
    vfs.remove(path);
    const file = vfs.open(path, { mode: 'create-new' });
    let isTaken = false;
    try {
      file.writeAt(0, header);
      file.writeAt(MANIFEST_HEADER_BYTES, record);
      this.pending = true;
      yield syncOf(file);
      yield syncOfNames(vfs, directory);
      isTaken = true;
    } finally {
      if (!isTaken) file.close();
    }
    this.file?.close();
    this.file = file;
    this.number = number;
    this.end = MANIFEST_HEADER_BYTES + record.length;
    this.snapshotBytes = record.length;
    this.isTainted = false;
  }

  /** Older manifests are not needed any more. One that cannot be removed does no harm: it has an older generation. */
  private removeOthers(): void {
    const { vfs, directory, logger } = this.context;
    try {
      for (const name of vfs.list(directory)) {
        const number = numberOfManifest(name);
        if (number !== undefined && number !== this.number) vfs.remove(joinPath(directory, name));
      }
    } catch (error) {
      logger.warn('an old manifest could not be removed', { directory, reason: String(error) });
    }
  }
}

/** Refuses what another store wrote, and what says nothing of that where it should. */
function checkIdentity(path: string, { identity }: ParsedManifest, context: EngineContext): void {
  const isOlder = identity === undefined && !context.isIdentified;
  if (!isOlder && !sameIdentity(identity, context.identity)) throw foreignFileError(path, context.identity, identity);
}

/** The manifest with the newest generation among those that are whole as far as their snapshot. */
function newestOf(context: EngineContext, numbers: readonly number[]): ParsedManifest | undefined {
  const { directory, checksums, generationMin } = context;
  let newest: ParsedManifest | undefined;
  let broken: unknown;
  for (const number of numbers) {
    const path = joinPath(directory, manifestName(number));
    let parsed: ParsedManifest | undefined;
    try {
      parsed = parseManifest(readWhole(context, path), path, number, checksums);
    } catch (error) {
      if (!isCorruption(error)) throw error;
      broken = error;
    }
    if (parsed === undefined) continue;
    if (parsed.identity !== undefined) checkIdentity(path, parsed, context);
    if (newest === undefined || isNewer(parsed, newest)) newest = parsed;
  }
  // One of before the identity, which a crash kept from being removed, is no matter while there is a newer one.
  if (newest !== undefined) checkIdentity(joinPath(directory, manifestName(newest.number)), newest, context);
  // What makes no sense may still be an old file that nobody needs.
  if (broken !== undefined && (newest === undefined || newest.state.generation < generationMin)) throw broken;
  return newest;
}

/** Of two with the same state the later one was written to have it durable. */
function isNewer(one: ParsedManifest, other: ParsedManifest): boolean {
  const ahead = one.state.generation - other.state.generation;
  return ahead > 0 || (ahead === 0 && one.number > other.number);
}

function readWhole(context: EngineContext, path: string): Uint8Array {
  const file = context.vfs.open(path, { mode: 'read' });
  try {
    const size = file.size();
    if (size > MANIFEST_BYTES_MAX) throw corruptionError('a manifest is too long', { file: path, found: size });
    const bytes = new Uint8Array(size);
    return bytes.subarray(0, file.readAt(0, bytes));
  } finally {
    file.close();
  }
}

function recording(context: EngineContext, generation: number): Wait {
  return {
    sync: () => context.recordGeneration(generation),
    syncNow: () => context.recordGenerationNow(generation),
  };
}

/** A number below 2^21 that another engine hardly has: from the store, the place and the time. */
function engineNumber(context: EngineContext): number {
  if (context.readOnly) throw new PhantomError(SqlState.UndefinedFile, `there is no LSM-tree in ${context.directory}`);
  const { identity, directory, clock } = context;
  const text = new TextEncoder().encode(`${identityText(identity)} ${directory} ${clock.nowMs()}`);
  const hash = new Uint8Array(8);
  new DataView(hash.buffer).setBigUint64(0, context.checksums.h64(text, 0, text.length), true);
  return readU32(hash, 0) % ENGINE_NUMBER_MAX;
}
