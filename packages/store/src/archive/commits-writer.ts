/**
 * Writes one file of commits: records are gathered in memory, written together, and count once they are synced. A file gets its
 * closed name when everything in it is durable, so only the one that is open may end in the middle of something.
 */
import { ByteWriter, type Checksums, type Identity, assert, writeU64, isCorruption } from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { type Vfs, type VfsFile, joinPath } from '@phantom/vfs';
import { CommitsReader } from './commits-reader.js';
import type { CommitsFile } from './contents.js';
import {
  ArchivedKind,
  FILE_HEAD_BYTES,
  RECORD_HEAD_BYTES,
  type RecordHead,
  closedName,
  encodeFileHead,
  encodeRecordHead,
  openName,
} from './format.js';

/** Where a file has whole commits only: what goes on from there needs it. */
export interface WholeCommits {
  /** Of the last record's payload. */
  readonly sum: number;
  readonly records: number;
  readonly last: Seq;
  /** Position behind them. */
  readonly end: number;
}

export class CommitsWriter {
  readonly first: Seq;
  private readonly vfs: Vfs;
  private readonly directory: string;
  private readonly file: VfsFile;
  private readonly checksums: Checksums;
  private readonly buffer = new ByteWriter(64 * 1024);
  private sum = 0;
  private records = 0;
  private size = 0;
  private whole: WholeCommits;
  private synced: WholeCommits | undefined;
  private isContinued = false;
  private isFinished = false;

  /** Makes the file. 53100, 58030 from the disk. */
  constructor(vfs: Vfs, directory: string, identity: Identity, first: Seq, checksums: Checksums) {
    this.vfs = vfs;
    this.directory = directory;
    this.first = first;
    this.checksums = checksums;
    this.whole = { sum: 0, records: 0, last: first - 1, end: FILE_HEAD_BYTES };
    this.file = vfs.open(joinPath(directory, openName(first)), { mode: 'create-new' });
    this.buffer.bytes(encodeFileHead(identity, first, checksums));
  }

  /** The last commit that is whole. */
  get last(): Seq {
    return this.whole.last;
  }

  /** Up to where it is durable; undefined: not even its name is. After a failed sync nothing behind it can be relied on. */
  get durable(): WholeCommits | undefined {
    return this.synced;
  }

  /** With what is not written yet. */
  get bytes(): number {
    return this.size + this.buffer.length;
  }

  get buffered(): number {
    return this.buffer.length;
  }

  /** More of its last commit is to come, so it cannot be finished. */
  get isWithinCommit(): boolean {
    return this.isContinued;
  }

  /** Takes a record; its bytes are copied. */
  append(head: RecordHead, payload: Uint8Array): void {
    assert(!this.isFinished && head.seq === this.whole.last + 1, 'commits are archived in their order');
    this.sum = appendRecord(this.buffer, head, payload, this.sum, this.checksums);
    this.records++;
    this.isContinued = head.isContinued;
    if (head.isContinued) return;
    this.whole = { sum: this.sum, records: this.records, last: head.seq, end: this.bytes };
  }

  /** Hands everything that was taken to the operating system. */
  write(): void {
    if (this.buffer.length === 0) return;
    this.file.writeAt(this.size, this.buffer.view());
    this.size += this.buffer.length;
    this.buffer.reset();
  }

  /** Nothing more is taken: the next sync gives it its closed name. */
  finish(): void {
    assert(!this.isContinued, 'a file of commits has whole ones');
    appendEnd(this.buffer, this.whole, this.checksums);
    this.isFinished = true;
  }

  /** Makes what was taken before the call durable; a finished file is then closed. */
  async sync(): Promise<void> {
    const { vfs, directory, isFinished, whole } = this;
    this.write();
    await this.file.sync();
    if (this.synced === undefined) vfs.syncDir(directory);
    this.synced = whole;
    if (isFinished) closeFile(vfs, directory, this.file, this.first, whole.last);
  }

  /** Leaves it as it is. Never throws. */
  abandon(): void {
    try {
      this.file.close();
    } catch {
      // Whoever gives it up has a reason to tell already.
    }
  }
}

/**
 * Closes a file whose writer died or was given up: what is behind its last whole commit goes. `known` says how far it is durable, when
 * that is known. Returns the seq of that commit, undefined when there is none and the file was removed, and the damage that ended
 * it, if any: what lay behind is missing then.
 */
export async function settleOpenFile(
  vfs: Vfs,
  directory: string,
  source: CommitsFile,
  owner: Identity,
  checksums: Checksums,
  known?: WholeCommits,
): Promise<{ readonly last: Seq | undefined; readonly damage: unknown }> {
  const { whole, damage } =
    known === undefined ? readWhole(vfs, source, owner, checksums) : { whole: known, damage: undefined };
  if (whole.records === 0) {
    if (damage === undefined) vfs.remove(source.path);
    else vfs.rename(source.path, `${source.path}.damaged`);
    vfs.syncDir(directory);
    return { last: undefined, damage };
  }
  const file = vfs.open(source.path, { mode: 'write' });
  try {
    const out = new ByteWriter(128);
    appendEnd(out, whole, checksums);
    file.truncate(whole.end);
    file.writeAt(whole.end, out.view());
    await file.sync();
    closeFile(vfs, directory, file, source.first, whole.last);
  } catch (error) {
    file.close();
    throw error;
  }
  return { last: whole.last, damage };
}

/** How far it goes with whole commits. */
function readWhole(
  vfs: Vfs,
  source: CommitsFile,
  owner: Identity,
  checksums: Checksums,
): { readonly whole: WholeCommits; readonly damage: unknown } {
  let whole: WholeCommits = { sum: 0, records: 0, last: source.first - 1, end: FILE_HEAD_BYTES };
  let records = 0;
  let reader: CommitsReader | undefined;
  try {
    reader = new CommitsReader(vfs, source, owner, checksums);
    for (let record = reader.read(); record !== undefined; record = reader.read()) {
      records++;
      if (!record.isContinued) whole = { sum: record.payloadSum, records, last: record.seq, end: record.end };
    }
    return { whole, damage: undefined };
  } catch (error) {
    if (!isCorruption(error)) throw error;
    return { whole, damage: error };
  } finally {
    reader?.close();
  }
}

function appendRecord(
  out: ByteWriter,
  head: RecordHead,
  payload: Uint8Array,
  sumBefore: number,
  checksums: Checksums,
): number {
  const at = out.reserve(RECORD_HEAD_BYTES + payload.length);
  const sum = encodeRecordHead(out.buffer, at, head, payload, sumBefore, checksums);
  out.length = at + RECORD_HEAD_BYTES;
  out.bytes(payload);
  return sum;
}

function appendEnd(out: ByteWriter, { sum, records, last }: WholeCommits, checksums: Checksums): void {
  const payload = new Uint8Array(8);
  writeU64(payload, 0, records);
  const head = {
    kind: ArchivedKind.End,
    isContinued: false,
    seq: last,
    commitTimeMs: 0,
    spaceLimit: 0,
    wholeFrom: last,
  };
  appendRecord(out, head, payload, sum, checksums);
}

/** Everything in it is durable. */
function closeFile(vfs: Vfs, directory: string, file: VfsFile, first: Seq, last: Seq): void {
  file.close();
  vfs.rename(joinPath(directory, openName(first)), joinPath(directory, closedName(first, last)));
  vfs.syncDir(directory);
}
