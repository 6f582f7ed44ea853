/**
 * A statement's way from syntax tree to PreparedPlan: bind, rewrite, choose, and compile when it is first executed.
 *
 *   AST --binder--> logical plan --rules--> logical plan --planner--> physical plan --compiler--> program
 */
import { codeGenerationAllowed } from '@phantom/codec';
import { PhantomError } from '@phantom/base';
import type { Oid, StoredName, TableDescriptor } from '@phantom/catalog';
import { BindContext } from '../expr/context.js';
import { TypeOid } from '../types/type-oids.js';
import { INT8, typeRef } from '../types/type-refs.js';
import type { BoundQuery } from '../expr/binder.js';
import { constant } from '../expr/expression.js';
import { CompiledPartitions, CompiledStatement, type CompileOptions } from '../exec/compiled-statement.js';
import { PlanMeasure } from '../exec/plan-measure.js';
import { compilePointRead } from '../exec/point-lookup.js';
import { compilePointWrite, writesOneRow } from '../exec/point-write.js';
import { rewriteChange } from '../rewrite/rewrite-change.js';
import type { Statement } from '../text/ast-statements.js';
import type * as Ast from '../text/ast.js';
import { StatementBinder } from './binder/statement-binder.js';
import { fitResult } from './binder/fit-result.js';
import type { CatalogPort } from './catalog-port.js';
import { directCallOf } from './direct-call.js';
import { explainPlan } from './explain.js';
import type { LogicalNode } from './logical/logical.js';
import { forEachNodeExpression, inputsOf } from './logical/walk.js';
import { forEachSubplan } from './logical/subplans.js';
import type { PhysicalNode } from './physical/physical.js';
import { inputsOfPhysical } from './physical/walk.js';
import { gatherOf, withPartialAggregation } from './physical/partial-aggregation.js';
import { PhysicalPlanner } from './physical/planner.js';
import type { CommandKind, PartitionedPlan, PlanField, PlanTraits, PreparedPlan } from './prepared-plan.js';
import { type RoutineBinding, withRelations } from './routine-binding.js';
import type { ModificationTarget } from '../storage/triggers/statement-triggers.js';
import { asksHere, callsAsking, callsWaiting, isVolatile, isWaiting } from './rules/facts.js';
import { rewrite } from './rules/rules.js';
import { rewrittenPlan } from './rewritten-plan.js';
import { sqlReader } from './sql-reader.js';

/** Columns of a result: PostgreSQL's limit; the protocol counts them in 16 bits. */
const FIELDS_MAX = 1664;
/** Rows from which on it pays to put index entries in order first. */
const MANY_ROWS_MIN = 100;

/** Which back end runs the plan; `auto` generates code once a plan has earned it. */
export type BackEnd = 'auto' | 'generated' | 'closures';

export interface PlanOptions {
  /** Types the client declared for $1, $2, ...; 0 where it left them open. */
  readonly declaredTypes?: readonly Oid[];
  /** The statement's text, for positions of errors. */
  readonly text?: string;
  readonly backEnd?: BackEnd;
  /** The statement is a stored query: what its names mean, and whose rights count. */
  readonly stored?: { readonly names: readonly StoredName[]; readonly ownerOid: Oid };
  /** The statement is one of a routine's body. */
  readonly routine?: RoutineBinding | undefined;
  /** The rules (CREATE RULE) of what the statement changes do not apply: COPY. */
  readonly ignoresRules?: boolean;
  /** Names of rules of the planner to leave out, and of ways of execution to pass over. */
  readonly withoutRules?: ReadonlySet<string>;
}

type Plannable = Ast.Query | Ast.Insert | Ast.Update | Ast.Delete | Ast.Merge;

const COMMANDS: Readonly<Record<Plannable['kind'], CommandKind>> = {
  query: 'select',
  insert: 'insert',
  update: 'update',
  delete: 'delete',
  merge: 'merge',
};

/** Plans a query or a modification; raises the binder's errors. */
export function planStatement(statement: Statement, catalog: CatalogPort, options: PlanOptions = {}): PreparedPlan {
  switch (statement.kind) {
    case 'query':
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return plan(statement, catalog, options);
    default:
      throw new PhantomError('0A000', `${statement.kind} has no plan`);
  }
}

/** A binder for a statement, by what the options say of its names and parameters. */
export function binderFor(catalog: CatalogPort, options: PlanOptions): StatementBinder {
  const { routine } = options;
  const picture = withRelations(catalog, routine?.relations);
  const context = new BindContext({
    catalog: routine?.stored === undefined ? picture : picture.withSearchPath(routine.stored.searchPath),
    text: options.text ?? '',
    parameterTypes: (options.declaredTypes ?? []).map((oid) => typeRef(oid === 0 ? TypeOid.unknown : oid)),
    parameterNames: routine?.names,
  });
  if (routine?.stored?.names !== undefined) context.storedNames = namesByText(routine.stored.names);
  if (options.stored !== undefined) {
    context.storedNames = namesByText(options.stored.names);
    context.viewOwnerOid = options.stored.ownerOid;
  }
  return new StatementBinder(context, sqlReader);
}

function plan(statement: Plannable, catalog: CatalogPort, options: PlanOptions): PreparedPlan {
  const { routine } = options;
  const binder = binderFor(catalog, options);
  const { context } = binder;
  const hasRules = statement.kind !== 'query' && statement.kind !== 'merge' && options.ignoresRules !== true;
  const rewritten = hasRules ? rewriteChange(binder, statement, undefined) : undefined;
  if (rewritten !== undefined) {
    return rewrittenPlan(context, rewritten, COMMANDS[statement.kind], catalog, routine?.wanted, (bound, commandKind) =>
      preparedPlan(context, bound, commandKind, catalog, options),
    );
  }
  const plain =
    statement.kind === 'query'
      ? binder.bindQuery(statement, undefined)
      : binder.bindModification(statement, undefined, { withoutRules: true });
  const fitted = routine?.wanted === undefined ? plain : fitResult(context, plain, routine.wanted);
  const bound = routine?.wanted?.firstOnly === true && statement.kind === 'query' ? firstRow(fitted) : fitted;
  return preparedPlan(context, bound, COMMANDS[statement.kind], catalog, options);
}

/** A bound query or modification made ready to run. */
export function preparedPlan(
  context: BindContext,
  bound: BoundQuery,
  commandKind: CommandKind,
  catalog: CatalogPort,
  options: PlanOptions,
): PreparedPlan {
  const modifies = commandKind !== 'select';
  const parameterTypes = context.decidedParameters();
  const logical = rewrite(bound.plan, context, options.withoutRules);
  const planner = new PhysicalPlanner(context, { without: options.withoutRules ?? catalog.switchedOff });
  const whole = planner.plan(logical);
  const traits = traitsOf(logical, whole);
  const { writes, locks, volatile, local } = traits;
  const physical = writes || locks || volatile || local ? whole : withPartialAggregation(planner, whole);
  const fields = fieldsOf(bound);
  const outputs = bound.fields.map((field) => field.column);
  const compileOptions: CompileOptions = {
    planner,
    physical,
    outputs,
    parameterCount: parameterTypes.length,
    modifies,
    backEnd: codeGenerationAllowed() ? (options.backEnd ?? 'auto') : 'closures',
  };
  const compiled = new CompiledStatement(compileOptions);
  const prepared: PreparedPlan = {
    commandKind,
    parameterTypes,
    fields,
    catalogVersion: catalog.version,
    schemaVersion: catalog.schemaVersion,
    statisticsVersion: catalog.statisticsVersion,
    securityKey: context.security.key,
    dependencies: [...context.dependencies.values()],
    privileges: context.privileges(),
    traits,
    targets: targetsOf(logical),
    readsAhead: modifies && writesOneRow(physical),
    insertsMany: modifies && insertsMany(physical),
    directCall: modifies ? undefined : directCallOf(logical, context),
    ...compilePointRead(planner, physical, outputs, options.backEnd ?? 'auto'),
    pointWrite: modifies ? compilePointWrite(planner, physical, options.backEnd ?? 'auto') : undefined,
    partitioned: partitionedPlan(compileOptions),
    isMeasured: false,
    execute: (executionContext, sink) => compiled.execute(executionContext, sink),
    explain: (explainOptions) => explainPlan(planner, physical, explainOptions),
    measured: (countsReads) => {
      const measure = new PlanMeasure(countsReads);
      const once = new CompiledStatement({ ...compileOptions, measure });
      const plan: PreparedPlan = {
        ...prepared,
        pointLookup: undefined,
        pointLock: undefined,
        pointWrite: undefined,
        directCall: undefined,
        isMeasured: true,
        execute: (executionContext, sink) => once.execute(executionContext, sink),
      };
      return { plan, measure };
    },
  };
  return prepared;
}

function partitionedPlan(options: CompileOptions): PartitionedPlan | undefined {
  const { planner, physical } = options;
  const gather = gatherOf(physical);
  if (gather === undefined) return undefined;
  const compiled = new CompiledPartitions(options, gather);
  const types = gather.columns.map((column) => planner.context.pool.get(column).type);
  return {
    types,
    get shape() {
      const names = gather.columns.map((column) => planner.context.pool.get(column).name);
      return [...explainPlan(planner, gather, { costs: false }), ...names].join('\n');
    },
    execute: (context, partitions, claim, send, isMeasured) =>
      compiled.execute(context, partitions, claim, send, isMeasured),
  };
}

function firstRow({ plan: input, fields }: BoundQuery): BoundQuery {
  const count = constant(1, INT8);
  return {
    plan: { kind: 'limit', input, count, offset: undefined, ties: undefined, columns: input.columns },
    fields,
  };
}

function namesByText(names: readonly StoredName[]): ReadonlyMap<string, StoredName> {
  return new Map(names.map((entry) => [entry.name, entry]));
}

function fieldsOf(bound: BoundQuery): PlanField[] {
  if (bound.fields.length > FIELDS_MAX)
    throw new PhantomError('54011', `target lists can have at most ${FIELDS_MAX} entries`);
  return bound.fields.map((field) => ({
    name: field.name,
    type: field.type,
    tableOid: field.tableOid,
    column: field.columnNumber,
  }));
}

type Fact = 'writes' | 'locks' | 'volatile' | 'local';

/** What the session must know before it runs the plan. */
function traitsOf(logical: LogicalNode, physical: PhysicalNode): PlanTraits {
  const facts = { writes: false, locks: false, volatile: false, local: false };
  inspect(logical, facts);
  return { ...facts, cost: physical.estimate.total, rows: physical.estimate.rows };
}

function inspect(node: LogicalNode, facts: { -readonly [K in Fact]: boolean }): void {
  switch (node.kind) {
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      facts.writes = true;
      break;
    case 'lock-rows':
      facts.locks = true;
      break;
    case 'scan':
      if (node.table.engine === 'memory' || node.table.collection !== undefined) facts.local = true;
      break;
    case 'virtual-scan':
      facts.local = true;
      break;
    case 'project-set':
    case 'function-scan':
      for (const item of node.calls) {
        if (!('function' in item)) continue;
        if (item.function.volatility === 'volatile') facts.volatile = true;
        if (isWaiting(item.function)) facts.locks = true;
        if (asksHere(item.function)) facts.local = true;
      }
      break;
    case 'aggregate':
    case 'window':
      if (node.calls.some((call) => isWaiting(call.function))) facts.locks = true;
      break;
    default:
      break;
  }
  forEachNodeExpression(node, (expression) => {
    if (isVolatile(expression)) facts.volatile = true;
    if (callsWaiting(expression)) facts.locks = true;
    if (callsAsking(expression)) facts.local = true;
    forEachSubplan(expression, (subplan) => inspect(subplan, facts));
  });
  for (const input of inputsOf(node)) inspect(input, facts);
}

/** True for an INSERT of what seems to be many rows, where that is all the plan writes. */
function insertsMany(physical: PhysicalNode): boolean {
  let node = physical;
  while (node.kind === 'project') node = node.input;
  if (node.kind !== 'insert' || node.conflict !== undefined) return false;
  return node.input.estimate.rows >= MANY_ROWS_MIN && !writesAnything(node.input);
}

function writesAnything(node: PhysicalNode): boolean {
  switch (node.kind) {
    case 'insert':
    case 'update':
    case 'delete':
    case 'merge':
      return true;
    default:
      return inputsOfPhysical(node).some(writesAnything);
  }
}

/** The tables with triggers that a plan writes to: those of WITH first. */
function targetsOf(node: LogicalNode): ModificationTarget[] {
  const targets = inputsOf(node).flatMap(targetsOf);
  const add = (table: TableDescriptor, event: ModificationTarget['event'], assigned: readonly number[] = []): void => {
    if (table.triggerOids === undefined || table.triggerOids.length === 0) return;
    const same = targets.findIndex((target) => target.table.oid === table.oid && target.event === event);
    const before = same < 0 ? [] : (targets[same] as ModificationTarget).assigned;
    const target = { table, event, assigned: [...new Set([...before, ...assigned])] };
    if (same < 0) targets.push(target);
    else targets[same] = target;
  };
  switch (node.kind) {
    case 'insert':
      add(node.table, 'insert');
      if (node.conflict?.action === 'update') add(node.table, 'update', node.conflict.assigned);
      break;
    case 'update':
      add(node.table, 'update', node.assigned);
      break;
    case 'delete':
      add(node.table, 'delete');
      break;
    case 'merge':
      // Whatever the order of its clauses.
      for (const event of ['insert', 'update', 'delete'] as const) {
        for (const { action, assigned } of node.actions) if (action === event) add(node.table, event, assigned);
      }
      break;
    default:
      break;
  }
  return targets;
}
