/**
 * Large objects as a session's functions use them (functions/large-object-functions.ts): who may, what is open, and which state is shown.
 *
 *   opened to be read     shows the object as it was then, whoever writes to it
 *   opened to be written  shows the newest state; the first write takes the object for the transaction
 *
 * A write that has to wait ends the execution of its statement with a StatementWait; the statement is executed anew, and finds what
 * is open as it was when it began (large-objects/open-large-objects.ts).
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type LargeObjectDescriptor, type Oid, hasPrivilege, isSuperuser, ownsObject } from '@phantom/catalog';
import { ByteSlot, type KvCursor } from '@phantom/kv';
import { LockStrength } from '@phantom/mvcc';
import { StatementWait } from '../exec/runtime.js';
import type { LargeObjectCalls } from '../functions/registry.js';
import { LARGE_OBJECT_BYTES_MAX, decodeObject, objectKey } from '../large-objects/format.js';
import { LargeObjects, noLargeObject } from '../large-objects/large-objects.js';
import type { OpenLargeObject, OpenLargeObjects } from '../large-objects/open-large-objects.js';
import { readOnlyTransaction } from './session-errors.js';
import type { SqlSession } from './session.js';
import type { SessionTransaction } from './transaction.js';

/** Bits of the mode in which an object is opened: PostgreSQL's INV_WRITE and INV_READ. */
const WRITE = 0x20000;
const READ = 0x40000;

const Whence = { Start: 0, Here: 1, End: 2 } as const;

export class SessionLargeObjects implements LargeObjectCalls {
  private readonly session: SqlSession;
  private objects: LargeObjects | undefined;
  /** Whose they are. */
  private objectsOf: SessionTransaction | undefined;

  constructor(session: SqlSession) {
    this.session = session;
  }

  create(oid: Oid): Oid {
    this.refuseReadOnly('lo_create()');
    const { store } = this;
    const number = oid === 0 ? this.freeNumber() : oid;
    this.lock(number, LockStrength.Update);
    if (store.findNewest(number) !== undefined) {
      throw new PhantomError(
        '23505',
        'duplicate key value violates unique constraint "pg_largeobject_metadata_oid_index"',
        {
          detail: `Key (oid)=(${number}) already exists.`,
          schema: 'pg_catalog',
          table: 'pg_largeobject_metadata',
          constraint: 'pg_largeobject_metadata_oid_index',
        },
      );
    }
    store.put({
      kind: 'large object',
      oid: number,
      name: String(number),
      databaseOid: this.session.databaseOid,
      ownerOid: this.session.currentRoleOid,
    });
    return number;
  }

  fromBytes(oid: Oid, data: Uint8Array): Oid {
    this.refuseReadOnly('lo_from_bytea()');
    const number = this.create(oid);
    this.store.write(number, 0, data);
    return number;
  }

  open(oid: Oid, mode: number): number {
    const isWritable = (mode & WRITE) !== 0;
    if (!isWritable && (mode & READ) === 0)
      throw new PhantomError('22023', `invalid flags for opening a large object: ${mode}`);
    if (isWritable) this.refuseReadOnly('lo_open(INV_WRITE)');
    const object = isWritable ? this.store.findNewest(oid) : this.store.find(oid);
    if (object === undefined) throw noLargeObject(oid);
    // As PostgreSQL: who opens an object to write to it reads it by the same right, unless reading was asked for by name.
    if ((mode & READ) !== 0) this.require(object, 'r');
    if (isWritable) this.require(object, 'w');
    const pages = isWritable ? undefined : this.store.openPages(oid);
    return this.opened.open({ oid, isWritable, pages, offset: 0 });
  }

  close(descriptor: number): number {
    this.opened.close(descriptor);
    return 0;
  }

  read(descriptor: number, bytesMax: number): Uint8Array {
    const object = this.opened.get(descriptor);
    const bytes = this.withPages(object, (pages) => this.store.read(object.oid, pages, object.offset, bytesMax));
    this.opened.moveTo(object, object.offset + bytes.length);
    return bytes;
  }

  write(descriptor: number, data: Uint8Array): number {
    const object = this.writable(descriptor);
    this.refuseReadOnly('lowrite()');
    this.takeToWrite(object.oid);
    this.store.write(object.oid, object.offset, data);
    this.opened.moveTo(object, object.offset + data.length);
    return data.length;
  }

  seek(descriptor: number, offset: number, whence: number): number {
    const object = this.opened.get(descriptor);
    let place: number;
    if (whence === Whence.Start) place = offset;
    else if (whence === Whence.Here) place = object.offset + offset;
    else if (whence === Whence.End) place = this.sizeOf(object) + offset;
    else throw new PhantomError('22023', `invalid whence setting: ${whence}`);
    checkPlace(place, 'seek');
    this.opened.moveTo(object, place);
    return place;
  }

  tell(descriptor: number): number {
    return this.opened.get(descriptor).offset;
  }

  truncate(descriptor: number, bytes: number): number {
    const object = this.writable(descriptor);
    this.refuseReadOnly('lo_truncate()');
    checkPlace(bytes, 'truncation');
    this.takeToWrite(object.oid);
    this.store.truncate(object.oid, bytes);
    return 0;
  }

  unlink(oid: Oid): number {
    this.refuseReadOnly('lo_unlink()');
    this.lock(oid, LockStrength.Update);
    const object = this.store.findNewest(oid);
    if (object === undefined) throw noLargeObject(oid);
    const { databaseObjects, session } = this;
    if (!this.isLenient && !ownsObject(databaseObjects, session.currentRoleOid, object))
      throw new PhantomError('42501', `must be owner of large object ${oid}`);
    this.store.remove(oid);
    this.opened.closeAllOf(oid);
    return 1;
  }

  get(oid: Oid, offset = 0, bytesMax = LARGE_OBJECT_BYTES_MAX): Uint8Array {
    const object = this.store.find(oid);
    if (object === undefined) throw noLargeObject(oid);
    this.require(object, 'r');
    checkPlace(offset, 'seek');
    const pages = this.store.openPages(oid);
    try {
      return this.store.read(oid, pages, offset, bytesMax);
    } finally {
      pages.close();
    }
  }

  put(oid: Oid, offset: number, data: Uint8Array): void {
    this.refuseReadOnly('lo_put()');
    const object = this.store.findNewest(oid);
    if (object === undefined) throw noLargeObject(oid);
    this.require(object, 'w');
    checkPlace(offset, 'seek');
    this.takeToWrite(oid);
    this.store.write(oid, offset, data);
  }

  refuseFiles(functionName: string): never {
    const { session } = this;
    if (!isSuperuser(session.engine.catalog.committed, session.currentRoleOid))
      throw new PhantomError('42501', `permission denied for function ${functionName}`);
    throw unsupportedError(`${functionName} with a file of the server`, {
      hint: 'Read and write the file where the client is: psql has \\lo_import and \\lo_export.',
    });
  }

  comment(oid: Oid): string | null {
    const { session } = this;
    if (session.transaction !== undefined) return this.store.find(oid)?.comment ?? null;
    const view = session.engine.storage.view();
    try {
      const key = objectKey(session.engine.catalog.keys.largeObjectSpace, session.databaseOid, oid);
      const value = new ByteSlot();
      if (!view.get(key, 0, key.length, value)) return null;
      return decodeObject(value.copy(), session.databaseOid, oid).comment ?? null;
    } finally {
      view.release();
    }
  }

  private get transaction(): SessionTransaction {
    return this.session.ensureTransaction();
  }

  private get opened(): OpenLargeObjects {
    return this.transaction.largeObjects;
  }

  private get databaseObjects(): SessionTransaction['objects'] {
    return this.transaction.objects;
  }

  /** The objects as the present transaction sees them. */
  private get store(): LargeObjects {
    const { session, transaction } = this;
    if (this.objects === undefined || this.objectsOf !== transaction) {
      const space = session.engine.catalog.keys.largeObjectSpace;
      this.objects = new LargeObjects(transaction.storage, space, session.databaseOid);
      this.objectsOf = transaction;
    }
    return this.objects;
  }

  /** Rights are not asked for: lo_compat_privileges. */
  private get isLenient(): boolean {
    return this.session.settings.boolean('lo_compat_privileges');
  }

  private require(object: LargeObjectDescriptor, letter: 'r' | 'w'): void {
    if (this.isLenient || hasPrivilege(this.databaseObjects, this.session.currentRoleOid, object, letter)) return;
    throw new PhantomError('42501', `permission denied for large object ${object.oid}`);
  }

  private refuseReadOnly(what: string): void {
    if (this.transaction.readOnly) throw readOnlyTransaction(what);
  }

  private writable(descriptor: number): OpenLargeObject {
    const object = this.opened.get(descriptor);
    if (object.isWritable) return object;
    throw new PhantomError('55000', `large object descriptor ${descriptor} was not opened for writing`);
  }

  private takeToWrite(oid: Oid): void {
    this.lock(oid, LockStrength.NoKeyUpdate);
    // Whoever had it may have removed it.
    if (this.store.findNewest(oid) === undefined) throw noLargeObject(oid);
  }

  private lock(oid: Oid, strength: LockStrength): void {
    const wait = this.store.lock(oid, strength);
    if (wait !== undefined) throw new StatementWait(wait);
  }

  private freeNumber(): Oid {
    const { catalog } = this.session.engine;
    for (;;) {
      const number = catalog.allocateOid();
      if (this.store.findNewest(number) === undefined) return number;
    }
  }

  private sizeOf(object: OpenLargeObject): number {
    return this.withPages(object, (pages) => this.store.size(object.oid, pages));
  }

  /** What an open object shows: as it was when it was opened, or the newest state of one that is written. */
  private withPages<T>({ oid, pages }: OpenLargeObject, read: (pages: KvCursor) => T): T {
    if (pages !== undefined) return read(pages);
    const newest = this.store.openNewestPages(oid);
    try {
      return read(newest);
    } finally {
      newest.close();
    }
  }
}

/** 22023 for a place that no large object has. */
function checkPlace(place: number, what: 'seek' | 'truncation'): void {
  if (place >= 0 && place <= LARGE_OBJECT_BYTES_MAX) return;
  throw new PhantomError('22023', `invalid large object ${what} target: ${place}`);
}
