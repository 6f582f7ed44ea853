/**
 * The catalog as it lies in the store, newest commit, read key by key or whole. The map in memory asks here for what it has
 * not been asked for before, so an opening costs the same with ten thousand tables as with two. Predefined roles are there
 * without being stored.
 */
import { readU32BE } from '@phantom/base';
import { ByteSlot, type KvCursor, prefixRange } from '@phantom/kv';
import type { Mvcc } from '@phantom/mvcc';
import { decodeObject } from './catalog-transaction.js';
import type { Dependency, ObjectDescriptor, Oid } from './descriptors.js';
import { type CatalogKeys, KeyKind, NameClass } from './keys.js';
import type { ObjectSource } from './object-map.js';
import { predefinedRole, predefinedRoleOid, predefinedRoles } from './predefined-roles.js';

/** Where the oid stands in the key of an object, and where that of a dependency begins. */
const BEHIND_KIND = 5;

export class CatalogSource implements ObjectSource {
  private readonly mvcc: Mvcc;
  private readonly keys: CatalogKeys;

  constructor(mvcc: Mvcc, keys: CatalogKeys) {
    this.mvcc = mvcc;
    this.keys = keys;
  }

  object(oid: Oid): ObjectDescriptor | undefined {
    const value = this.get(this.keys.object(oid));
    return value === undefined ? predefinedRole(oid) : decodeObject(value, oid);
  }

  oidByName(nameClass: NameClass, namespaceOid: Oid, name: string): Oid | undefined {
    const value = this.get(this.keys.name(nameClass, namespaceOid, name));
    if (value !== undefined) return readU32BE(value, 0);
    return nameClass === NameClass.Role ? predefinedRoleOid(name) : undefined;
  }

  oidsOf(nameClass: NameClass): Oid[] {
    const oids: Oid[] = [];
    this.each(this.keys.names(nameClass), ({ value }) => oids.push(readU32BE(value.buffer, value.start)));
    if (nameClass === NameClass.Role) for (const { oid } of predefinedRoles()) if (!oids.includes(oid)) oids.push(oid);
    return oids;
  }

  eachObject(take: (object: ObjectDescriptor) => void): void {
    const missing = new Set(predefinedRoles());
    this.each(this.keys.kind(KeyKind.Object), ({ key, value }) => {
      const oid = readU32BE(key.buffer, key.start + BEHIND_KIND);
      const role = predefinedRole(oid);
      if (role !== undefined) missing.delete(role);
      take(decodeObject(value.copy(), oid));
    });
    for (const role of missing) take(role);
  }

  eachDependency(take: (dependency: Dependency) => void): void {
    this.each(this.keys.kind(KeyKind.Dependency), ({ key, value }) => {
      take(readDependency(key.buffer, key.start + BEHIND_KIND, value.buffer[value.start] === 1));
    });
  }

  /** Bytes of a counter, undefined when it has never been counted. */
  counter(name: string): Uint8Array | undefined {
    return this.get(this.keys.counter(name));
  }

  /** Each entry whose key begins with the prefix. */
  each(prefix: Uint8Array, take: (cursor: KvCursor) => void): void {
    const view = this.mvcc.presentView();
    const cursor = view.cursor(prefixRange(prefix));
    try {
      while (cursor.next()) take(cursor);
    } finally {
      cursor.close();
      view.release();
    }
  }

  private get(key: Uint8Array): Uint8Array | undefined {
    const view = this.mvcc.presentView();
    const slot = new ByteSlot();
    try {
      return view.get(key, 0, key.length, slot) ? slot.copy() : undefined;
    } finally {
      view.release();
    }
  }
}

function readDependency(bytes: Uint8Array, at: number, automatic: boolean): Dependency {
  return {
    dependentOid: readU32BE(bytes, at),
    dependentColumn: (bytes[at + 4] as number) | ((bytes[at + 5] as number) << 8),
    referencedOid: readU32BE(bytes, at + 6),
    referencedColumn: (bytes[at + 10] as number) | ((bytes[at + 11] as number) << 8),
    strength: automatic ? 'automatic' : 'normal',
  };
}
