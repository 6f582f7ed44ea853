/**
 * The straight road for `SELECT ... WHERE key = $1`: one function that encodes the key, reads the row, locks it where the query
 * says FOR UPDATE or the like, and writes the outputs, without generator, batch, or state of an execution. It serves plans that
 * are a read by the whole primary key, or by that of a unique index, under nothing but projections.
 */
import { codeGenerationAllowed } from '@phantom/codec';
import type { MvccTransaction } from '@phantom/mvcc';
import type { ColumnId, Expression } from '../expr/expression.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { LockTarget } from '../plan/logical/logical.js';
import type { PhysicalNode, TableScan } from '../plan/physical/physical.js';
import type { PhysicalPlanner } from '../plan/physical/planner.js';
import type { PointLock, PointLookup } from '../plan/prepared-plan.js';
import { callsWaiting, hasSubquery } from '../plan/rules/facts.js';
import type { Value } from '../types/type.js';
import { closureFunction } from './code/closures.js';
import { ConstantTable, Emitter } from './code/emitter.js';
import { call, literal, not, type FunctionCode, type Local } from './code/ir.js';
import { generateFunction } from './code/javascript.js';
import { filterBy } from './compile/filter.js';
import { LOCK_STRENGTHS } from './compile/lock-rows.js';
import { PlanToProgram } from './compile/plan-compiler.js';
import { ProgramBuilder } from './compile/program-builder.js';
import { project } from './compile/project.js';
import { Row } from './compile/row-scope.js';
import { stepContext, type PlanCompiler } from './compile/step.js';
import { isOneLayout, tableRow } from './compile/table-row.js';
import { slotBytes } from './compile/table-scan.js';
import { type ReadSource, StatementRestart } from './runtime.js';
import { type KeySlot, type UniqueKey, uniqueKeyOf } from './row-lookup.js';

/** Executions after which the function is generated. */
const GENERATE_EXECUTIONS_MIN = 3;

/** What the generated function takes for a run. */
interface PointFrame {
  read: ReadSource;
  /** What locks rows, where that is asked for. */
  transaction: MvccTransaction | undefined;
  parameters: readonly Value[];
  evaluation: EvaluationContext;
  readonly outer: readonly Value[];
}

interface Shape {
  readonly scan: TableScan;
  /** From the bottom up. */
  readonly projects: (PhysicalNode & { kind: 'project' })[];
  /** How its row is locked. */
  lock: LockTarget | undefined;
}

/** The scan at the bottom and what is above it. */
function shapeOf(node: PhysicalNode): Shape | undefined {
  if (node.kind === 'table-scan') {
    return node.unique && isOneLayout(node.table) ? { scan: node, projects: [], lock: undefined } : undefined;
  }
  if (node.kind !== 'project' && node.kind !== 'lock-rows') return undefined;
  const below = shapeOf(node.input);
  if (below === undefined) return undefined;
  if (node.kind === 'project') below.projects.push(node);
  else if (node.targets.length === 1 && below.lock === undefined) below.lock = node.targets[0];
  else return undefined;
  return below;
}

/** The straight road, where the plan is of its shape: with or without a lock. */
export function compilePointRead(
  planner: PhysicalPlanner,
  physical: PhysicalNode,
  outputs: readonly ColumnId[],
  backEnd: 'auto' | 'generated' | 'closures',
): { readonly pointLookup: PointLookup | undefined; readonly pointLock: PointLock | undefined } {
  const none = { pointLookup: undefined, pointLock: undefined };
  const shape = shapeOf(physical);
  if (shape === undefined || shape.scan.range === undefined) return none;
  const { scan, projects, lock } = shape;
  if ((scan.rowReference === undefined) !== (lock === undefined)) return none;
  const equal = shape.scan.range.equal;
  const all: Expression[] = [
    ...equal,
    ...scan.filter,
    ...projects.flatMap((p) => p.items.map((item) => item.expression)),
  ];
  if (all.some((expression) => hasSubquery(expression) || callsWaiting(expression))) return none;
  const constants = new ConstantTable();
  const code = writeLookup(planner, shape, outputs, equal, constants);
  const generates = backEnd !== 'closures' && codeGenerationAllowed();
  let compiled = closureFunction(code, constants.values);
  let executions = backEnd === 'generated' ? GENERATE_EXECUTIONS_MIN - 1 : 0;
  const frame: PointFrame = {
    read: undefined as unknown as ReadSource,
    transaction: undefined,
    parameters: [],
    evaluation: undefined as unknown as EvaluationContext,
    outer: [],
  };
  const run: PointLookup['run'] = (read, parameters, evaluation, into) => {
    if (executions < GENERATE_EXECUTIONS_MIN && ++executions === GENERATE_EXECUTIONS_MIN && generates) {
      compiled = generateFunction(code, constants.values);
    }
    frame.read = read;
    frame.parameters = parameters;
    frame.evaluation = evaluation;
    return compiled(frame, into) as boolean;
  };
  if (lock === undefined) return { pointLookup: { run }, pointLock: undefined };
  const runLocking: PointLock['run'] = (transaction, parameters, evaluation, into) => {
    frame.transaction = transaction;
    return run(transaction, parameters, evaluation, into);
  };
  return { pointLookup: undefined, pointLock: { run: runLocking } };
}

function readPoint(frame: PointFrame, unique: UniqueKey, values: readonly Value[]): boolean {
  return unique.find(frame.read, values);
}

/** Locks the row that was found, if that needs no waiting. */
function lockFound({ strength }: LockTarget): (frame: PointFrame, unique: UniqueKey) => void {
  const mode = LOCK_STRENGTHS[strength];
  return (frame, unique) => {
    const transaction = frame.transaction as MvccTransaction;
    const { buffer, start, end } = unique.slot.key;
    const isHeld = transaction.lock(buffer, start, end, mode, 'skip') !== undefined;
    if (isHeld || transaction.changedSinceSnapshot(buffer, start, end)) throw StatementRestart.instance;
  };
}

function writeLookup(
  planner: PhysicalPlanner,
  { scan, projects, lock }: Shape,
  outputs: readonly ColumnId[],
  equal: readonly Expression[],
  constants: ConstantTable,
): FunctionCode {
  const { types } = planner.context.catalog;
  const builder = new ProgramBuilder({ types, constants, isNotNull: () => false }, []);
  const compiler: PlanCompiler = new PlanToProgram(builder, planner, undefined);
  const emitter = new Emitter(constants);
  const [run, into] = emitter.parameters(2) as [Local, Local];
  const state = { checks: [], usesFuel: false };
  const start = stepContext(compiler, emitter, run, new Row(), state);
  const unique = uniqueKeyOf(scan, types);
  const values = emitter.constant(equal.map((): Value => null));
  equal.forEach((expression, i) => emitter.setElement(values, literal(i), start.expressions.value(expression).code));
  const found = call(emitter.constant(readPoint), run, emitter.constant(unique), values);
  emitter.if(not(found), () => emitter.return(literal(false)));
  const slot = emitter.constant(unique.slot satisfies KeySlot);
  const row = tableRow(compiler, emitter, run, scan, slotBytes(emitter, slot, undefined));
  const context = stepContext(compiler, emitter, run, row, state);
  filterBy(context, scan.filter, () => {
    if (lock !== undefined) emitter.evaluate(call(emitter.constant(lockFound(lock)), run, emitter.constant(unique)));
    const projected = projects.reduce((at, node) => project(compiler, at, node), context);
    outputs.forEach((column, i) => emitter.setElement(into, literal(i), projected.expressions.column(column).code));
    emitter.return(literal(true));
  });
  emitter.return(literal(false));
  return emitter.finish('point', [run, into]);
}
