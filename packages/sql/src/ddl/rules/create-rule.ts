/** CREATE RULE: the condition and the actions are kept as texts, and rewrite statements when these are planned (src/rewrite). */
import { PhantomError, unsupportedError } from '@phantom/base';
import { NameClass, type RuleAction, type RuleDescriptor, type StoredQuery } from '@phantom/catalog';
import type { QueryToStore } from '../../plan/stored-query.js';
import { type ActionStatement, mentionsRow } from '../../rewrite/rule-action.js';
import { rowColumnsOf } from '../../rewrite/stored-rule.js';
import type { CreateRule, Statement } from '../../text/ast-statements.js';
import { deparseQuery, deparseStatement } from '../../text/deparse.js';
import { parseStatement } from '../../text/parse.js';
import type { Query, Select } from '../../text/ast.js';
import type { DdlContext, DdlExecution } from '../context.js';
import { claimName, lockForChange } from '../names.js';
import { dependOn } from '../stored-queries.js';
import { RETURN_RULE, type RuledRelation, putRules, ruledRelation, typesDetail } from './rule-names.js';
import { createReturnRule } from './return-rule.js';

type RuleEvent = RuleDescriptor['event'];
type Uses = QueryToStore['uses'][number];

export function* createRule(context: DdlContext, node: CreateRule): DdlExecution {
  const found = ruledRelation(context, node.table);
  const { event } = node;
  if (event === 'select') return yield* createReturnRule(context, found, node);
  const name = node.name.text;
  if (name === RETURN_RULE)
    throw new PhantomError('42P17', `non-view rule for "${found.name}" must not be named "${RETURN_RULE}"`);
  const relation = (yield* lockForChange(context, found)) ?? found;
  const existing = yield* claimName(context, NameClass.Rule, relation.oid, name);
  const before = existing?.kind === 'rule' ? existing : undefined;
  const uses: Uses[] = [];
  const condition = conditionOf(context, relation, event, node, uses);
  const actions = node.actions.map((action) => actionOf(context, relation, event, node, action, uses));
  if (actions.filter((action) => action.returns).length > 1)
    throw new PhantomError('0A000', 'cannot have multiple RETURNING lists in a rule');
  if (before !== undefined && !node.orReplace)
    throw new PhantomError('42710', `rule "${name}" for relation "${relation.name}" already exists`);
  const rule: RuleDescriptor = {
    kind: 'rule',
    oid: before?.oid ?? context.catalog.allocateOid(),
    name,
    databaseOid: context.databaseOid,
    tableOid: relation.oid,
    event,
    instead: node.instead,
    ...(condition === undefined ? {} : { condition }),
    actions: actions.map(({ action }) => action),
    rowColumns: rowColumnsOf(relation),
    firing: before?.firing ?? 'origin',
    ...(before?.comment === undefined ? {} : { comment: before.comment }),
  };
  context.objects.put(rule);
  dependOn(context, rule.oid, uses);
  context.objects.addDependency({
    dependentOid: rule.oid,
    dependentColumn: 0,
    referencedOid: relation.oid,
    referencedColumn: 0,
    strength: 'automatic',
  });
  const others = (relation.ruleOids ?? []).filter((oid) => oid !== rule.oid);
  putRules(context, relation, [...others, rule.oid]);
  return undefined;
}

function conditionOf(
  context: DdlContext,
  relation: RuledRelation,
  event: RuleEvent,
  { where }: CreateRule,
  uses: Uses[],
): StoredQuery | undefined {
  if (where === undefined) return undefined;
  const bare = parseStatement('select') as Query;
  const querySql = deparseQuery({ ...bare, body: { ...(bare.body as Select), where } });
  const described = describe(context, { condition: where }, relation, event, uses);
  return stored(context, querySql, described);
}

interface KeptAction {
  readonly action: RuleAction;
  readonly returns: boolean;
}

function actionOf(
  context: DdlContext,
  relation: RuledRelation,
  event: RuleEvent,
  rule: CreateRule,
  node: Statement,
  uses: Uses[],
): KeptAction {
  const isConditional = rule.where !== undefined;
  if (node.kind === 'notify') {
    if (isConditional) throw onlyConditional();
    const action = { kind: 'notify', channel: node.channel?.text ?? '', payload: node.payload?.value ?? '' } as const;
    return { action, returns: false };
  }
  const statement = node as ActionStatement;
  refuseRows(event, statement);
  refuseInWith(statement);
  const set = statement.kind === 'query' ? statement : statement.kind === 'insert' ? statement.source : undefined;
  if (isConditional && set?.body.kind === 'set-operation')
    throw unsupportedError('a conditional UNION/INTERSECT/EXCEPT statement');
  const described = describe(context, { action: statement }, relation, event, uses);
  const returns = statement.kind !== 'query' && statement.returning !== undefined;
  if (returns) checkReturning(context, relation, rule, described);
  const query = stored(context, deparseStatement(statement), described);
  return { action: { kind: 'statement', ...query }, returns };
}

function onlyConditional(): PhantomError {
  const message = 'rules with WHERE conditions can only have SELECT, INSERT, UPDATE, or DELETE actions';
  return new PhantomError('42P17', message);
}

function describe(
  context: DdlContext,
  part: Parameters<DdlContext['describeRule']>[0],
  relation: RuledRelation,
  event: RuleEvent,
  uses: Uses[],
): QueryToStore {
  const described = context.describeRule(part, { relation, event });
  if (described.parameters > 0) throw new PhantomError('42P02', 'there is no parameter $1');
  uses.push(...described.uses);
  return described;
}

function stored({ picture }: DdlContext, querySql: string, { names }: QueryToStore): StoredQuery {
  return { querySql, searchPath: picture.searchPath, names };
}

/** 42P17 for a row that there is none of. */
function refuseRows(event: RuleEvent, node: unknown): void {
  if (event === 'insert' && mentionsRow(node, 'old')) throw new PhantomError('42P17', 'ON INSERT rule cannot use OLD');
  if (event === 'delete' && mentionsRow(node, 'new')) throw new PhantomError('42P17', 'ON DELETE rule cannot use NEW');
}

function refuseInWith(node: ActionStatement): void {
  for (const row of ['old', 'new'] as const) {
    if (mentionsRow(node.with, row))
      throw new PhantomError('0A000', `cannot refer to ${row.toUpperCase()} within WITH query`);
  }
}

/** RETURNING stands for the relation's columns, so it has to give them. */
function checkReturning(
  context: DdlContext,
  relation: RuledRelation,
  rule: CreateRule,
  { fields }: QueryToStore,
): void {
  if (rule.where !== undefined)
    throw new PhantomError('0A000', 'RETURNING lists are not supported in conditional rules');
  if (!rule.instead) throw new PhantomError('0A000', 'RETURNING lists are not supported in non-INSTEAD rules');
  const columns = relation.kind === 'view' ? relation.columns : relation.columns.filter(({ dropped }) => !dropped);
  fields.forEach(({ type }, i) => {
    const column = columns[i];
    if (column === undefined) throw new PhantomError('42P17', 'RETURNING list has too many entries');
    if (column.type.oid !== type.oid)
      throw new PhantomError(
        '42P17',
        `RETURNING list's entry ${i + 1} has different type from column "${column.name}"`,
        typesDetail(context, 'RETURNING list', type.oid, column.type.oid),
      );
    if (column.type.typmod !== type.typmod && type.typmod !== -1)
      throw new PhantomError(
        '42P17',
        `RETURNING list's entry ${i + 1} has different size from column "${column.name}"`,
      );
  });
  if (fields.length < columns.length) throw new PhantomError('42P17', 'RETURNING list has too few entries');
}
