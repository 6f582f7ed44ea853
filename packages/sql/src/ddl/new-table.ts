/** The descriptor that a table begins with, whichever statement makes it. */
import { PhantomError } from '@phantom/base';
import type { ColumnDescriptor, TableDescriptor, TypeRef, Persistence } from '@phantom/catalog';
import type { TableEngine } from '../session/ports.js';
import type { Option } from '../text/ast-leaves.js';
import type { CreateTable } from '../text/ast-schema.js';
import type { DdlContext } from './context.js';
import { ownership } from './ownership.js';
import { noteIdleOptions, storageOptions } from './storage-options.js';

/** `more` has what the statement knows of the table; without it the table has no columns. `engine`: where the options name none. */
export function newTable(
  context: DdlContext,
  place: { readonly name: string; readonly schemaOid: number; readonly persistence: Persistence },
  options: readonly Option[],
  more: Partial<Pick<TableDescriptor, 'columns' | 'onCommit' | 'materialized'>>,
  engine?: TableEngine,
): TableDescriptor {
  const storage = storageOf(context, options, place.persistence === 'temporary', engine);
  return {
    kind: 'table',
    oid: context.catalog.allocateOid(),
    name: place.name,
    databaseOid: context.databaseOid,
    schemaOid: place.schemaOid,
    ...ownership(context, 'table', place.schemaOid),
    persistence: place.persistence,
    engine: storage.engine,
    ...storage.options,
    space: context.storage.allocateSpace(storage.engine),
    layoutVersion: 1,
    columns: [],
    constraints: [],
    indexOids: [],
    keyColumns: [],
    schemaVersion: 1,
    rowTypeOid: context.catalog.allocateOid(),
    ...more,
  };
}

/** 42P22 with `message` for a column made of parts whose collations cancel each other. */
export function requireDerivedCollation({ otherCollation }: TypeRef, message: string): void {
  if (otherCollation === undefined) return;
  throw new PhantomError('42P22', message, { hint: 'Use the COLLATE clause to set the collation explicitly.' });
}

/** Columns of a query's result as those of a table; 42P22 where the collations of what makes one cancel each other. */
export function columnsOfResult(
  context: DdlContext,
  columns: readonly { readonly name: string; readonly type: TypeRef }[],
): ColumnDescriptor[] {
  for (const { name, type } of columns) {
    const typeName = context.picture.types.byOid(type.oid)?.displayName ?? '';
    requireDerivedCollation(type, `no collation was derived for column "${name}" with collatable type ${typeName}`);
  }
  return columns.map(({ name, type }, i) => ({
    number: i + 1,
    name,
    type,
    notNull: false,
    dropped: false,
    sinceVersion: 1,
  }));
}

/** ON COMMIT of a temporary table; 42P16 for any other. */
export function onCommitOf(
  clause: CreateTable['onCommit'],
  persistence: Persistence,
): { readonly onCommit?: 'delete rows' | 'drop' } {
  if (clause === undefined) return {};
  if (persistence !== 'temporary') throw new PhantomError('42P16', 'ON COMMIT can only be used on temporary tables');
  if (clause === 'preserve') return {};
  return { onCommit: clause === 'delete' ? 'delete rows' : 'drop' };
}

/** Engine and storage parameters from WITH (...); temporary tables live in memory. */
function storageOf(
  context: DdlContext,
  options: readonly Option[],
  temporary: boolean,
  otherwise: TableEngine | undefined,
): { readonly engine: TableEngine; readonly options: { readonly options?: Readonly<Record<string, string>> } } {
  const isEngine = (option: Option): boolean => option.namespace === undefined && option.name.text === 'engine';
  const engine = engineOf(options.filter(isEngine), otherwise);
  const kept = storageOptions(
    options.filter((option) => !isEngine(option)),
    'table',
  );
  noteIdleOptions(context, options);
  return {
    engine: temporary ? 'memory' : engine,
    options: Object.keys(kept).length === 0 ? {} : { options: kept },
  };
}

/** The engine that WITH (...) asks for; 22023 for other parameters, which storageOptions reads. */
export function engineOf(options: readonly Option[], otherwise: TableEngine = 'btree'): TableEngine {
  let engine = otherwise;
  for (const option of options) {
    const name = option.name.text;
    if (name !== 'engine') {
      throw new PhantomError('22023', `unrecognized parameter "${name}"`, { position: option.position + 1 });
    }
    const { value } = option;
    const text = value?.kind === 'word' ? value.name[0]?.text : value?.kind === 'string' ? value.value : undefined;
    if (text !== 'btree' && text !== 'lsm') {
      throw new PhantomError('22023', `invalid value for option "engine"`, {
        hint: 'Available engines: btree, lsm.',
        position: option.position + 1,
      });
    }
    engine = text;
  }
  return engine;
}
