/**
 * CREATE VIEW and materialized views: the query's text is kept, with what its names meant, and bound anew at use. A materialized
 * view is a table beside it, which REFRESH fills.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { NameClass, type Oid, type TableDescriptor, type ViewDescriptor } from '@phantom/catalog';
import type { QueryToStore } from '../plan/stored-query.js';
import { StatementRestart } from '../exec/runtime.js';
import type { CreateTableAs, CreateView, RefreshMaterializedView } from '../text/ast-schema.js';
import type { Query } from '../text/ast.js';
import { deparseQuery } from '../text/deparse.js';
import { parseStatement } from '../text/parse.js';
import { selectInto } from '../text/select-into.js';
import type { DdlContext, DdlExecution } from './context.js';
import { fillTable } from './create-table-as.js';
import { columnsOfResult, newTable, requireDerivedCollation } from './new-table.js';
import { ownership } from './ownership.js';
import {
  claimName,
  creationSchema,
  findRelation,
  lockForChange,
  relationExists,
  requireOwner,
  undefinedRelation,
} from './names.js';
import { viewOptions } from './storage-options.js';
import { emptyTable } from './truncate.js';
import { dependOn, storedQuery } from './stored-queries.js';
import { refuseStoredRows } from './stored-rows.js';
import { claimTypeName, putRowType } from './types.js';
import { checkUpdatable } from './updatable-view.js';
import { TypeOid } from '../types/type-oids.js';
import { TEXT } from '../types/type-refs.js';

export function* createView(context: DdlContext, node: CreateView): DdlExecution {
  const query = node.recursive ? recursiveQuery(node) : node.query;
  if (selectInto(query, query.position) !== undefined)
    throw new PhantomError('0A000', 'views must not contain SELECT INTO');
  const described = describe(context, query);
  let { persistence } = node;
  if (persistence === 'permanent' && usesTemporary(context, described)) {
    context.notice('NOTICE', '00000', `view "${node.name.at(-1)?.text}" will be a temporary view`);
    persistence = 'temporary';
  }
  if (persistence === 'unlogged')
    throw new PhantomError('42601', 'views cannot be unlogged because they do not have storage');
  const place = creationSchema(context, node.name, persistence);
  const claimed = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
  const existing = claimed?.kind === 'view' && node.orReplace ? yield* lockForChange(context, claimed) : claimed;
  if (existing !== undefined && !node.orReplace) throw relationExists(place.name);
  if (existing !== undefined && existing.kind !== 'view')
    throw new PhantomError('42809', `"${place.name}" is not a view`);
  if (existing === undefined) yield* claimTypeName(context, place.schemaOid, place.name, true);
  const columns = columnsOf(context, described, node.columns, 'CREATE VIEW specifies more column names than columns');
  for (const { name, type } of columns)
    requireDerivedCollation(type, `could not determine which collation to use for view column "${name}"`);
  if (existing?.kind === 'view') {
    requireOwner(context, existing);
    keepsColumns(context, existing, columns);
    if (columns.length > existing.columns.length) refuseStoredRows(context, existing);
  }
  const { options, checkOption } = viewOptions(node.options);
  const check = node.checkOption ?? checkOption;
  const before = existing?.kind === 'view' ? existing : undefined;
  const view: ViewDescriptor = {
    kind: 'view',
    oid: before?.oid ?? context.catalog.allocateOid(),
    name: place.name,
    databaseOid: context.databaseOid,
    schemaOid: place.schemaOid,
    ...ownership(context, 'table', place.schemaOid),
    ...(before === undefined ? {} : { ownerOid: before.ownerOid }),
    ...(before?.acl === undefined ? {} : { acl: before.acl }),
    ...(before?.comment === undefined ? {} : { comment: before.comment }),
    ...writtenBy(before),
    ...storedQuery(context, query, described),
    columns: columns.map((column, i) => ({ ...before?.columns[i], ...column })),
    ...(Object.keys(options).length === 0 ? {} : { options }),
    ...(check === undefined ? {} : { checkOption: check }),
    rowTypeOid: before?.rowTypeOid ?? context.catalog.allocateOid(),
  };
  if (check !== undefined) checkUpdatable(context, view);
  context.objects.put(view);
  putRowType(context, view);
  dependOn(context, view.oid, described.uses);
  return undefined;
}

/** Triggers and rules of the view that another definition takes the place of: they stay. */
function writtenBy(before: ViewDescriptor | undefined): Pick<ViewDescriptor, 'triggerOids' | 'insteadOf' | 'ruleOids'> {
  return {
    ...(before?.triggerOids === undefined ? {} : { triggerOids: before.triggerOids }),
    ...(before?.insteadOf === undefined ? {} : { insteadOf: before.insteadOf }),
    ...(before?.ruleOids === undefined ? {} : { ruleOids: before.ruleOids }),
  };
}

function describe(context: DdlContext, query: Query): QueryToStore {
  const described = context.describeStored(query);
  if (described.parameters > 0) throw new PhantomError('42P02', 'there is no parameter $1');
  return described;
}

/** CREATE RECURSIVE VIEW v (a, b) AS q means WITH RECURSIVE v (a, b) AS (q) SELECT a, b FROM v. */
function recursiveQuery(node: CreateView): Query {
  const quoted = (text: string): string => `"${text.replaceAll('"', '""')}"`;
  const name = quoted(node.name.at(-1)?.text as string);
  const columns = node.columns.map((column) => quoted(column.text)).join(', ');
  if (columns === '') throw new PhantomError('42601', 'a recursive view needs a list of its columns');
  const sql = `with recursive ${name} (${columns}) as (${deparseQuery(node.query)}) select ${columns} from ${name}`;
  return parseStatement(sql) as Query;
}

function usesTemporary(context: DdlContext, described: QueryToStore): boolean {
  return described.names.some(({ oid }) => {
    const object = context.objects.object(oid);
    return object !== undefined && 'schemaOid' in object && object.schemaOid === context.picture.temporarySchemaOid;
  });
}

function columnsOf(
  context: DdlContext,
  described: QueryToStore,
  names: readonly { readonly text: string }[],
  tooMany: string,
): { name: string; type: ViewDescriptor['columns'][number]['type'] }[] {
  if (names.length > described.fields.length) throw new PhantomError('42601', tooMany);
  const columns = described.fields.map((field, i) => ({
    name: names[i]?.text ?? field.name,
    type: field.type.oid === TypeOid.unknown ? TEXT : field.type,
  }));
  for (const { name, type } of columns) {
    const found = context.picture.types.byOid(type.oid);
    if (found?.kind === 'pseudo')
      throw new PhantomError('42P16', `column "${name}" has pseudo-type ${found.displayName}`);
  }
  const repeated = columns.find((column, i) => columns.findIndex((other) => other.name === column.name) !== i);
  if (repeated !== undefined) throw new PhantomError('42701', `column "${repeated.name}" specified more than once`);
  return columns;
}

/** CREATE OR REPLACE may only add columns at the end. */
function keepsColumns(
  context: DdlContext,
  view: ViewDescriptor,
  columns: readonly Pick<ViewDescriptor['columns'][number], 'name' | 'type'>[],
): void {
  if (columns.length < view.columns.length) throw new PhantomError('42P16', 'cannot drop columns from view');
  const typeName = (oid: Oid): string => context.picture.types.byOid(oid)?.displayName ?? String(oid);
  view.columns.forEach((column, i) => {
    const now = columns[i];
    if (now?.name !== column.name)
      throw new PhantomError('42P16', `cannot change name of view column "${column.name}" to "${now?.name}"`, {
        hint: 'Use ALTER VIEW ... RENAME COLUMN ... to change name of view column instead.',
      });
    if (now.type.oid !== column.type.oid || now.type.typmod !== column.type.typmod)
      throw new PhantomError(
        '42P16',
        `cannot change data type of view column "${column.name}" from ${typeName(column.type.oid)} to ${typeName(now.type.oid)}`,
      );
    const [collation = 'default', collationNow = 'default'] = [column.type.collation, now.type.collation];
    if (collation !== collationNow)
      throw new PhantomError(
        '42P16',
        `cannot change collation of view column "${column.name}" from "${collation}" to "${collationNow}"`,
      );
  });
}

// ----------------------------------------------------------------------------------------------- materialized views

export function* createMaterializedView(context: DdlContext, node: CreateTableAs): DdlExecution {
  const { source } = node;
  if (source.kind === 'execute') throw unsupportedError('CREATE MATERIALIZED VIEW AS EXECUTE');
  const place = creationSchema(context, node.name);
  const existing = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(place.name);
    context.notice('NOTICE', '42P07', `relation "${place.name}" already exists, skipping`);
    return 'CREATE MATERIALIZED VIEW';
  }
  yield* claimTypeName(context, place.schemaOid, place.name, true);
  const described = describe(context, source);
  if (usesTemporary(context, described))
    throw new PhantomError('0A000', 'materialized views must not use temporary tables or views');
  const columns = columnsOf(context, described, node.columns, 'too many column names were specified');
  const table = newTable(context, { ...place, persistence: 'permanent' }, node.options, {
    columns: columnsOfResult(context, columns),
    materialized: { ...storedQuery(context, source, described), populated: node.withData },
  });
  context.objects.put(table);
  putRowType(context, table);
  dependOn(context, table.oid, described.uses);
  if (!node.withData) return 'CREATE MATERIALIZED VIEW';
  return `SELECT ${yield* fillTable(context, table, (sink) => context.queryRestricted(source, sink))}`;
}

export function* refreshMaterializedView(context: DdlContext, node: RefreshMaterializedView): DdlExecution {
  const found = findRelation(context, node.name);
  if (found === undefined) throw undefinedRelation(node.name);
  if (found.kind !== 'table') throw new PhantomError('42809', `"${found.name}" is not a table or materialized view`);
  if (found.materialized === undefined) throw new PhantomError('0A000', `"${found.name}" is not a materialized view`);
  requireOwner(context, found);
  if (node.concurrently && !node.withData)
    throw new PhantomError('42601', 'REFRESH options CONCURRENTLY and WITH NO DATA cannot be used together');
  const table = yield* lockForChange(context, found);
  if (table?.materialized === undefined) throw undefinedRelation(node.name);
  if (node.concurrently) checkConcurrently(context, table);
  emptyTable(context, table);
  const empty = context.objects.object(table.oid) as TableDescriptor;
  const filled: TableDescriptor = { ...empty, materialized: { ...table.materialized, populated: node.withData } };
  context.objects.put(filled);
  context.tableRewritten(table.oid);
  const { materialized, ownerOid } = table;
  if (!node.withData) return undefined;
  try {
    yield* fillTable(context, filled, (sink) => context.runStored(materialized, ownerOid, sink));
  } catch (error) {
    // To begin anew, as writers do when a table has been altered, would come to the same again.
    if (!(error instanceof StatementRestart)) throw error;
    throw new PhantomError('55006', `cannot refresh materialized view "${table.name}" because its query alters it`);
  }
  return undefined;
}

/** What PostgreSQL asks for before it refreshes beside readers; here readers always go on. */
function checkConcurrently(context: DdlContext, table: TableDescriptor): void {
  if (table.materialized?.populated === false)
    throw new PhantomError('0A000', 'CONCURRENTLY cannot be used when the materialized view is not populated');
  const unique = table.indexOids.some((oid) => {
    const index = context.objects.object(oid);
    return (
      index?.kind === 'index' &&
      index.unique &&
      index.predicateSql === undefined &&
      index.parts.every((part) => part.column !== undefined)
    );
  });
  if (unique) return;
  throw new PhantomError(
    '55000',
    `cannot refresh materialized view "${context.picture.schemaName(table.schemaOid)}.${table.name}" concurrently`,
    {
      hint: 'Create a unique index with no WHERE clause on one or more columns of the materialized view.',
    },
  );
}
