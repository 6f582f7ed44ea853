/**
 * Where the catalog lives: one space of the system engine, eight kinds of keys. Values of objects are UTF-8 JSON of their
 * descriptor, so that a damaged catalog can be read by a person.
 *
 *   space(4)  01  oid(4, big-endian)                                   -> JSON descriptor
 *   space(4)  02  name class(1)  namespace oid(4)  UTF-8 name          -> oid(4)
 *   space(4)  03  dependent oid(4) column(2) referenced oid(4) column(2) -> strength(1): 0 normal, 1 automatic
 *   space(4)  04  counter name                                         -> next unreserved value, u64 little-endian
 *   space(4)  05  sequence oid(4)                                      -> durable state, see sequences.ts
 *   space(4)  06  space id(4)                                          -> nothing: a space being filled, see unfinished-spaces.ts
 *   space(4)  07  table oid(4)                                         -> JSON of what ANALYZE found; who plans reads it
 *   space(4)  08  name(8)                                              -> a structure of documents, see structures.ts
 *
 * The object key is also what a lock on an object locks and what a writing transaction guards (tables are locked by a key of
 * their own, below); the name key is what two creators of one name meet on. These constants are on disk for good.
 */
import { ByteWriter, readU32BE } from '@phantom/base';
import { type EngineCode, type SpaceId, makeSpaceId } from '@phantom/kv';
import { LOCK_SPACE } from '@phantom/mvcc';
import type { Oid } from './descriptors.js';

/** Space number of the catalog in the system engine. */
const CATALOG_SPACE_NUMBER = 1;
/** Space number of prepared transactions. */
const PREPARED_SPACE_NUMBER = 2;
/** Space number of the decisions of transactions over several databases. */
const DECISION_SPACE_NUMBER = 3;
/** Space number of the journal of sagas. */
const SAGA_SPACE_NUMBER = 4;
/** Space number of large objects. */
const LARGE_OBJECT_SPACE_NUMBER = 5;
/** Space numbers below are the system's. */
const USER_SPACE_FIRST = 1024;

/** The space of a table or index, from a number that the store has handed out: never one of the system's. */
export function userSpace(engine: EngineCode, storeNumber: number): SpaceId {
  return makeSpaceId(engine, USER_SPACE_FIRST + storeNumber);
}

/** The space of prepared transactions in the system engine, for MvccOptions.preparedSpace. */
export function preparedSpace(systemEngine: EngineCode): SpaceId {
  return makeSpaceId(systemEngine, PREPARED_SPACE_NUMBER);
}

/** The space of a coordinator's decisions in the system engine. */
export function decisionSpace(systemEngine: EngineCode): SpaceId {
  return makeSpaceId(systemEngine, DECISION_SPACE_NUMBER);
}

/** The space of the journal of sagas in the system engine. */
export function sagaSpace(systemEngine: EngineCode): SpaceId {
  return makeSpaceId(systemEngine, SAGA_SPACE_NUMBER);
}

/** The space of the large objects of all databases in the system engine. */
export function largeObjectSpace(systemEngine: EngineCode): SpaceId {
  return makeSpaceId(systemEngine, LARGE_OBJECT_SPACE_NUMBER);
}

export const KeyKind = {
  Object: 1,
  Name: 2,
  Dependency: 3,
  Counter: 4,
  Sequence: 5,
  UnfinishedSpace: 6,
  Statistics: 7,
  Structure: 8,
} as const;

/** Objects of one class share a name space inside their namespace (database, schema or table; 0 for shared objects). */
export const NameClass = {
  Database: 1,
  Role: 2,
  Schema: 3,
  Relation: 4,
  Type: 5,
  Policy: 6,
  Routine: 7,
  Trigger: 8,
  Statistics: 9,
  Extension: 10,
  Operator: 11,
  Cast: 12,
  Rule: 13,
} as const;
export type NameClass = (typeof NameClass)[keyof typeof NameClass];

/** What stands behind LOCK_SPACE in the keys of table locks. */
const TABLE_MARK = 0x74;

/** Keys of table locks that are kept: every statement asks for those of its tables. */
const TABLE_LOCK_KEYS_MAX = 1024;
const tableLockKeys = new Map<Oid, Uint8Array>();

/** The key that stands for a table as a whole in the lock table; it is never written, and nobody may write to its bytes. */
export function tableLockKey(oid: Oid): Uint8Array {
  let key = tableLockKeys.get(oid);
  if (key === undefined) {
    const writer = new ByteWriter(16);
    writer.u32BE(LOCK_SPACE);
    writer.u8(TABLE_MARK);
    writer.u32BE(oid);
    key = writer.take();
    if (tableLockKeys.size >= TABLE_LOCK_KEYS_MAX) tableLockKeys.clear();
    tableLockKeys.set(oid, key);
  }
  return key;
}

/** The table whose lock key it is; undefined for every other key. */
export function tableOfLockKey(key: Uint8Array): Oid | undefined {
  const isTable = key.length === 9 && readU32BE(key, 0) === LOCK_SPACE && key[4] === TABLE_MARK;
  return isTable ? readU32BE(key, 5) : undefined;
}

const UTF8 = new TextEncoder();

/** Makes the catalog's keys for one store. Every key is a fresh array owned by the caller. */
export class CatalogKeys {
  readonly space: SpaceId;
  /** The space of the large objects beside it. */
  readonly largeObjectSpace: SpaceId;

  constructor(systemEngine: EngineCode) {
    this.space = makeSpaceId(systemEngine, CATALOG_SPACE_NUMBER);
    this.largeObjectSpace = largeObjectSpace(systemEngine);
  }

  object(oid: Oid): Uint8Array {
    const key = this.start(KeyKind.Object);
    key.u32BE(oid);
    return key.take();
  }

  name(nameClass: NameClass, namespaceOid: Oid, name: string): Uint8Array {
    const key = this.start(KeyKind.Name);
    key.u8(nameClass);
    key.u32BE(namespaceOid);
    key.bytes(UTF8.encode(name));
    return key.take();
  }

  /** Prefix of the names of one class. */
  names(nameClass: NameClass): Uint8Array {
    const key = this.start(KeyKind.Name);
    key.u8(nameClass);
    return key.take();
  }

  dependency(dependentOid: Oid, dependentColumn: number, referencedOid: Oid, referencedColumn: number): Uint8Array {
    const key = this.start(KeyKind.Dependency);
    key.u32BE(dependentOid);
    key.u16(dependentColumn);
    key.u32BE(referencedOid);
    key.u16(referencedColumn);
    return key.take();
  }

  counter(name: string): Uint8Array {
    const key = this.start(KeyKind.Counter);
    key.bytes(UTF8.encode(name));
    return key.take();
  }

  sequence(oid: Oid): Uint8Array {
    const key = this.start(KeyKind.Sequence);
    key.u32BE(oid);
    return key.take();
  }

  unfinishedSpace(space: SpaceId): Uint8Array {
    const key = this.start(KeyKind.UnfinishedSpace);
    key.u32BE(space);
    return key.take();
  }

  statistics(tableOid: Oid): Uint8Array {
    const key = this.start(KeyKind.Statistics);
    key.u32BE(tableOid);
    return key.take();
  }

  structure(name: Uint8Array): Uint8Array {
    const key = this.start(KeyKind.Structure);
    key.bytes(name);
    return key.take();
  }

  /** Prefix of all keys of one kind. */
  kind(kind: number): Uint8Array {
    return this.start(kind).take();
  }

  private start(kind: number): ByteWriter {
    const key = new ByteWriter();
    key.u32BE(this.space);
    key.u8(kind);
    return key;
  }
}
