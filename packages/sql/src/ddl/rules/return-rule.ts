/**
 * CREATE RULE "_RETURN" AS ON SELECT DO INSTEAD SELECT ...: the rule that makes a relation a view, as CREATE VIEW does. An empty table
 * becomes one by it, which is how old dumps write views that refer to each other.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { TableDescriptor, ViewDescriptor } from '@phantom/catalog';
import type { Yielded } from '../../exec/runtime.js';
import { incomingKeys } from '../../storage/table-rules.js';
import type { CreateRule } from '../../text/ast-statements.js';
import type { Query } from '../../text/ast.js';
import type { DdlContext, DdlExecution } from '../context.js';
import { lockForChange } from '../names.js';
import { dependOn, storedQuery } from '../stored-queries.js';
import type { QueryToStore } from '../../plan/stored-query.js';
import { hasRows } from '../validate.js';
import { RETURN_RULE, type RuledRelation, typesDetail } from './rule-names.js';

export function* createReturnRule(context: DdlContext, found: RuledRelation, node: CreateRule): DdlExecution {
  const query = queryOf(node);
  const relation = (yield* lockForChange(context, found)) ?? found;
  const described = context.describeStored(query);
  if (described.parameters > 0) throw new PhantomError('42P02', 'there is no parameter $1');
  checkColumns(context, relation, described);
  if (relation.kind === 'view' && !node.orReplace)
    throw new PhantomError('55000', `"${relation.name}" is already a view`);
  if (node.name.text !== RETURN_RULE)
    throw new PhantomError('42P17', `view rule for "${relation.name}" must be named "${RETURN_RULE}"`);
  if (relation.kind === 'table') yield* checkConvertible(context, relation);
  const stored = storedQuery(context, query, described);
  context.objects.put(relation.kind === 'view' ? { ...relation, ...stored } : { ...viewOf(relation), ...stored });
  dependOn(context, relation.oid, described.uses);
  return undefined;
}

function queryOf({ actions, instead, where }: CreateRule): Query {
  const [action, ...others] = actions;
  if (others.length > 0) throw unsupportedError('a rule on SELECT with several actions');
  if (action?.kind !== 'query' || !instead)
    throw new PhantomError('0A000', 'rules on SELECT must have action INSTEAD SELECT');
  if (action.with?.tables.some(({ statement }) => statement.kind !== 'query') === true)
    throw new PhantomError('0A000', 'rules on SELECT must not contain data-modifying statements in WITH');
  if (where !== undefined) throw unsupportedError('a condition of a rule on SELECT');
  return action;
}

/** 42P17 unless the query gives the relation's columns. */
function checkColumns(context: DdlContext, relation: RuledRelation, { fields }: QueryToStore): void {
  const wrong = (what: string, more: { readonly detail?: string } = {}): PhantomError =>
    new PhantomError('42P17', `SELECT rule's target ${what}`, more);
  const columns = liveColumns(relation);
  fields.forEach(({ name, type }, i) => {
    const column = columns[i];
    if (column === undefined) throw wrong('list has too many entries');
    if (column.name !== name) throw wrong(`entry ${i + 1} has different column name from column "${column.name}"`);
    if (column.type.oid !== type.oid)
      throw wrong(
        `entry ${i + 1} has different type from column "${column.name}"`,
        typesDetail(context, 'SELECT target', type.oid, column.type.oid),
      );
    if (column.type.typmod !== type.typmod && type.typmod !== -1)
      throw wrong(`entry ${i + 1} has different size from column "${column.name}"`);
  });
  if (fields.length < columns.length) throw wrong('list has too few entries');
}

function liveColumns(relation: RuledRelation): ViewDescriptor['columns'] {
  if (relation.kind === 'view') return relation.columns;
  if (relation.columns.some(({ dropped }) => dropped))
    throw new PhantomError('0A000', 'cannot convert relation containing dropped columns to view');
  return relation.columns;
}

/** Refuses a table that is more than its columns, in PostgreSQL's words. */
function* checkConvertible(context: DdlContext, table: TableDescriptor): Generator<Yielded, void, void> {
  const { name } = table;
  if (table.partitioned !== undefined)
    throw new PhantomError('42809', `cannot convert partitioned table "${name}" to a view`);
  if (table.partition !== undefined) throw new PhantomError('42809', `cannot convert partition "${name}" to a view`);
  const refused = (why: string, hint?: string): PhantomError =>
    new PhantomError(
      '55000',
      `could not convert table "${name}" to a view because it ${why}`,
      hint === undefined ? {} : { hint },
    );
  if (yield* hasRows(context, table)) throw refused('is not empty');
  const hasKeys = table.constraints.some(({ kind }) => kind === 'foreign key');
  if (hasKeys || (table.triggerOids?.length ?? 0) > 0 || [...incomingKeys(table, context.objects)].length > 0)
    throw refused('has triggers', 'In particular, the table cannot be involved in any foreign key relationships.');
  if (table.indexOids.length > 0) throw refused('has indexes');
  if (table.heirOids !== undefined) throw refused('has child tables');
  if (table.parentOids !== undefined) throw refused('has parent tables');
  if (table.rowSecurity?.enabled === true) throw refused('has row security enabled');
  if ((table.rowSecurity?.policyOids.length ?? 0) > 0) throw refused('has row security policies');
  if (table.columns.some(({ sequenceOid }) => sequenceOid !== undefined))
    throw unsupportedError('making a table with sequences of its own a view');
}

/** The table's name, number, columns and rights as a view's. */
function viewOf(table: TableDescriptor): Omit<ViewDescriptor, 'querySql' | 'searchPath' | 'names'> {
  const { oid, name, databaseOid, schemaOid, ownerOid, acl, comment, ruleOids, rowTypeOid } = table;
  return {
    kind: 'view',
    oid,
    name,
    databaseOid,
    schemaOid,
    ownerOid,
    ...(acl === undefined ? {} : { acl }),
    ...(comment === undefined ? {} : { comment }),
    ...(ruleOids === undefined ? {} : { ruleOids }),
    columns: table.columns.map((column) => ({
      name: column.name,
      type: column.type,
      ...(column.acl === undefined ? {} : { acl: column.acl }),
      ...(column.comment === undefined ? {} : { comment: column.comment }),
    })),
    rowTypeOid,
  };
}
