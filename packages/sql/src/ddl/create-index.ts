/** CREATE INDEX. Writers of the table wait while it is built, readers do not; a plan sees it only once it is complete. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type IndexDescriptor, type IndexKeyPart, NameClass, type TableDescriptor } from '@phantom/catalog';
import { hasKey } from '@phantom/codec';
import type { Yielded } from '../exec/runtime.js';
import { bindRowExpression } from '../expr/row-expression.js';
import type { QualifiedName } from '../text/ast-leaves.js';
import type { IndexElement } from '../text/ast.js';
import type { CreateIndex } from '../text/ast-schema.js';
import { refuseCollection } from './create-collection.js';
import type { DdlContext, DdlExecution } from './context.js';
import { buildIndex } from './index-build.js';
import {
  chooseName,
  claimName,
  columnNamed,
  lockForChange,
  relationExists,
  relationNamed,
  requireOwner,
  undefinedRelation,
} from './names.js';
import { storageOptions } from './storage-options.js';
import { storedExpression } from './stored-expressions.js';

/** Most parts of a key, INCLUDE columns counted; PostgreSQL's. */
const PARTS_MAX = 32;

/** Collations that sort as bytes do, which is what an index does. */
const BINARY_COLLATIONS = new Set(['C', 'POSIX', 'default', 'ucs_basic']);

export function* createIndex(context: DdlContext, node: CreateIndex): DdlExecution {
  // Writers wait while an index is built: what the word promises is not kept.
  if (node.concurrently) throw unsupportedError('CREATE INDEX CONCURRENTLY');
  const method = node.method?.text ?? 'btree';
  if (['gin', 'gist', 'spgist', 'brin'].includes(method)) throw unsupportedError(`index method ${method}`);
  if (method !== 'btree' && method !== 'hash')
    throw new PhantomError('42704', `access method "${method}" does not exist`);
  if (method === 'hash') checkHash(node);
  if (node.tablespace !== undefined && node.tablespace.text !== 'pg_default') throw unsupportedError('tablespaces');
  const relation = relationNamed(context, node.table);
  if (relation.kind !== 'table') {
    throw new PhantomError('42809', `cannot create index on relation "${relation.name}"`, {
      detail: `This operation is not supported for ${relation.kind === 'index' ? 'indexes' : `${relation.kind}s`}.`,
    });
  }
  requireOwner(context, relation);
  refuseCollection(relation, 'CREATE INDEX');
  const table = yield* lockForChange(context, relation);
  if (table === undefined) throw undefinedRelation(node.table);
  if (node.elements.length + node.include.length > PARTS_MAX)
    throw new PhantomError('54011', `cannot use more than ${PARTS_MAX} columns in an index`);
  const parts = node.elements.map((element) => keyPart(context, table, element));
  const name = node.name?.text ?? indexName(context, table, parts);
  const existing = yield* claimName(context, NameClass.Relation, table.schemaOid, name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(name);
    context.notice('NOTICE', '42P07', `relation "${name}" already exists, skipping`);
    return undefined;
  }
  const predicateSql = node.where === undefined ? undefined : storedExpression(context, node.where, table.name);
  if (predicateSql !== undefined) bind(context, table, predicateSql, 'predicate');
  const options = storageOptions(node.options, 'index');
  yield* addIndex(context, table, {
    kind: 'index',
    oid: context.catalog.allocateOid(),
    name,
    databaseOid: table.databaseOid,
    schemaOid: table.schemaOid,
    ownerOid: table.ownerOid,
    tableOid: table.oid,
    space: context.storage.allocateSpace(table.engine),
    method,
    unique: node.unique,
    primary: false,
    nullsNotDistinct: !node.nullsDistinct,
    parts,
    include: node.include.map((column) => columnNamed(table, column).number),
    ...(predicateSql === undefined ? {} : { predicateSql }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
    state: 'valid',
  });
  return undefined;
}

/** What PostgreSQL's hash indexes cannot do. */
function checkHash(node: CreateIndex): void {
  const refuse = (what: string): never => {
    throw new PhantomError('0A000', `access method "hash" does not support ${what}`);
  };
  if (node.unique) refuse('unique indexes');
  if (node.include.length > 0) refuse('included columns');
  if (node.elements.length > 1) refuse('multicolumn indexes');
  const [element] = node.elements;
  if (element?.direction !== undefined) refuse('ASC/DESC options');
  if (element?.nulls !== undefined) refuse('NULLS FIRST/LAST options');
}

/** Puts an index beside its table and fills it. The caller holds the table's lock and has claimed the name. */
export function* addIndex(
  context: DdlContext,
  table: TableDescriptor,
  index: IndexDescriptor,
): Generator<Yielded, void, void> {
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
  context.tableRewritten(table.oid);
}

/** A free name after the table and the index's parts. */
export function indexName(context: DdlContext, table: TableDescriptor, parts: readonly IndexKeyPart[]): string {
  const names = parts.map((part) => table.columns.find((column) => column.number === part.column)?.name ?? 'expr');
  return chooseName(context, table.schemaOid, [table.name, names.join('_')], 'idx');
}

function keyPart(context: DdlContext, table: TableDescriptor, element: IndexElement): IndexKeyPart {
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
    part = { expressionSql, type: bind(context, table, expressionSql, 'index').type, ...order };
  }
  const collation = element.collation?.at(-1)?.text ?? part.type.collation;
  if (collation !== undefined && !BINARY_COLLATIONS.has(collation))
    throw unsupportedError(`an index in the order of collation "${collation}"`);
  if (element.operatorClass !== undefined) checkOperatorClass(context, part, element.operatorClass);
  return checkOrdered(context, part);
}

function indexedColumn(table: TableDescriptor, name: QualifiedName[number]): TableDescriptor['columns'][number] {
  const column = table.columns.find((candidate) => candidate.name === name.text && !candidate.dropped);
  if (column === undefined)
    throw new PhantomError('42703', `column "${name.text}" does not exist`, { position: name.position + 1 });
  return column;
}

/** Operator classes of PostgreSQL whose order is the one an index has here, by the oids of their types. */
const OPERATOR_CLASSES: Readonly<Record<string, readonly number[]>> = {
  int2_ops: [21],
  int4_ops: [23],
  int8_ops: [20],
  oid_ops: [26],
  bool_ops: [16],
  char_ops: [18],
  name_ops: [19],
  text_ops: [25, 1043],
  varchar_ops: [25, 1043],
  text_pattern_ops: [25, 1043],
  varchar_pattern_ops: [25, 1043],
  bpchar_ops: [1042],
  bpchar_pattern_ops: [1042],
  bytea_ops: [17],
  float4_ops: [700],
  float8_ops: [701],
  numeric_ops: [1700],
  date_ops: [1082],
  time_ops: [1083],
  timetz_ops: [1266],
  timestamp_ops: [1114],
  timestamptz_ops: [1184],
  interval_ops: [1186],
  uuid_ops: [2950],
  jsonb_ops: [3802],
};

function checkOperatorClass(context: DdlContext, part: IndexKeyPart, written: QualifiedName): void {
  const name = written.at(-1)?.text as string;
  const type = context.picture.types.byOid(part.type.oid);
  const base = type?.kind === 'domain' ? type.baseOid : part.type.oid;
  const generic = { enum_ops: 'enum', array_ops: 'array', record_ops: 'composite' }[name];
  const types = OPERATOR_CLASSES[name];
  if (types === undefined && generic === undefined)
    throw new PhantomError('42704', `operator class "${name}" does not exist for access method "btree"`);
  if (types?.includes(base) === true || (generic !== undefined && generic === type?.kind)) return;
  throw new PhantomError('42804', `operator class "${name}" does not accept data type ${type?.displayName}`);
}

function checkOrdered(context: DdlContext, part: IndexKeyPart): IndexKeyPart {
  const type = context.picture.types.byOid(part.type.oid);
  if (type?.compare === undefined || !hasKey(type.storage)) {
    throw new PhantomError(
      '42704',
      `data type ${type?.displayName ?? part.type.oid} has no default operator class for access method "btree"`,
      {
        hint: 'You must specify an operator class for the index or define a default operator class for the data type.',
      },
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
