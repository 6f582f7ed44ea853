/**
 * Temporary objects of one session: a schema of its own, `pg_temp_N`, whose tables live in the memory engine. They are found
 * before all others, seen by nobody else, and go when the session ends; what a crash left of them in the catalog goes when
 * the store is opened.
 */
import {
  type CatalogTransaction,
  NameClass,
  type ObjectMap,
  type ObjectReader,
  type Oid,
  type SchemaDescriptor,
  type TableDescriptor,
} from '@phantom/catalog';
import { PhantomError } from '@phantom/base';
import { spaceRange } from '@phantom/kv';
import { incomingKeys } from '../storage/table-rules.js';
import { dropAll } from '../ddl/drop.js';
import type { Yielded } from '../exec/runtime.js';
import type { SqlSession } from './session.js';
import type { SessionTransaction } from './transaction.js';

/** Names of such schemas; the number is the session's. */
const TEMPORARY_SCHEMA = /^pg_temp_\d+$/;

export class TemporaryObjects {
  private readonly session: SqlSession;
  /** What pg_temp stands for. */
  readonly name: string;
  /** Tables with ON COMMIT, dropped ones perhaps among them. */
  private readonly tables = new Set<Oid>();
  /** True once the session may have made a temporary object. */
  private used = false;

  constructor(session: SqlSession) {
    this.session = session;
    this.name = `pg_temp_${session.id}`;
  }

  /** The schema, where there is one. */
  find(objects: ObjectReader): SchemaDescriptor | undefined {
    if (!this.used) return undefined;
    const oid = objects.oidByName(NameClass.Schema, this.session.databaseOid, this.name);
    const schema = oid === undefined ? undefined : objects.object(oid);
    return schema?.kind === 'schema' ? schema : undefined;
  }

  /** Oid of the schema, made now if need be. */
  schema(objects: CatalogTransaction): Oid {
    this.used = true;
    const existing = this.find(objects);
    if (existing !== undefined) return existing.oid;
    const { session } = this;
    const oid = session.engine.catalog.allocateOid();
    // Whoever the session acts as later must still reach what it has made.
    objects.put({
      kind: 'schema',
      oid,
      name: this.name,
      databaseOid: session.databaseOid,
      ownerOid: session.currentRoleOid,
      acl: [{ granteeOid: 0, grantorOid: session.currentRoleOid, privileges: 'UC', grantable: '' }],
    });
    return oid;
  }

  /** Notes a table that ON COMMIT asks something of. */
  onCommit(table: TableDescriptor): void {
    this.tables.add(table.oid);
  }

  /** Some of its tables want something of a commit. */
  get hasTables(): boolean {
    return this.tables.size > 0;
  }

  /** ON COMMIT DELETE ROWS and ON COMMIT DROP, inside the transaction that is about to commit. */
  *beforeCommit(transaction: SessionTransaction): Generator<Yielded, void, void> {
    for (const oid of this.tables) {
      const table = transaction.objects.object(oid);
      if (table?.kind !== 'table') {
        if (this.session.engine.catalog.committed.object(oid) === undefined) this.tables.delete(oid);
        continue;
      }
      if (table.onCommit === 'drop') {
        yield* dropAll(this.session.ddlContext(transaction), [table], true);
      } else if (transaction.storage.hasWrites) {
        refuseReferences(transaction, table);
        this.removeRows(transaction, table);
      }
    }
  }

  /** Removes everything; called when the session ends and by DISCARD. Nothing of it is left to report to. */
  dropAll(): void {
    if (!this.used || this.session.engine.readOnly) return;
    const schema = this.find(this.session.engine.catalog.committed);
    if (schema !== undefined) dropSchemaNow(this.session, schema);
    this.tables.clear();
  }

  private removeRows({ storage, objects }: SessionTransaction, table: TableDescriptor): void {
    storage.removeRange(spaceRange(table.space));
    for (const oid of table.indexOids) {
      const index = objects.object(oid);
      if (index?.kind === 'index' && index.space !== table.space) storage.removeRange(spaceRange(index.space));
    }
  }
}

/** 0A000: rows that stay may not refer to rows that go. */
function refuseReferences({ objects }: SessionTransaction, table: TableDescriptor): void {
  const { child } = incomingKeys(table, objects).find((key) => key.child.onCommit !== 'delete rows') ?? {};
  if (child === undefined) return;
  throw new PhantomError('0A000', 'unsupported ON COMMIT and foreign key combination', {
    detail: `Table "${child.name}" references "${table.name}", but they do not have the same ON COMMIT setting.`,
  });
}

/** Drops a schema of temporary objects and all that is in it, in a transaction of its own on this thread. */
export function dropSchemaNow(session: SqlSession, schema: SchemaDescriptor): void {
  const transaction = session.beginTransaction(true);
  try {
    transaction.storage.beginStatement();
    for (const wait of dropAll(session.ddlContext(transaction, true), [schema], true)) {
      // Another transaction holds something of it: the next opening of the store will see to it.
      if (wait instanceof Promise) throw new Error('temporary objects are in use');
    }
    session.commitNow();
  } catch {
    session.rollback();
  }
}

/** Schemas of temporary objects whose sessions ended with their process. */
export function leftoverSchemas(committed: ObjectMap): SchemaDescriptor[] {
  return committed.objectsOf('schema').filter(({ name }) => TEMPORARY_SCHEMA.test(name));
}
