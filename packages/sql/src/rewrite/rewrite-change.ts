/**
 * Rules of rewriting: an INSERT, UPDATE or DELETE of a relation that has rules for it comes to other statements, one after the other.
 * After Stonebraker, Jhingran, Goh and Potamianos, "On Rules, Procedures, Caching and Views in Data Base Systems" (1990), in the form
 * that PostgreSQL has given it ("The Rule System" in its manual): the statement is not run and its rows caught, it is written anew.
 *
 *   rule                    what it comes to
 *   DO ALSO action          the statement, and the action over its rows
 *   DO INSTEAD action       the action alone
 *   WHERE c DO ALSO         the statement, and the action over the rows of which c is true
 *   WHERE c DO INSTEAD      the statement over the rows of which c is not true, and the action over those of which it is
 *   DO INSTEAD NOTHING      nothing
 *
 * An action's rows are those of the statement, bound once more in its FROM (rule-rows.ts), so that it sees what is there when it is
 * its turn. Actions are changes that may have rules themselves.
 *
 * Invariants:
 *   1. Rules apply in the order of their names. An INSERT itself comes before what rules add, an UPDATE and a DELETE after it: the rows
 *      that the actions look for must still be there.
 *   2. A rule of a relation and event is not applied to what it has come to itself: 42P17, since that would have no end.
 *   3. All that a statement comes to is bound in one context: its parameters, rights and dependencies are those of all of it.
 *   4. What an action does is done with the rights of the relation's owner; the statement's own part with those of who runs it.
 */
import { PhantomError } from '@phantom/base';
import type { Oid, RuleDescriptor, StoredQuery } from '@phantom/catalog';
import type { Binder, BoundQuery } from '../expr/binder.js';
import { coerceToBoolean } from '../expr/coercion.js';
import type { Expression } from '../expr/expression.js';
import { Scope, type RangeItem } from '../expr/scope.js';
import { withTables } from '../plan/binder/bind-insert.js';
import { bindReturning } from '../plan/binder/returning.js';
import { rangeItem } from '../plan/binder/range-items.js';
import { targetName } from '../plan/binder/target.js';
import type { LogicalNode } from '../plan/logical/logical.js';
import { parseStatement } from '../text/parse.js';
import type * as Ast from '../text/ast.js';
import { BOOL } from '../types/type-refs.js';
import { type BindableChange, type Change, type ChangeNode, changeIn, withChange } from './change.js';
import {
  type ActionStatement,
  actionContext,
  inCondition,
  isOfValues,
  mentionsRow,
  overRows,
  parseAction,
  withSpreadRows,
} from './rule-action.js';
import { beside, changedRows, rowItems, rowsUnread } from './rule-rows.js';
import { type RuledTarget, ruledTarget } from './ruled-target.js';

/** One of the statements that a change comes to. */
export interface RewrittenStatement {
  readonly bound: BoundQuery;
  readonly command: 'select' | 'insert' | 'update' | 'delete';
  /** What it is there for: the change itself, or a rule of that kind. */
  readonly source: 'original' | 'instead' | 'conditional' | 'also';
  /** Its rows are what the change is to return. */
  readonly returns: boolean;
  /** It is a NOTIFY, whose row is nobody's. */
  readonly isNotify: boolean;
}

/** A relation and event whose rules are being applied. */
interface Applied {
  readonly oid: Oid;
  readonly event: Change['kind'];
}

/**
 * What the change comes to; undefined where no rule has to do with it. Raises the binder's errors for the change as it stands, and
 * for the actions of its rules.
 */
export function rewriteChange(
  binder: Binder,
  node: Change,
  scope: Scope | undefined,
): readonly RewrittenStatement[] | undefined {
  const target = ruledTarget(binder, node, NONE_PASSED);
  if (target === undefined) return undefined;
  const bind: BindableChange['bind'] = (form, itself) =>
    within(binder, itself).bindModification(form, scope, { withoutRules: true });
  const rewritten = new Rewriting(binder).apply({ node, binder, scope, bind }, target, 'original', [], NONE_PASSED);
  if (node.with !== undefined && rewritten.filter(({ isNotify }) => !isNotify).length > 1) {
    throw new PhantomError('0A000', 'WITH cannot be used in a query that is rewritten by rules into multiple queries');
  }
  return rewritten;
}

/** A change as it is when it is stored: its target's rules apply when it runs. */
export function bindUnrewritten(binder: Binder, node: Change | Ast.Merge, scope: Scope | undefined): BoundQuery {
  const relation = node.kind === 'merge' ? undefined : ruledTarget(binder, node, NONE_PASSED)?.relation;
  const itself = relation?.kind === 'view' ? relation.oid : undefined;
  return within(binder, itself).bindModification(node, scope, { withoutRules: true });
}

/** Where a change may come to one statement alone, in the words of the error. */
export interface SinglePlace {
  readonly name: string;
  /** PostgreSQL says `the COPY` of some rules. */
  readonly also: string;
}

const IN_WITH: SinglePlace = {
  name: 'data-modifying statements in WITH',
  also: 'data-modifying statements in WITH',
};

export const COPIED: SinglePlace = { name: 'COPY', also: 'the COPY' };

/** What the change comes to where that may be one statement alone; 0A000 otherwise. */
export function rewrittenAlone(rewritten: readonly RewrittenStatement[], place: SinglePlace = IN_WITH): BoundQuery {
  const [only, ...others] = rewritten;
  const refused = (what: string, shown: string = place.name): PhantomError =>
    new PhantomError('0A000', `${what} rules are not supported for ${shown}`);
  if (only === undefined) throw refused('DO INSTEAD NOTHING');
  if (others.length === 0) {
    if (only.isNotify) throw refused('DO INSTEAD NOTIFY');
    return only.bound;
  }
  for (const { source } of rewritten) {
    if (source === 'conditional') throw refused('conditional DO INSTEAD');
    if (source === 'also') throw refused('DO ALSO', place.also);
  }
  throw refused('multi-statement DO INSTEAD');
}

const NONE_PASSED: ReadonlySet<Oid> = new Set();

const DOING = {
  insert: { refused: 'insert into', noun: 'inserting into' },
  update: { refused: 'update', noun: 'updating' },
  delete: { refused: 'delete from', noun: 'deleting from' },
} as const;

function within(binder: Binder, itself: Oid | undefined): Binder {
  return itself === undefined ? binder : binder.within(binder.context.writing(itself));
}

class Rewriting {
  /** Bound with nothing of what is rewritten: contexts of actions are made of its own. */
  private readonly root: Binder;

  constructor(root: Binder) {
    this.root = root;
  }

  /** A change and what its own rules make of it. */
  private statements(
    change: BindableChange,
    source: RewrittenStatement['source'],
    applied: readonly Applied[],
    passed: ReadonlySet<Oid>,
  ): readonly RewrittenStatement[] {
    const target = ruledTarget(change.binder, change.node, passed);
    if (target !== undefined) return this.apply(change, target, source, applied, passed);
    return [plain(change.bind(change.node, undefined), change.node, source)];
  }

  apply(
    change: BindableChange,
    target: RuledTarget,
    source: RewrittenStatement['source'],
    applied: readonly Applied[],
    passed: ReadonlySet<Oid>,
  ): readonly RewrittenStatement[] {
    const { node } = change;
    const { relation, rules } = target;
    const event = node.kind;
    const itself = relation.kind === 'view' ? relation.oid : undefined;
    const conditions = rules.filter(({ instead, condition }) => instead && condition !== undefined);
    refuseConflict(node, target);
    // What is wrong with the statement itself is told whatever its rules say, and its parameters get their types.
    change.bind(withoutReturning(node), itself);
    const inner = [...applied, { oid: relation.oid, event }];
    const added: RewrittenStatement[] = [];
    let returns = false;
    for (const rule of rules) {
      for (const action of rule.actions) {
        if (applied.some((one) => one.oid === relation.oid && one.event === event)) throw endless(relation.name);
        const kind = rule.instead ? (rule.condition === undefined ? 'instead' : 'conditional') : 'also';
        if (action.kind === 'notify') {
          added.push({ ...this.notify(action), source: kind });
          continue;
        }
        const statement = parseAction(action);
        refuseWrites(node, statement);
        const asked = node.returning !== undefined && statement.kind !== 'query' && statement.returning !== undefined;
        if (asked && returns) throw new PhantomError('0A000', 'cannot have RETURNING lists in multiple rules');
        returns ||= asked;
        for (const one of this.act(change, target, rule, action, statement, asked, kind, inner)) {
          added.push(one.returns ? { ...one, bound: this.returned(change, target, one.bound) } : one);
        }
      }
    }
    const isPassedOn = relation.kind === 'view' && relation.insteadOf?.includes(event) !== true;
    const isReplaced = rules.some(({ instead, condition }) => instead && condition === undefined);
    if (isReplaced) return this.checked(node, relation.name, returns, added);
    if (conditions.length > 0 && isPassedOn) throw conditionalView(relation.name, event);
    if (conditions.length > 0) this.checked(node, relation.name, returns, added);
    const own = isPassedOn
      ? this.statements(change, source, inner, new Set([...passed, relation.oid]))
      : [this.own(change, target, conditions, source)];
    return event === 'insert' ? [...own, ...added] : [...added, ...own];
  }

  /** 0A000 where RETURNING is asked for and no rule gives it. */
  private checked(
    node: Change,
    name: string,
    returns: boolean,
    statements: readonly RewrittenStatement[],
  ): readonly RewrittenStatement[] {
    if (node.returning === undefined || returns) return statements;
    const event = node.kind.toUpperCase();
    throw new PhantomError('0A000', `cannot perform ${event} RETURNING on relation "${name}"`, {
      hint: `You need an unconditional ON ${event} DO INSTEAD rule with a RETURNING clause.`,
    });
  }

  /** The change itself, over the rows that no rule has taken. */
  private own(
    change: BindableChange,
    { relation }: RuledTarget,
    conditions: readonly RuleDescriptor[],
    source: RewrittenStatement['source'],
  ): RewrittenStatement {
    const { node } = change;
    const bound = change.bind(node, relation.kind === 'view' ? relation.oid : undefined);
    if (conditions.length === 0) return plain(bound, node, source);
    const plan = withChange(bound.plan, (made) => {
      const rows = changedRows(this.root.context, made);
      const refused = conditions.map((rule): Expression => {
        const operand = this.condition(rule, rowItems(rule, rows), relation.ownerOid);
        return { kind: 'boolean-test', operand, value: true, negated: true, type: BOOL };
      });
      return { ...made, input: filtered(made.input, refused) };
    });
    return plain({ ...bound, plan }, node, source);
  }

  /** What one action comes to. */
  private act(
    change: BindableChange,
    target: RuledTarget,
    rule: RuleDescriptor,
    action: StoredQuery,
    statement: ActionStatement,
    returns: boolean,
    source: RewrittenStatement['source'],
    applied: readonly Applied[],
  ): readonly RewrittenStatement[] {
    if (statement.kind === 'query') {
      const bound = this.overRows(change, target, rule, action, statement, (binder, query, scope) =>
        binder.bindQuery(query, scope),
      );
      return [{ bound, command: 'select', source, returns: false, isNotify: false }];
    }
    const node: Change = returns ? statement : withoutReturning(statement);
    const binder = this.root.within(actionContext(this.root.context, action, target.relation.ownerOid));
    const bind: BindableChange['bind'] = (form, itself) =>
      this.overRows(change, target, rule, action, form, (bare, changed, scope) =>
        within(bare, itself).bindModification(changed, scope, { withoutRules: true }),
      );
    return this.statements({ node, binder, scope: undefined, bind }, source, applied, NONE_PASSED);
  }

  /** Binds an action over rows of its own. */
  private overRows<T extends ActionStatement>(
    change: BindableChange,
    { relation }: RuledTarget,
    rule: RuleDescriptor,
    action: StoredQuery,
    node: T,
    bind: (binder: Binder, node: T, scope: Scope | undefined) => BoundQuery,
  ): BoundQuery {
    const itself = relation.kind === 'view' ? relation.oid : undefined;
    const { change: made, tables } = changeIn(change.bind(withoutReturning(change.node), itself).plan);
    const all = changedRows(this.root.context, made);
    const rows = this.speaksOfRows(rule, action, made) ? all : rowsUnread(all, made);
    const items = rowItems(rule, rows);
    const conditions = rule.condition === undefined ? [] : [this.condition(rule, items, relation.ownerOid)];
    const plan = filtered(rows.plan, conditions);
    const context = actionContext(this.root.context, action, relation.ownerOid);
    context.ruleRows = { plan, items };
    const binder = this.root.within(context);
    const named = tables.length === 0 ? undefined : (): typeof tables => tables;
    if (!isOfValues(node)) return withTables(bind(binder, overRows(node, plan), undefined), named);
    const scope = new Scope(context, undefined);
    scope.items = items;
    const bound = bind(binder, withSpreadRows(node, items), scope);
    const over =
      node.kind === 'query'
        ? beside(plan, bound.plan)
        : withChange(bound.plan, (one) => ({ ...one, input: beside(plan, one.input) }));
    return withTables({ ...bound, plan: over }, named);
  }

  private speaksOfRows(rule: RuleDescriptor, action: StoredQuery, { kind }: ChangeNode): boolean {
    const texts = rule.condition === undefined ? [action] : [action, rule.condition];
    return texts.some((text) => {
      const node = parseAction(text);
      return mentionsRow(node, 'old') || (kind === 'update' && mentionsRow(node, 'new'));
    });
  }

  /** The rule's condition over its rows. */
  private condition(rule: RuleDescriptor, items: readonly RangeItem[], ownerOid: Oid): Expression {
    const stored = rule.condition as StoredQuery;
    const context = actionContext(this.root.context, stored, ownerOid);
    const { body } = parseAction(stored) as Ast.Query;
    const scope = new Scope(context, undefined);
    scope.items = inCondition(items);
    scope.clause = 'WHERE';
    const where = (body as Ast.Select).where as Ast.Expression;
    return coerceToBoolean(context, this.root.within(context).bind(where, scope), 'WHERE', where.position);
  }

  /** The change's RETURNING over what the rule's gives for the columns of the relation. */
  private returned({ node, binder, scope }: BindableChange, target: RuledTarget, bound: BoundQuery): BoundQuery {
    const { relation, isNamed } = target;
    if (!isNamed) throw this.root.context.unsupported('RETURNING through a view over a relation with rules', undefined);
    const live = (relation.columns as readonly { readonly name: string; readonly dropped?: boolean }[]).filter(
      ({ dropped }) => dropped !== true,
    );
    const columns = bound.fields.map(({ column, type }, i) => ({
      name: live[i]?.name ?? '',
      expression: { kind: 'column', column, type } as const,
      type,
    }));
    const itemOf = (_row: unknown, name: string, columnsVisible: boolean): RangeItem =>
      rangeItem(name, columns, { columnsVisible, rowTypeOid: relation.rowTypeOid });
    return bindReturning(
      binder,
      node.returning,
      bound.plan,
      {
        table: changeIn(bound.plan).change.table,
        target: undefined,
        called: targetName(binder, node.table, relation),
        row: [],
        oldRow: undefined,
        newRow: undefined,
        itemOf,
        onUse: () => undefined,
        tableOid: undefined,
        others: [],
      },
      scope,
    );
  }

  private notify(action: { readonly channel: string; readonly payload: string }): Omit<RewrittenStatement, 'source'> {
    const [channel, payload] = [action.channel, action.payload].map((text) => `'${text.replaceAll("'", "''")}'`);
    const query = parseStatement(`select pg_catalog.pg_notify(${channel}, ${payload})`) as Ast.Query;
    const bound = this.root.bindQuery(query, undefined);
    return { bound, command: 'select', returns: false, isNotify: true };
  }
}

/** As the change itself is bound, but for what it returns. */
function withoutReturning<T extends Change>(node: T): T {
  return { ...node, returning: undefined };
}

function plain(bound: BoundQuery, node: Change, source: RewrittenStatement['source']): RewrittenStatement {
  return { bound, command: node.kind, source, returns: node.returning !== undefined, isNotify: false };
}

function filtered(input: LogicalNode, conditions: readonly Expression[]): LogicalNode {
  return conditions.length === 0 ? input : { kind: 'filter', input, conditions, columns: input.columns };
}

/** 0A000: what WITH changes would be a part of the action's query, where it cannot stand. */
function refuseWrites(node: Change, action: ActionStatement): void {
  const writes = node.with?.tables.some(({ statement }) => statement.kind !== 'query') === true;
  if (!writes || action.kind !== 'insert' || action.source === undefined || isOfValues(action)) return;
  throw new PhantomError(
    '0A000',
    'INSERT...SELECT rule actions are not supported for queries having data-modifying statements in WITH',
  );
}

function endless(name: string): PhantomError {
  return new PhantomError('42P17', `infinite recursion detected in rules for relation "${name}"`);
}

/** What conflicts with a row is not known before it is inserted, so rules cannot be told of it. */
function refuseConflict(node: Change, { rules, hasUpdateRules }: RuledTarget): void {
  if (node.kind !== 'insert' || (node.onConflict ?? node.onDuplicateKey) === undefined) return;
  if (!hasUpdateRules && rules.every(({ actions }) => actions.length === 0)) return;
  throw new PhantomError(
    '0A000',
    'INSERT with ON CONFLICT clause cannot be used with table that has INSERT or UPDATE rules',
  );
}

function conditionalView(name: string, event: Change['kind']): PhantomError {
  const { refused, noun } = DOING[event];
  const word = event.toUpperCase();
  return new PhantomError('55000', `cannot ${refused} view "${name}"`, {
    detail: 'Views with conditional DO INSTEAD rules are not automatically updatable.',
    hint: `To enable ${noun} the view, provide an INSTEAD OF ${word} trigger or an unconditional ON ${word} DO INSTEAD rule.`,
  });
}
