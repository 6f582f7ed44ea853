/**
 * How large objects lie in their space, which all databases of a store share (catalog's `largeObjectSpace`). As in PostgreSQL an object is
 * what is known of it, and pages of 2048 bytes, of which those that nobody wrote are not there and read as zeros.
 *
 *   space(4)  01  database oid(4)  object oid(4)              -> JSON of owner, access list and comment
 *   space(4)  02  database oid(4)  object oid(4)  page(4)     -> the bytes of the page, at most 2048
 *
 * Numbers are big-endian. The last page that is there ends the object: its number times 2048 and its bytes are the object's size. One
 * before it may be short, too; what is missing of it is zeros. These constants are on disk for good.
 *
 * Invariants:
 *   1. Pages are there only of objects that are: whoever writes to one or removes it holds the lock on its key.
 *   2. A page holds 0 to 2048 bytes. One of none, where an object was cut, marks its end.
 */
import { ByteWriter, PhantomError, assert, readU32BE } from '@phantom/base';
import type { LargeObjectDescriptor, Oid } from '@phantom/catalog';
import { type KeyRange, SPACE_BYTES, type SpaceId, prefixRange } from '@phantom/kv';

/** Bytes of a page: PostgreSQL's LOBLKSIZE. */
export const PAGE_BYTES = 2048;
/** PostgreSQL's limit: a page's number is a signed number of 32 bits. */
export const LARGE_OBJECT_BYTES_MAX = 0x7fff_ffff * PAGE_BYTES;

const Kind = { Object: 1, Page: 2 } as const;
const DATABASE_AT = SPACE_BYTES + 1;
const OBJECT_AT = DATABASE_AT + 4;
const PAGE_AT = OBJECT_AT + 4;
/** Bytes of an object's key; a page's is longer. */
export const OBJECT_KEY_BYTES = PAGE_AT;

/** A key of all that is in the space, however much of it is given. */
function keyOf(space: SpaceId, kind: number, ...numbers: readonly number[]): Uint8Array {
  const key = new ByteWriter(PAGE_AT + 4);
  key.u32BE(space);
  key.u8(kind);
  for (const number of numbers) key.u32BE(number);
  return key.take();
}

/** The key of what is known of an object; a lock on it is a lock on the object. */
export function objectKey(space: SpaceId, databaseOid: Oid, oid: Oid): Uint8Array {
  return keyOf(space, Kind.Object, databaseOid, oid);
}

export function pageKey(space: SpaceId, databaseOid: Oid, oid: Oid, page: number): Uint8Array {
  return keyOf(space, Kind.Page, databaseOid, oid, page);
}

/** What is known of the objects of a database, or of all. */
export function objectsRange(space: SpaceId, databaseOid?: Oid): KeyRange {
  return prefixRange(databaseOid === undefined ? keyOf(space, Kind.Object) : keyOf(space, Kind.Object, databaseOid));
}

/** The pages of an object, or of all of a database. */
export function pagesRange(space: SpaceId, databaseOid: Oid, oid?: Oid): KeyRange {
  return prefixRange(
    oid === undefined ? keyOf(space, Kind.Page, databaseOid) : keyOf(space, Kind.Page, databaseOid, oid),
  );
}

/** The database in a key of the space. */
export function databaseOfKey(key: Uint8Array, start: number): Oid {
  return readU32BE(key, start + DATABASE_AT);
}

/** The object in a key of the space. */
export function objectOfKey(key: Uint8Array, start: number): Oid {
  return readU32BE(key, start + OBJECT_AT);
}

/** The page in the key of one. */
export function pageOfKey(key: Uint8Array, start: number): number {
  return readU32BE(key, start + PAGE_AT);
}

const UTF8 = new TextEncoder();
const UTF8_IN = new TextDecoder('utf-8', { fatal: true });

/** What is stored of an object under its key. */
export function encodeObject({ ownerOid, acl, comment }: LargeObjectDescriptor): Uint8Array {
  return UTF8.encode(JSON.stringify({ ownerOid, acl, comment }));
}

/** XX001 when the bytes are not what is stored of an object. */
export function decodeObject(bytes: Uint8Array, databaseOid: Oid, oid: Oid): LargeObjectDescriptor {
  let stored: unknown;
  try {
    stored = JSON.parse(UTF8_IN.decode(bytes));
  } catch (cause) {
    throw new PhantomError('XX001', `large object ${oid} is unreadable`, { cause });
  }
  if (typeof stored !== 'object' || stored === null || !('ownerOid' in stored) || typeof stored.ownerOid !== 'number')
    throw new PhantomError('XX001', `large object ${oid} is not what its key says`);
  const { ownerOid, acl, comment } = stored as Pick<LargeObjectDescriptor, 'ownerOid' | 'acl' | 'comment'>;
  return {
    kind: 'large object',
    oid,
    name: String(oid),
    databaseOid,
    ownerOid,
    ...(acl === undefined ? {} : { acl }),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** The page that a place in an object lies in. */
export function pageAt(offset: number): number {
  assert(offset >= 0 && offset <= LARGE_OBJECT_BYTES_MAX, 'a place in a large object has been checked');
  return Math.floor(offset / PAGE_BYTES);
}
