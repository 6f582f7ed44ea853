/**
 * Reads the file format of SQLite 3 (https://www.sqlite.org/fileformat2.html), which is kept readable for good: so there is no
 * dependency, and nothing native. Only what an import needs: every row of a b-tree, in its order.
 *
 *   file     pages of one size; the first begins with a header of 100 bytes
 *   page     kind(1) .. cells(2 at 3) .. [rightmost child(4 at 8)]  cell pointers(2 each)  ...  cells
 *   cell     table leaf      payload bytes(varint) rowid(varint) payload
 *            table interior  child(4) rowid(varint)
 *            index leaf      payload bytes(varint) payload
 *            index interior  child(4) payload bytes(varint) payload         rows stand in interior pages too
 *   payload  what does not fit lies in a chain of pages: next(4) bytes
 *   record   header bytes(varint) a type(varint) for each value .. values
 *
 * Every offset is checked: a damaged file ends in XX001. A file with a journal or a log beside it is not read (55000): its newest
 * pages stand there.
 */
import { closeSync, existsSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import { TextDecoder } from 'node:util';
import { PhantomError } from '@phantom/base';

export type SqliteValue = null | number | bigint | string | Uint8Array;

export interface SqliteRow {
  readonly rowid: number | bigint;
  readonly values: readonly SqliteValue[];
}

const MAGIC = 'SQLite format 3\0';
const HEADER_BYTES = 100;
const PageKind = { IndexInterior: 2, TableInterior: 5, IndexLeaf: 10, TableLeaf: 13 } as const;

const DECODERS: Readonly<Record<number, string>> = { 1: 'utf-8', 2: 'utf-16le', 3: 'utf-16be' };

export class SqliteFile {
  /** Bytes read until now, for those who show progress. */
  bytesRead = 0;
  private readonly path: string;
  private readonly descriptor: number;
  private readonly pageBytes: number;
  /** Of a page, without what extensions have reserved at its end. */
  private readonly usableBytes: number;
  private readonly pages: number;
  private readonly decoder: TextDecoder;

  /** Opens a file for reading. 22000 for one that is none of SQLite's; errors of the system as they come. */
  constructor(path: string) {
    this.path = path;
    this.descriptor = openSync(path, 'r');
    try {
      const header = Buffer.alloc(HEADER_BYTES);
      const read = readSync(this.descriptor, header, 0, HEADER_BYTES, 0);
      if (read < HEADER_BYTES || header.toString('latin1', 0, 16) !== MAGIC)
        throw new PhantomError('22000', `${path} is no SQLite database`);
      refuseUnfinished(path);
      const pageBytes = header.readUInt16BE(16);
      this.pageBytes = pageBytes === 1 ? 65536 : pageBytes;
      this.usableBytes = this.pageBytes - header.readUInt8(20);
      if (this.pageBytes < 512 || (this.pageBytes & (this.pageBytes - 1)) !== 0 || this.usableBytes < 480)
        throw this.damaged('its header has an impossible page size');
      this.pages = Math.floor(fstatSync(this.descriptor).size / this.pageBytes);
      const encoding = header.readUInt32BE(56);
      // A database without any content has none yet.
      this.decoder = new TextDecoder(DECODERS[encoding === 0 ? 1 : encoding] ?? 'utf-8', {
        fatal: true,
        ignoreBOM: true,
      });
    } catch (error) {
      closeSync(this.descriptor);
      throw error;
    }
  }

  close(): void {
    closeSync(this.descriptor);
  }

  /** The rows of the tree at that page, in its order. Those of an index tree have rowid 0. */
  *rows(rootPage: number): Generator<SqliteRow> {
    yield* this.tree(rootPage, new Set());
  }

  private *tree(number: number, seen: Set<number>): Generator<SqliteRow> {
    if (seen.has(number)) throw this.damaged(`page ${number} is in a tree twice`);
    seen.add(number);
    const page = this.page(number);
    const at = number === 1 ? HEADER_BYTES : 0;
    const kind = page.readUInt8(at);
    const isInterior = kind === PageKind.TableInterior || kind === PageKind.IndexInterior;
    if (!isInterior && kind !== PageKind.TableLeaf && kind !== PageKind.IndexLeaf)
      throw this.damaged(`page ${number} is of no tree`);
    const cells = page.readUInt16BE(at + 3);
    const pointers = at + (isInterior ? 12 : 8);
    if (pointers + 2 * cells > this.usableBytes) throw this.damaged(`page ${number} has too many cells`);
    for (let i = 0; i < cells; i++) {
      const cell = new Cursor(page, page.readUInt16BE(pointers + 2 * i), this.usableBytes, this);
      if (isInterior) yield* this.tree(cell.u32(), seen);
      if (kind === PageKind.TableInterior) continue;
      const bytes = Number(cell.varint());
      const rowid = kind === PageKind.TableLeaf ? cell.varint() : 0;
      yield { rowid, values: this.record(this.payload(cell, bytes, kind === PageKind.TableLeaf)) };
    }
    if (isInterior) yield* this.tree(page.readUInt32BE(at + 8), seen);
  }

  /** The bytes of a cell, those that lie in other pages too. */
  private payload(cell: Cursor, bytes: number, isTable: boolean): Buffer {
    const usable = this.usableBytes;
    const most = isTable ? usable - 35 : Math.floor(((usable - 12) * 64) / 255) - 23;
    if (bytes <= most) return cell.take(bytes);
    if (bytes > this.pages * this.pageBytes) throw this.damaged('a row is longer than the file');
    const least = Math.floor(((usable - 12) * 32) / 255) - 23;
    const fitting = least + ((bytes - least) % (usable - 4));
    const whole = Buffer.alloc(bytes);
    let filled = cell.take(fitting <= most ? fitting : least).copy(whole);
    let next = cell.u32();
    while (filled < bytes) {
      const page = this.page(next);
      filled += page.copy(whole, filled, 4, Math.min(usable, 4 + bytes - filled));
      next = page.readUInt32BE(0);
    }
    return whole;
  }

  private record(payload: Buffer): SqliteValue[] {
    const head = new Cursor(payload, 0, payload.length, this);
    const headBytes = Number(head.varint());
    const body = new Cursor(payload, headBytes, payload.length, this);
    const values: SqliteValue[] = [];
    while (head.at < headBytes) values.push(this.value(Number(head.varint()), body));
    return values;
  }

  private value(type: number, body: Cursor): SqliteValue {
    switch (type) {
      case 0:
        return null;
      case 1:
      case 2:
      case 3:
      case 4:
        return body.take(type).readIntBE(0, type);
      case 5:
        return body.take(6).readIntBE(0, 6);
      case 6:
        return narrowed(body.take(8).readBigInt64BE());
      case 7:
        return body.take(8).readDoubleBE();
      case 8:
      case 9:
        return type - 8;
      default: {
        if (type < 12) throw this.damaged('a value has no type');
        const bytes = body.take(Math.floor((type - 12) / 2));
        return type % 2 === 0 ? bytes : this.text(bytes);
      }
    }
  }

  private text(bytes: Buffer): string {
    try {
      return this.decoder.decode(bytes);
    } catch (error) {
      throw new PhantomError('22021', `${this.path} holds a text that is not ${this.decoder.encoding}`, {
        cause: error,
      });
    }
  }

  private page(number: number): Buffer {
    if (number < 1 || number > this.pages) throw this.damaged(`it refers to page ${number} of ${this.pages}`);
    const page = Buffer.alloc(this.pageBytes);
    const read = readSync(this.descriptor, page, 0, this.pageBytes, (number - 1) * this.pageBytes);
    if (read < this.pageBytes) throw this.damaged(`page ${number} ends early`);
    this.bytesRead += this.pageBytes;
    return page;
  }

  /** XX001. */
  damaged(what: string): PhantomError {
    return new PhantomError('XX001', `${this.path} is damaged: ${what}`);
  }
}

/** A place in bytes that goes on as they are read. */
class Cursor {
  at: number;
  private readonly bytes: Buffer;
  private readonly end: number;
  private readonly file: SqliteFile;

  constructor(bytes: Buffer, at: number, end: number, file: SqliteFile) {
    this.bytes = bytes;
    this.at = at;
    this.end = end;
    this.file = file;
  }

  /** The next bytes; borrowed from the page. */
  take(count: number): Buffer {
    const start = this.at;
    if (count < 0 || start + count > this.end) throw this.file.damaged('a value reaches over the end of its page');
    this.at = start + count;
    return this.bytes.subarray(start, this.at);
  }

  u32(): number {
    return this.take(4).readUInt32BE();
  }

  /** Seven bits a byte, the higher ones first, a further one follows where the eighth is set; the ninth byte counts whole. */
  varint(): number | bigint {
    let value = 0;
    for (let i = 0; i < 7; i++) {
      const byte = this.take(1).readUInt8();
      value = value * 128 + (byte & 0x7f);
      if (byte < 0x80) return value;
    }
    let large = BigInt(value);
    for (let i = 7; i < 9; i++) {
      const byte = this.take(1).readUInt8();
      if (i === 8) return narrowed(BigInt.asIntN(64, (large << 8n) | BigInt(byte)));
      large = (large << 7n) | BigInt(byte & 0x7f);
      if (byte < 0x80) return narrowed(large);
    }
    throw this.file.damaged('a number has no end');
  }
}

function narrowed(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

function refuseUnfinished(path: string): void {
  for (const beside of [`${path}-wal`, `${path}-journal`]) {
    if (!existsSync(beside) || statSync(beside).size === 0) continue;
    throw new PhantomError(
      '55000',
      `${path} is in use, or was not closed: ${beside} holds changes that are not in it`,
      {
        hint: `Close it, or run: sqlite3 ${path} 'PRAGMA wal_checkpoint(TRUNCATE)'`,
      },
    );
  }
}
