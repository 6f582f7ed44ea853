/**
 * The catalog: every named object of a store, read into memory once, when it is first asked for, and then served from there,
 * and changed only inside transactions. Names, ids, schema versions, roles, dependencies; what the objects mean is known above.
 *
 * One catalog per store. Databases are namespaces in it, roles are shared, so CREATE DATABASE writes a few keys.
 *
 *   open            read two counters of the catalog space, or bootstrap it: superuser, first database, its schema `public`
 *   begin           a CatalogTransaction beside each transaction that asks for one
 *   publish         fold a committed overlay in, in the same turn in which its data become visible; version + 1
 *
 * Invariants:
 *   1. `version` rises with every published change: a plan made at a version holds while the version stands.
 *   2. Oids come from durable blocks and are never used twice, whatever crashes.
 *   3. What is in memory equals what the catalog space says at the last published change.
 */
import { PhantomError, readU64, writeU64 } from '@phantom/base';
import type { EngineCode, Seq } from '@phantom/kv';
import type { Mvcc, MvccTransaction } from '@phantom/mvcc';
import { CatalogSource } from './catalog-source.js';
import { CatalogTransaction } from './catalog-transaction.js';
import { FilledTables } from './filled-tables.js';
import type { DatabaseDescriptor, Oid, RoleDescriptor, SchemaDescriptor } from './descriptors.js';
import { FIRST_USER_OID } from './descriptors.js';
import { CatalogKeys, NameClass } from './keys.js';
import { ObjectMap } from './object-map.js';
import { PredefinedRole } from './predefined-roles.js';
import { PUBLIC_ROLE } from './rights.js';
import { Sequences } from './sequences.js';
import { Structures } from './structures.js';
import { UnfinishedSpaces } from './unfinished-spaces.js';

/** PostgreSQL's oids of what every store has from the start. */
export const BootstrapOid = { Superuser: 10, PublicSchema: 2200, FirstDatabase: 5 } as const;

/** Oids reserved at a time: one fsync for as many new objects. */
const OID_BLOCK = 1024;
const OID_COUNTER = 'oid';

export interface CatalogOptions {
  /** Engine of the system spaces. */
  readonly systemEngine: EngineCode;
  /** Name of the first superuser, for a new store. Default `phantom`. */
  readonly superuser?: string;
  /** Name of the first database, for a new store. Default `phantom`. */
  readonly database?: string;
}

export class Catalog {
  readonly keys: CatalogKeys;
  readonly sequences: Sequences;
  readonly unfinished: UnfinishedSpaces;
  readonly structures: Structures;
  /** When tables were last put into new spaces or given an index: what older snapshots cannot read. */
  readonly filled = new FilledTables();
  private readonly source: CatalogSource;
  private readonly map: ObjectMap;
  private readonly mvcc: Mvcc;
  private oidNext = 0;
  private oidReserved = 0;
  private versionNumber = 1;
  private changeSeq: Seq = 0;

  private constructor(mvcc: Mvcc, keys: CatalogKeys) {
    this.mvcc = mvcc;
    this.keys = keys;
    this.source = new CatalogSource(mvcc, keys);
    this.map = new ObjectMap(this.source);
    this.sequences = new Sequences(mvcc, keys);
    this.unfinished = new UnfinishedSpaces(mvcc, keys);
    this.structures = new Structures(mvcc, keys, this.source);
  }

  /** Opens the catalog of the store under `mvcc`, or makes a new one with one superuser and one database; durable on return. */
  static async open(mvcc: Mvcc, options: CatalogOptions): Promise<Catalog> {
    const catalog = new Catalog(mvcc, new CatalogKeys(options.systemEngine));
    catalog.load();
    if (catalog.map.object(BootstrapOid.Superuser) === undefined) await catalog.bootstrap(options);
    return catalog;
  }

  /** The catalog of a store that has one, for reading. */
  static read(mvcc: Mvcc, systemEngine: EngineCode): Catalog {
    return new Catalog(mvcc, new CatalogKeys(systemEngine));
  }

  /** Rises with every published change. */
  get version(): number {
    return this.versionNumber;
  }

  /** The commit by which it was changed last since it was opened: an older snapshot shows another catalog. 0: none. */
  get changedSeq(): Seq {
    return this.changeSeq;
  }

  /** The committed catalog. */
  get committed(): ObjectMap {
    return this.map;
  }

  /** The catalog as a transaction sees and changes it. One per transaction. */
  begin(transaction: MvccTransaction): CatalogTransaction {
    return new CatalogTransaction(this.map, this.keys, transaction, (overlay, seq) => {
      for (const { space, heir } of overlay.spacesLeft()) this.mvcc.spaceLeft(space, heir, seq);
      overlay.foldInto(this.map);
      this.versionNumber++;
      this.changeSeq = seq;
    });
  }

  /** A new oid; durable before it is handed out, never handed out twice. */
  allocateOid(): Oid {
    if (this.oidNext === this.oidReserved) this.reserveOids();
    return this.oidNext++;
  }

  database(name: string): DatabaseDescriptor | undefined {
    const oid = this.map.oidByName(NameClass.Database, 0, name);
    return oid === undefined ? undefined : (this.map.object(oid) as DatabaseDescriptor);
  }

  role(name: string): RoleDescriptor | undefined {
    const oid = this.map.oidByName(NameClass.Role, 0, name);
    return oid === undefined ? undefined : (this.map.object(oid) as RoleDescriptor);
  }

  async close(): Promise<void> {
    await this.unfinished.settled();
    await this.structures.settled();
    await this.sequences.close();
  }

  private load(): void {
    const reserved = this.source.counter(OID_COUNTER);
    this.oidNext = reserved === undefined ? FIRST_USER_OID : readU64(reserved, 0);
    this.oidReserved = this.oidNext;
    this.unfinished.load(this.source);
    this.structures.load();
  }

  private async bootstrap(options: CatalogOptions): Promise<void> {
    const transaction = this.mvcc.begin({ label: 'bootstrap' });
    transaction.beginStatement();
    const overlay = this.begin(transaction);
    const superuser: RoleDescriptor = {
      kind: 'role',
      oid: BootstrapOid.Superuser,
      name: options.superuser ?? 'phantom',
      superuser: true,
      login: true,
      createDatabase: true,
      createRole: true,
      inherit: true,
      bypassRowSecurity: true,
      memberOf: [],
    };
    overlay.put(superuser);
    const database: DatabaseDescriptor = {
      kind: 'database',
      oid: BootstrapOid.FirstDatabase,
      name: options.database ?? 'phantom',
      ownerOid: superuser.oid,
    };
    overlay.put(database);
    overlay.put(publicSchema(BootstrapOid.PublicSchema, database.oid));
    await transaction.commit();
  }

  private reserveOids(): void {
    const key = this.keys.counter(OID_COUNTER);
    const value = new Uint8Array(8);
    const reserved = this.oidReserved + OID_BLOCK;
    if (reserved > 0xffff_ffff) throw new PhantomError('54000', 'the store has used up its object identifiers');
    writeU64(value, 0, reserved);
    const transaction = this.mvcc.begin({ label: 'oids' });
    transaction.put(key, 0, key.length, value, 0, value.length);
    transaction.commitSync();
    this.oidReserved = reserved;
  }
}

/** The schema `public` of a database: it belongs to whoever owns the database, and everybody may look into it. */
export function publicSchema(oid: Oid, databaseOid: Oid): SchemaDescriptor {
  const ownerOid = PredefinedRole.DatabaseOwner;
  const acl = [
    { granteeOid: ownerOid, grantorOid: ownerOid, privileges: 'UC', grantable: '' },
    { granteeOid: PUBLIC_ROLE, grantorOid: ownerOid, privileges: 'U', grantable: '' },
  ];
  return { kind: 'schema', oid, name: 'public', databaseOid, ownerOid, acl, comment: 'standard public schema' };
}
