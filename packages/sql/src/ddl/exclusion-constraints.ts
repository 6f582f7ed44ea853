/** EXCLUDE: the index that a constraint stands on (storage/exclusion-rule.ts), and the rows that are there already. */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type ConstraintDescriptor,
  type IndexDescriptor,
  type IndexKeyPart,
  NameClass,
  type TableDescriptor,
} from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type { ExclusionConstraint } from '../storage/exclusion-rule.js';
import type { Name } from '../text/ast-leaves.js';
import { parseExpression } from '../text/parse.js';
import type { ExcludeElement, TableConstraint } from '../text/ast-schema.js';
import type { IndexElement } from '../text/ast.js';
import type { AddConstraintOptions } from './constraints.js';
import type { DdlContext } from './context.js';
import { PARTS_MAX, indexPart, indexPredicate, nameOfElement } from './create-index.js';
import { buildIndex } from './index-build.js';
import { claimName, columnNamed, freeConstraintName, relationExists } from './names.js';
import { enterIndex, indexName, indexIdentity } from './put-index.js';
import { replaceTable } from './replace-table.js';
import { storageOptions } from './storage-options.js';
import { TypeOid } from '../types/type-oids.js';

type ExcludeNode = TableConstraint & { kind: 'exclude' };

/** What PostgreSQL's methods can be asked in an exclusion constraint; the index is a tree here, whichever is named. */
const OPERATORS: Readonly<Record<string, readonly string[]>> = {
  btree: ['='],
  hash: ['='],
  gist: ['=', '&&', '<>', '-|-', '~='],
  spgist: ['=', '&&', '-|-', '~='],
};
const METHODS_WITHOUT = ['gin', 'brin', 'column'];
/** Operator classes of GiST whose types are the ones they are named after: what an index has here by itself. */
const OWN_CLASS = /^(?:gist_\w+_ops|range_ops|multirange_ops|inet_ops)$/;

/** Adds an exclusion constraint; 23P01 where rows that are there exclude each other. The caller holds the table's lock. */
export function* addExclusion(
  context: DdlContext,
  table: TableDescriptor,
  node: ExcludeNode,
  { newTable }: AddConstraintOptions,
): Generator<Yielded, void, void> {
  const method = node.method?.text ?? 'btree';
  const known = OPERATORS[method];
  if (known === undefined) {
    if (METHODS_WITHOUT.includes(method))
      throw new PhantomError('0A000', `access method "${method}" does not support exclusion constraints`);
    throw new PhantomError('42704', `access method "${method}" does not exist`);
  }
  if (table.partitioned !== undefined)
    throw new PhantomError('0A000', 'exclusion constraints are not supported on partitioned tables', {
      position: node.position + 1,
    });
  if (node.tablespace !== undefined && node.tablespace.text !== 'pg_default') throw unsupportedError('tablespaces');
  if (node.elements.length + node.include.length > PARTS_MAX)
    throw new PhantomError('54011', `cannot use more than ${PARTS_MAX} columns in an index`);
  const parts = node.elements.map(({ element }) =>
    indexPart(context, table, ordered(element, method), 'btree', method),
  );
  const operators = node.elements.map((element, i) => exclusionOperator(context, element, parts[i]!, method, known));
  const held = [...node.elements.map(({ element }) => nameOfElement(element)), ...node.include.map(({ text }) => text)];
  const name = node.name?.text ?? indexName(context, table, held, 'excl');
  if ((yield* claimName(context, NameClass.Relation, table.schemaOid, name)) !== undefined) throw relationExists(name);
  freeConstraintName(table, name);
  const predicateSql = indexPredicate(context, table, node.where);
  const options = storageOptions(node.options, 'index');
  const index: IndexDescriptor = {
    ...indexIdentity(context, table, name),
    space: context.storage.allocateSpace(table.engine),
    method: 'btree',
    unique: false,
    primary: false,
    nullsNotDistinct: false,
    parts,
    include: node.include.map((column) => columnNamed(table, column).number),
    exclusion: { method, operators },
    ...(node.include.length === 0 ? {} : { storesIncluded: true }),
    ...(predicateSql === undefined ? {} : { predicateSql }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
    state: 'valid',
  };
  const constraint: ConstraintDescriptor = {
    kind: 'exclusion',
    oid: context.catalog.allocateOid(),
    name,
    deferrable: node.deferrable,
    initiallyDeferred: node.initiallyDeferred,
    validated: true,
    columns: parts.flatMap(({ column }) => (column === undefined ? [] : [column])),
    indexOid: index.oid,
  };
  enterIndex(context, index);
  const excluding: TableDescriptor = {
    ...table,
    constraints: [...table.constraints, constraint],
    indexOids: [...table.indexOids, index.oid],
  };
  replaceTable(context, excluding, {});
  if (newTable) return;
  yield* buildIndex(context, excluding, index, false);
  context.tableRewritten(table.oid);
}

/** An exclusion constraint as it would be written for another table, whose names of the index's columns are given. */
export function exclusionNodeLike(
  { deferrable, initiallyDeferred }: ExclusionConstraint,
  { parts, include, predicateSql, exclusion }: IndexDescriptor,
  nameOf: (columnNumber: number) => Name,
  position: number,
): ExcludeNode {
  const named = (text: string): Name => ({ text, position, quoted: true });
  return {
    kind: 'exclude',
    name: undefined,
    method: named(exclusion?.method ?? 'btree'),
    elements: parts.map(({ column, expressionSql }, i) => ({
      element: {
        value:
          column === undefined
            ? parseExpression(expressionSql ?? '')
            : { kind: 'column', names: [nameOf(column)], position },
        collation: undefined,
        operatorClass: undefined,
        operatorClassOptions: [],
        position,
        direction: undefined,
        nulls: undefined,
      },
      operator: { schema: [], symbol: exclusion?.operators[i] ?? '=' },
    })),
    where: predicateSql === undefined ? undefined : parseExpression(predicateSql),
    nullsDistinct: true,
    include: include.map(nameOf),
    options: [],
    tablespace: undefined,
    deferrable,
    initiallyDeferred,
    position,
  };
}

/** The element without what says nothing here; 0A000 for an order where the method has none. */
function ordered(element: IndexElement, method: string): IndexElement {
  if (method !== 'btree' && element.direction !== undefined)
    throw new PhantomError('0A000', `access method "${method}" does not support ASC/DESC options`);
  if (method !== 'btree' && element.nulls !== undefined)
    throw new PhantomError('0A000', `access method "${method}" does not support NULLS FIRST/LAST options`);
  const named = element.operatorClass?.at(-1)?.text ?? '';
  return OWN_CLASS.test(named) ? { ...element, operatorClass: undefined } : element;
}

/** 42883, 42809 unless the operator says the same of two values whichever comes first, and the method can be asked it. */
function exclusionOperator(
  { picture }: DdlContext,
  { element, operator: { schema, symbol } }: ExcludeElement,
  part: IndexKeyPart,
  method: string,
  known: readonly string[],
): string {
  const { oid } = part.type;
  const position = element.value.position + 1;
  const typeName = picture.types.byOid(oid)?.displayName ?? String(oid);
  const isNamed = schema.length === 0 || (schema.length === 1 && schema[0]?.text === 'pg_catalog');
  const found = isNamed ? picture.functions.resolveOperator(symbol, oid, oid) : 'undefined';
  if (typeof found === 'string')
    throw new PhantomError('42883', `operator does not exist: ${typeName} ${symbol} ${typeName}`, {
      position,
      hint: 'No operator matches the given name and argument types. You might need to add explicit type casts.',
    });
  const shown = `${symbol}(${[found.leftType, found.rightType].map((type) => picture.types.byOid(type)?.displayName).join(',')})`;
  if (found.resultType !== TypeOid.bool || found.operator.commutator !== symbol)
    throw new PhantomError('42809', `operator ${shown} is not commutative`, {
      position,
      detail: 'Only commutative operators can be used in exclusion constraints.',
    });
  if (!known.includes(symbol))
    throw new PhantomError(
      '42809',
      `operator ${shown} cannot be used in an exclusion constraint by method "${method}"`,
      {
        position,
        hint: `It takes: ${known.join(' ')}.`,
      },
    );
  return symbol;
}
