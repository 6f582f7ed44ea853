/** CREATE TABLE (LIKE other INCLUDING ...): copies of another table's columns and, if asked for, of what hangs on them. */
import { PhantomError } from '@phantom/base';
import {
  type ColumnDescriptor,
  type IndexDescriptor,
  type Oid,
  type StatisticsDescriptor,
  type TableDescriptor,
  hasPrivilege,
} from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type { Name } from '../text/ast-leaves.js';
import { parseExpression } from '../text/parse.js';
import type { LikeClause, LikeOption, SequenceOption, TableConstraint } from '../text/ast-schema.js';
import type { DdlContext } from './context.js';
import { exclusionNodeLike } from './exclusion-constraints.js';
import { mergeDeclared } from './inheritance/inherited-parts.js';
import { ownSequence } from './create-table-sequence.js';
import { type KeyConstraint, keyNodeLike } from './key-constraints.js';
import type { ExclusionConstraint } from '../storage/exclusion-rule.js';
import { addIndex, indexName } from './put-index.js';
import { relationNamed } from './names.js';
import { freeName, putStatistics, statisticsOf } from './statistics-objects.js';

/** What is copied once the table is there. */
export interface CopiedParts {
  readonly indexes: {
    readonly index: IndexDescriptor;
    readonly columns: ReadonlyMap<number, number>;
    readonly comment: boolean;
  }[];
  readonly statistics: {
    readonly statistics: StatisticsDescriptor;
    readonly columns: ReadonlyMap<number, number>;
    readonly comment: boolean;
  }[];
  /** Comments of the indexes of keys, which the new table's constraints make. */
  readonly keyComments: { readonly kind: 'primary key' | 'unique'; readonly columns: string; readonly text: string }[];
  /** Comments of constraints by their names. */
  readonly comments: Map<string, string>;
}

/** A table with the columns of another one. */
interface LikeColumns {
  readonly table: TableDescriptor;
  /** Columns of the definition, up to these. */
  readonly written: number;
}

/**
 * The table with the other one's columns behind its own, or merged with those that it inherits; constraints that are included are
 * appended to `constraints`. `written`: columns of the definition before.
 */
export function* likeColumns(
  context: DdlContext,
  table: TableDescriptor,
  node: LikeClause,
  constraints: TableConstraint[],
  copied: CopiedParts,
  written: number,
): Generator<Yielded, LikeColumns, void> {
  const source = relationNamed(context, node.table);
  const included = (what: LikeOption): boolean => {
    const decisive = node.options.filter((option) => option.what === what || option.what === 'all').at(-1);
    return decisive?.include === true;
  };
  if (source.kind !== 'table' && source.kind !== 'view') {
    throw new PhantomError('42809', `relation "${source.name}" is invalid in LIKE clause`, {
      detail: `This operation is not supported for ${source.kind === 'index' ? 'indexes' : `${source.kind}s`}.`,
    });
  }
  if (!hasPrivilege(context.objects, context.roleOid, source, 'r'))
    throw new PhantomError('42501', `permission denied for ${source.kind} ${source.name}`);
  const columns: ColumnDescriptor[] = [...table.columns];
  const numbers = new Map<number, number>();
  const wanted: readonly ColumnDescriptor[] =
    source.kind === 'table'
      ? source.columns.filter((column) => !column.dropped)
      : source.columns.map((column, i) => ({
          number: i + 1,
          name: column.name,
          type: column.type,
          notNull: false,
          dropped: false,
          sinceVersion: 1,
        }));
  let place = written;
  for (const column of wanted) {
    place++;
    const at = columns.findIndex(({ name }) => name === column.name);
    const inherited = columns[at];
    if (inherited !== undefined && inherited.isLocal === undefined) {
      throw new PhantomError('42701', `column "${column.name}" specified more than once`);
    }
    const keepsValue = column.generated === undefined ? included('defaults') : included('generated');
    let copy: ColumnDescriptor = {
      number: inherited?.number ?? (columns.at(-1)?.number ?? 0) + 1,
      name: column.name,
      type: column.type,
      notNull: column.notNull,
      dropped: false,
      sinceVersion: table.layoutVersion,
      ...(keepsValue && column.defaultSql !== undefined ? { defaultSql: column.defaultSql } : {}),
      ...(keepsValue && column.generated !== undefined ? { generated: column.generated } : {}),
      ...(included('storage') && column.storage !== undefined ? { storage: column.storage } : {}),
      ...(included('compression') && column.compression !== undefined ? { compression: column.compression } : {}),
      ...(included('comments') && column.comment !== undefined ? { comment: column.comment } : {}),
    };
    if (column.identity !== undefined && included('identity')) {
      const options = sequenceOptions(context, column.sequenceOid as Oid);
      copy = yield* ownSequence(context, { ...table, columns }, copy, undefined, options, column.identity);
    }
    numbers.set(column.number, copy.number);
    if (inherited === undefined) columns.push(copy);
    else columns[at] = mergeDeclared(context, inherited, copy, false, place);
  }
  if (source.kind === 'table') {
    if (included('constraints')) copyChecks(source, node, constraints);
    if (included('indexes')) copyIndexes(context, source, node, numbers, constraints, copied, included('comments'));
    if (included('statistics')) {
      for (const statistics of statisticsOf(context, source))
        copied.statistics.push({ statistics, columns: numbers, comment: included('comments') });
    }
    if (included('comments')) {
      for (const constraint of source.constraints)
        if (constraint.comment !== undefined) copied.comments.set(constraint.name, constraint.comment);
    }
  }
  return { table: { ...table, columns }, written: place };
}

function sequenceOptions(context: DdlContext, oid: Oid): SequenceOption[] {
  const sequence = context.objects.object(oid);
  if (sequence?.kind !== 'sequence') return [];
  return [
    { kind: 'increment', value: sequence.increment, position: 0 },
    { kind: 'min', value: sequence.minimum, position: 0 },
    { kind: 'max', value: sequence.maximum, position: 0 },
    { kind: 'start', value: sequence.start, position: 0 },
    { kind: 'cache', value: String(sequence.cache), position: 0 },
    { kind: 'cycle', value: sequence.cycle, position: 0 },
  ];
}

function copyChecks(source: TableDescriptor, node: LikeClause, constraints: TableConstraint[]): void {
  for (const constraint of source.constraints) {
    if (constraint.kind !== 'check') continue;
    constraints.push({
      kind: 'check',
      name: { text: constraint.name, position: node.position, quoted: true },
      condition: parseExpression(constraint.expressionSql),
      noInherit: constraint.noInherit === true,
      notValid: false,
      enforced: true,
      position: node.position,
    });
  }
}

/** Keys become constraints of the new table, with names of their own; other indexes are made when it is there. */
function copyIndexes(
  context: DdlContext,
  source: TableDescriptor,
  node: LikeClause,
  columns: ReadonlyMap<number, number>,
  constraints: TableConstraint[],
  copied: CopiedParts,
  comments: boolean,
): void {
  const nameOf = (number: number): Name => {
    const column = source.columns.find((candidate) => candidate.number === number) as ColumnDescriptor;
    return { text: column.name, position: node.position, quoted: true };
  };
  for (const oid of source.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind !== 'index') continue;
    const key = source.constraints.find(
      (constraint): constraint is KeyConstraint | ExclusionConstraint =>
        'indexOid' in constraint && constraint.indexOid === oid,
    );
    if (key?.kind === 'exclusion') {
      constraints.push(exclusionNodeLike(key, index, nameOf, node.position));
      continue;
    }
    if (key === undefined) {
      copied.indexes.push({ index, columns, comment: comments });
      continue;
    }
    if (comments && index.comment !== undefined) {
      const numbers = key.columns.map((number) => columns.get(number) as number);
      copied.keyComments.push({ kind: key.kind, columns: numbers.join(), text: index.comment });
    }
    constraints.push(keyNodeLike(key, index, nameOf, node.position));
  }
}

/** Makes the copied indexes on the new table and puts the copied comments. */
export function* copyParts(context: DdlContext, tableOid: Oid, copied: CopiedParts): Generator<Yielded, void, void> {
  for (const { index, columns, comment } of copied.indexes) {
    const table = context.objects.object(tableOid) as TableDescriptor;
    const renumbered = (number: number): number => columns.get(number) as number;
    const parts = index.parts.map((part) =>
      part.column === undefined ? part : { ...part, column: renumbered(part.column) },
    );
    const include = index.include.map(renumbered);
    const nameOf = (number: number | undefined): string =>
      table.columns.find((column) => column.number === number)?.name ?? 'expr';
    const { comment: text, acl: _acl, ...rest } = index;
    yield* addIndex(context, table, {
      ...rest,
      oid: context.catalog.allocateOid(),
      name: indexName(context, table, [...parts.map(({ column }) => nameOf(column)), ...include.map(nameOf)]),
      databaseOid: table.databaseOid,
      schemaOid: table.schemaOid,
      ownerOid: table.ownerOid,
      tableOid,
      space: context.storage.allocateSpace(table.engine),
      parts,
      include,
      ...(comment && text !== undefined ? { comment: text } : {}),
    });
  }
  putKeyComments(context, tableOid, copied);
  for (const { statistics, columns, comment } of copied.statistics) {
    const table = context.objects.object(tableOid) as TableDescriptor;
    const numbers = statistics.columns.map((number) => columns.get(number) as number).sort((a, b) => a - b);
    putStatistics(context, table, {
      name: freeName(context, table, numbers),
      schemaOid: table.schemaOid,
      columns: numbers,
      gathers: statistics.gathers,
      ...(comment && statistics.comment !== undefined ? { comment: statistics.comment } : {}),
    });
  }
  if (copied.comments.size === 0) return;
  const table = context.objects.object(tableOid) as TableDescriptor;
  const constraints = table.constraints.map((constraint) => {
    const text = copied.comments.get(constraint.name);
    return text === undefined ? constraint : { ...constraint, comment: text };
  });
  context.objects.put({ ...table, constraints, schemaVersion: table.schemaVersion + 1 });
}

function putKeyComments(context: DdlContext, tableOid: Oid, { keyComments }: CopiedParts): void {
  const { constraints } = context.objects.object(tableOid) as TableDescriptor;
  for (const { kind, columns, text } of keyComments) {
    const key = constraints.find((constraint) => constraint.kind === kind && constraint.columns.join() === columns);
    const index = key !== undefined && 'indexOid' in key ? context.objects.object(key.indexOid) : undefined;
    if (index?.kind === 'index') context.objects.put({ ...index, comment: text });
  }
}
