/**
 * Reads a file of commits from its head to its end, and proves all of it on the way: the head, each record, that no seq is left out, and
 * of a closed file that it ends where its end record says. A file that was open when its writer died may end in the middle of a
 * record; when a whole one follows behind the place that cannot be read, it is no such end but damage.
 */
import {
  type Checksums,
  type Identity,
  corruptionError,
  foreignFileError,
  readU64,
  sameIdentity,
  isCorruption,
} from '@phantom/base';
import type { Seq } from '@phantom/kv';
import type { Vfs, VfsFile } from '@phantom/vfs';
import type { CommitsFile } from './contents.js';
import {
  ArchivedKind,
  FILE_HEAD_BYTES,
  type FoundHead,
  RECORD_HEAD_BYTES,
  decodeFileHead,
  decodeRecordHead,
} from './format.js';

/** Read at once; a record may be longer. */
const WINDOW_BYTES = 256 * 1024;

/** A record whose sums are right. */
export interface ArchivedRecord extends FoundHead {
  /** Valid until the next one is asked for. */
  readonly payload: Uint8Array;
  /** Where the next record begins. */
  readonly end: number;
}

export class CommitsReader {
  private readonly source: CommitsFile;
  private readonly file: VfsFile;
  private readonly checksums: Checksums;
  private readonly size: number;
  private window = new Uint8Array(WINDOW_BYTES);
  private windowAt = 0;
  private windowBytes = 0;
  private at = FILE_HEAD_BYTES;
  private sum = 0;
  private records = 0;
  /** What the next record's seq has to be. */
  private next: Seq;
  private isContinued = false;
  private isEnded = false;

  /** Opens the file and reads its head: XX001 when that is damaged, or of another store than `owner`. */
  constructor(vfs: Vfs, source: CommitsFile, owner: Identity, checksums: Checksums) {
    this.source = source;
    this.checksums = checksums;
    this.next = source.first;
    this.file = vfs.open(source.path, { mode: 'read' });
    try {
      this.size = this.file.size();
      this.readHead(owner);
    } catch (error) {
      this.file.close();
      throw error;
    }
  }

  /** The next record; undefined at the end. XX001 for damage: file and offset are said. */
  read(): ArchivedRecord | undefined {
    if (this.isEnded) return undefined;
    const { at, checksums } = this;
    const isHeadThere = at + RECORD_HEAD_BYTES <= this.size;
    const head = isHeadThere ? decodeRecordHead(this.bytes(at, RECORD_HEAD_BYTES), 0, checksums) : undefined;
    const end = at + RECORD_HEAD_BYTES + (head?.payloadBytes ?? 0);
    if (head === undefined || end > this.size) return this.broken();
    const payload = this.bytes(at + RECORD_HEAD_BYTES, head.payloadBytes);
    const sum = checksums.h32(payload, 0, payload.length, this.sum);
    if (sum !== head.payloadSum) return this.broken();
    if (head.kind === ArchivedKind.End) return this.readEnd(head, payload, end);
    if (head.seq !== this.next) throw this.damage('a commit is missing', at, this.next, head.seq);
    this.sum = sum;
    this.at = end;
    this.records++;
    this.isContinued = head.isContinued;
    if (!head.isContinued) this.next++;
    return { ...head, payload, end };
  }

  close(): void {
    this.file.close();
  }

  private readHead(owner: Identity): void {
    const { source, checksums } = this;
    const bytes = this.bytes(0, Math.min(this.size, FILE_HEAD_BYTES)).slice();
    let head: ReturnType<typeof decodeFileHead>;
    try {
      head = decodeFileHead(bytes, checksums, source.path);
    } catch (error) {
      if (source.last !== undefined || !isCorruption(error)) throw error;
      // Written and not synced, unless something whole lies behind it.
      this.at = 0;
      this.broken();
      return;
    }
    if (!sameIdentity(head.identity, owner)) throw foreignFileError(source.path, owner, head.identity);
    if (head.first === source.first) return;
    throw this.damage('a file of the archive has the name of another', 0, source.first, head.first);
  }

  private readEnd({ seq }: FoundHead, payload: Uint8Array, end: number): undefined {
    const { at, source } = this;
    const records = payload.length === 8 ? readU64(payload, 0) : Number.NaN;
    if (records !== this.records)
      throw this.damage('the records are not those that were written', at, records, this.records);
    if (end !== this.size || this.isContinued || seq !== this.next - 1 || (source.last ?? seq) !== seq) {
      throw this.damage('a file of the archive does not end where it says', at, source.last ?? seq, this.next - 1);
    }
    this.isEnded = true;
    return undefined;
  }

  /** No whole record lies where the next one should. */
  private broken(): undefined {
    if (this.source.last !== undefined) throw this.damage('a record cannot be read', this.at);
    // Heads are looked for at every byte: the length of the damaged record may be what is damaged.
    for (let at = this.at + 1; at + RECORD_HEAD_BYTES <= this.size; at++) {
      const head = decodeRecordHead(this.bytes(at, RECORD_HEAD_BYTES), 0, this.checksums);
      if (head !== undefined && head.seq >= this.next) throw this.damage('a record cannot be read', this.at);
    }
    this.isEnded = true;
    return undefined;
  }

  private damage(message: string, offset: number, expected?: unknown, found?: unknown): Error {
    return corruptionError(message, { file: this.source.path, offset, expected, found });
  }

  /** Borrowed until the next call. The file has them. */
  private bytes(at: number, count: number): Uint8Array {
    if (at < this.windowAt || at + count > this.windowAt + this.windowBytes) {
      if (count > this.window.length) this.window = new Uint8Array(count);
      this.windowAt = at;
      this.windowBytes = this.file.readAt(at, this.window);
    }
    const start = at - this.windowAt;
    return this.window.subarray(start, start + Math.min(count, this.windowBytes - start));
  }
}
