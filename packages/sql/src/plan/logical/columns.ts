/** The columns of a statement's plan: every node that makes a column takes a fresh id for it here. */
import { assert } from '@phantom/base';
import type { Oid, TypeRef } from '@phantom/catalog';
import type { ColumnId } from '../../expr/expression.js';

export interface ColumnInfo {
  readonly id: ColumnId;
  readonly name: string;
  readonly type: TypeRef;
  /** Column of a table it is read from, unchanged; 0 and 0 otherwise. */
  readonly tableOid: Oid;
  readonly columnNumber: number;
}

/** Hands out ids; belongs to one statement. */
/** Names and types of a record's fields. */
export type RecordFields = readonly { readonly name: string; readonly type: TypeRef }[];

export class ColumnPool {
  private readonly infos: ColumnInfo[] = [];
  private readonly recordFields = new Map<ColumnId, RecordFields>();

  add(name: string, type: TypeRef, tableOid: Oid = 0, columnNumber = 0): ColumnId {
    const id = this.infos.length;
    this.infos.push({ id, name, type, tableOid, columnNumber });
    return id;
  }

  get(id: ColumnId): ColumnInfo {
    const info = this.infos[id];
    assert(info !== undefined, 'a column id comes from its pool');
    return info;
  }

  /** Tells what fields the records of a column have, where nothing but the call that makes them knows. */
  setFields(id: ColumnId, fields: RecordFields): void {
    this.recordFields.set(id, fields);
  }

  /** See setFields; undefined for other columns. */
  fieldsOf(id: ColumnId): RecordFields | undefined {
    return this.recordFields.get(id);
  }

  get count(): number {
    return this.infos.length;
  }
}
