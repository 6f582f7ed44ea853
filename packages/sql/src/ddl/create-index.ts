/** CREATE INDEX. Writers of the table wait while it is built, readers do not; a plan sees it only once it is complete. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type IndexDescriptor, type IndexKeyPart, NameClass, type TableDescriptor } from '@phantom/catalog';
import { hasKey } from '@phantom/codec';
import { bindRowExpression } from '../expr/row-expression.js';
import type { IndexElement } from '../text/ast.js';
import type { CreateIndex } from '../text/ast-schema.js';
import { deparseExpression } from '../text/deparse.js';
import type { DdlContext, DdlExecution } from './context.js';
import { buildIndex } from './index-build.js';
import {
  chooseName,
  claimName,
  columnNamed,
  lockForChange,
  ownTable,
  relationExists,
  undefinedRelation,
} from './names.js';

export function* createIndex(context: DdlContext, node: CreateIndex): DdlExecution {
  const method = node.method?.text ?? 'btree';
  if (method !== 'btree') throw unsupportedError(`index method ${method}`);
  if (node.include.length > 0) throw unsupportedError('INCLUDE columns of an index');
  if (node.options.length > 0) throw unsupportedError('storage parameters of an index');
  if (node.concurrently) throw unsupportedError('CREATE INDEX CONCURRENTLY');
  const table = yield* lockForChange(context, ownTable(context, node.table));
  if (table === undefined) throw undefinedRelation(node.table);
  const parts = node.elements.map((element) => keyPart(context, table, element));
  const name =
    node.name?.text ??
    chooseName(
      context,
      table.schemaOid,
      [table.name, ...parts.map((part) => columnName(table, part) ?? 'expr')],
      'idx',
    );
  const existing = yield* claimName(context, NameClass.Relation, table.schemaOid, name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(name);
    context.notice('NOTICE', '42P07', `relation "${name}" already exists, skipping`);
    return undefined;
  }
  const predicateSql = node.where === undefined ? undefined : deparseExpression(node.where);
  if (predicateSql !== undefined) bind(context, table, predicateSql, 'predicate');
  const index: IndexDescriptor = {
    kind: 'index',
    oid: context.catalog.allocateOid(),
    name,
    databaseOid: table.databaseOid,
    schemaOid: table.schemaOid,
    ownerOid: table.ownerOid,
    tableOid: table.oid,
    space: context.storage.allocateSpace(table.engine),
    method: 'btree',
    unique: node.unique,
    primary: false,
    nullsNotDistinct: !node.nullsDistinct,
    parts,
    include: [],
    ...(predicateSql === undefined ? {} : { predicateSql }),
    state: 'valid',
  };
  context.objects.put(index);
  context.objects.put({ ...table, indexOids: [...table.indexOids, index.oid], schemaVersion: table.schemaVersion + 1 });
  context.objects.addDependency({
    dependentOid: index.oid,
    dependentColumn: 0,
    referencedOid: table.oid,
    referencedColumn: 0,
    strength: 'automatic',
  });
  yield* buildIndex(context, table, index);
  return undefined;
}

function columnName(table: TableDescriptor, part: IndexKeyPart): string | undefined {
  return table.columns.find((column) => column.number === part.column)?.name;
}

function keyPart(context: DdlContext, table: TableDescriptor, element: IndexElement): IndexKeyPart {
  if (element.collation !== undefined) throw unsupportedError('an index with a collation');
  if (element.operatorClass !== undefined)
    throw unsupportedError(`operator class ${element.operatorClass.at(-1)?.text}`);
  const descending = element.direction === 'desc';
  const order = { descending, nullsFirst: element.nulls === undefined ? descending : element.nulls === 'first' };
  const { value } = element;
  const plain = value.kind === 'column' && value.names.length === 1 ? value.names[0] : undefined;
  if (plain !== undefined) {
    const column = columnNamed(table, plain);
    return checkOrdered(context, { column: column.number, type: column.type, ...order });
  }
  const expressionSql = deparseExpression(value);
  return checkOrdered(context, { expressionSql, type: bind(context, table, expressionSql, 'index').type, ...order });
}

function checkOrdered(context: DdlContext, part: IndexKeyPart): IndexKeyPart {
  const type = context.picture.types.byOid(part.type.oid);
  if (type?.compare === undefined || !hasKey(type.storage)) {
    throw new PhantomError(
      '42704',
      `data type ${type?.displayName ?? part.type.oid} has no default operator class for access method "btree"`,
    );
  }
  return part;
}

function bind(
  context: DdlContext,
  table: TableDescriptor,
  sql: string,
  purpose: 'index' | 'predicate',
): { type: IndexKeyPart['type'] } {
  const expression = bindRowExpression(sql, {
    columns: table.columns,
    relationName: table.name,
    catalog: context.picture,
    target: purpose === 'predicate' ? { oid: 16, typmod: -1 } : undefined,
    purpose,
  });
  if (expression.volatility !== 'immutable') {
    throw new PhantomError(
      '42P17',
      `functions in index ${purpose === 'index' ? 'expression' : 'predicate'} must be marked IMMUTABLE`,
    );
  }
  return expression;
}
