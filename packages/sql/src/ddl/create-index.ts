/**
 * CREATE INDEX. Writers of the table wait while it is built, readers do not; a plan sees it only once it is complete.
 * CONCURRENTLY is a command of several transactions (session/concurrent-index.ts).
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type IndexDescriptor, type IndexKeyPart, NameClass, type TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { bindRowExpression } from '../expr/row-expression.js';
import { withNamedCollation } from '../expr/named-collation.js';
import { isBinaryCollation } from '../types/collation.js';
import { UNNAMED, functionColumnName } from '../plan/binder/output-names.js';
import type { QualifiedName } from '../text/ast-leaves.js';
import type { IndexElement } from '../text/ast.js';
import type { CreateIndex } from '../text/ast-schema.js';
import { refuseCollection } from './create-collection.js';
import { createDocumentIndex } from './create-document-index.js';
import type { DdlContext, DdlExecution } from './context.js';
import { inheritOnPartitions } from './partitions/partition-indexes.js';
import { addIndex, indexName, indexIdentity } from './put-index.js';
import { requireKeyColumns } from './partitions/key-columns.js';
import { checkKept, checkOperatorClass, checkOrdered, invertedClass } from './operator-classes.js';
import {
  claimName,
  columnNamed,
  lockForChange,
  refuseWhileInUse,
  relationExists,
  relationNamed,
  requireOwner,
  undefinedRelation,
} from './names.js';
import { noteIdleOptions, storageOptions } from './storage-options.js';
import { storedExpression } from './stored-expressions.js';
import { BOOL } from '../types/type-refs.js';

/** Most parts of a key, INCLUDE columns counted; PostgreSQL's. */
export const PARTS_MAX = 32;

export function* createIndex(context: DdlContext, node: CreateIndex): DdlExecution {
  const relation = relationNamed(context, node.table);
  if (relation.kind === 'table' && relation.collection !== undefined) {
    yield* createDocumentIndex(context, node, relation);
    return undefined;
  }
  const defined = yield* defineIndex(context, node, 'valid');
  if (defined === undefined) return undefined;
  const { table, index } = defined;
  yield* addIndex(context, table, index);
  if (table.partitioned !== undefined && !node.only) yield* inheritOnPartitions(context, table.oid, index);
  return undefined;
}

/** An index as the statement describes it, and its table, locked; undefined when there is one of its name already. */
export function* defineIndex(
  context: DdlContext,
  node: CreateIndex,
  state: IndexDescriptor['state'],
): Generator<Yielded, { readonly table: TableDescriptor; readonly index: IndexDescriptor } | undefined, void> {
  const method = node.method?.text ?? 'btree';
  if (['gist', 'spgist', 'brin'].includes(method)) throw unsupportedError(`index method ${method}`);
  if (method !== 'btree' && method !== 'hash' && method !== 'gin' && method !== 'column')
    throw new PhantomError('42704', `access method "${method}" does not exist`);
  if (method !== 'btree') checkAbilities(node, method);
  if (node.tablespace !== undefined && node.tablespace.text !== 'pg_default') throw unsupportedError('tablespaces');
  const relation = relationNamed(context, node.table);
  if (relation.kind !== 'table') {
    throw new PhantomError('42809', `cannot create index on relation "${relation.name}"`, {
      detail: `This operation is not supported for ${relation.kind === 'index' ? 'indexes' : `${relation.kind}s`}.`,
    });
  }
  requireOwner(context, relation);
  refuseCollection(relation, 'CREATE INDEX CONCURRENTLY');
  if (node.concurrently && relation.partitioned !== undefined)
    throw new PhantomError('0A000', `cannot create index on partitioned table "${relation.name}" concurrently`);
  const table = yield* lockForChange(context, relation);
  if (table === undefined) throw undefinedRelation(node.table);
  yield* refuseWhileInUse(context, table, 'CREATE INDEX');
  if (method !== 'column' && node.elements.length + node.include.length > PARTS_MAX)
    throw new PhantomError('54011', `cannot use more than ${PARTS_MAX} columns in an index`);
  const parts = node.elements.map((element) => indexPart(context, table, element, method));
  const held = [...node.elements.map(nameOfElement), ...node.include.map((column) => column.text)];
  const name = node.name?.text ?? indexName(context, table, held);
  const existing = yield* claimName(context, NameClass.Relation, table.schemaOid, name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(name);
    context.notice('NOTICE', '42P07', `relation "${name}" already exists, skipping`);
    return undefined;
  }
  if (table.partitioned !== undefined && node.unique)
    requireKeyColumns(
      table,
      table.partitioned,
      parts.map(({ column }) => column),
      'UNIQUE',
    );
  const predicateSql = indexPredicate(context, table, node.where);
  const options = storageOptions(node.options, 'index');
  noteIdleOptions(context, node.options);
  if (options['segment_rows'] !== undefined && method !== 'column')
    throw new PhantomError('22023', 'unrecognized parameter "segment_rows"');
  const index: IndexDescriptor = {
    ...indexIdentity(context, table, name),
    space: context.storage.allocateSpace(table.engine),
    method,
    unique: node.unique,
    primary: false,
    nullsNotDistinct: !node.nullsDistinct,
    parts,
    include: node.include.map((column) => columnNamed(table, column).number),
    ...(node.include.length === 0 ? {} : { storesIncluded: true }),
    ...(predicateSql === undefined ? {} : { predicateSql }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
    state,
  };
  return { table, index };
}

/** What PostgreSQL's hash and GIN indexes cannot do, and what has no meaning for columns by themselves. */
function checkAbilities(node: CreateIndex, method: 'hash' | 'gin' | 'column'): void {
  const refuse = (what: string): never => {
    throw new PhantomError('0A000', `access method "${method}" does not support ${what}`);
  };
  if (node.unique) refuse('unique indexes');
  if (node.include.length > 0) refuse('included columns');
  if (method === 'hash' && node.elements.length > 1) refuse('multicolumn indexes');
  if (method === 'column' && node.where !== undefined) refuse('predicates');
  for (const element of node.elements) {
    if (element.direction !== undefined) refuse('ASC/DESC options');
    if (element.nulls !== undefined) refuse('NULLS FIRST/LAST options');
    if (method !== 'column') continue;
    if (element.value.kind !== 'column') refuse('expressions');
    if (element.collation !== undefined) refuse('collations');
    if (element.operatorClass !== undefined) refuse('operator classes');
  }
}

/** What a name made for an index calls an element. */
export function nameOfElement({ value }: IndexElement): string {
  const name = functionColumnName(value);
  return name === UNNAMED ? 'expr' : name;
}

/**
 * A part as an element of a statement describes it; 42704 where it cannot be in an index of the method, or in that of an exclusion
 * constraint which names the method `excludedBy`.
 */
export function indexPart(
  context: DdlContext,
  table: TableDescriptor,
  element: IndexElement,
  method: IndexDescriptor['method'],
  excludedBy?: string,
): IndexKeyPart {
  const descending = element.direction === 'desc';
  const order = { descending, nullsFirst: element.nulls === undefined ? descending : element.nulls === 'first' };
  const { value } = element;
  const plain = value.kind === 'column' && value.names.length === 1 ? value.names[0] : undefined;
  let part: IndexKeyPart;
  if (plain !== undefined) {
    const column = indexedColumn(table, plain);
    part = { column: column.number, type: column.type, ...order };
  } else {
    const expressionSql = storedExpression(context, value, table.name);
    part = { expressionSql, type: requireImmutable(context, table, expressionSql, 'index').type, ...order };
  }
  if (method === 'column') return part;
  if (method === 'gin') return { ...part, operatorClass: invertedClass(context, part.type.oid, element.operatorClass) };
  const { collation } = withNamedCollation(context.picture, part.type, element.collation);
  // An index is in the order of bytes.
  if (collation !== undefined && !isBinaryCollation(collation))
    throw unsupportedError(`an index in the order of collation "${collation}"`);
  if (element.operatorClass !== undefined) checkOperatorClass(context, part, element.operatorClass);
  if (excludedBy === undefined) checkOrdered(context, part);
  else checkKept(context, part, excludedBy);
  return part;
}

function indexedColumn(table: TableDescriptor, name: QualifiedName[number]): TableDescriptor['columns'][number] {
  const column = table.columns.find((candidate) => candidate.name === name.text && !candidate.dropped);
  if (column === undefined)
    throw new PhantomError('42703', `column "${name.text}" does not exist`, { position: name.position + 1 });
  return column;
}

/** The condition of a partial index as it is stored; 42P17 unless it is always of the same value. */
export function indexPredicate(
  context: DdlContext,
  table: TableDescriptor,
  where: CreateIndex['where'],
): string | undefined {
  if (where === undefined) return undefined;
  const predicateSql = storedExpression(context, where, table.name);
  requireImmutable(context, table, predicateSql, 'predicate');
  return predicateSql;
}

/** The expression of an index over a table's row; 42P17 unless it is always of the same value. */
function requireImmutable(
  context: DdlContext,
  table: TableDescriptor,
  sql: string,
  purpose: 'index' | 'predicate',
): { type: IndexKeyPart['type'] } {
  const expression = bindRowExpression(sql, {
    columns: table.columns,
    relationName: table.name,
    catalog: context.picture,
    target: purpose === 'predicate' ? BOOL : undefined,
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
