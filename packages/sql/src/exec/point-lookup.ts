/**
 * The straight road for `SELECT ... WHERE key = $1`: one function that encodes the key, reads the row and writes the outputs,
 * without generator, batch, or state of an execution. It serves plans that are a read by the whole primary key, or by that of
 * a unique index, under nothing but projections.
 */
import { codeGenerationAllowed } from '@phantom/codec';
import type { ColumnId, Expression } from '../expr/expression.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { PhysicalNode, TableScan } from '../plan/physical/physical.js';
import type { PhysicalPlanner } from '../plan/physical/planner.js';
import type { PointLookup } from '../plan/prepared-plan.js';
import { hasSubquery } from '../plan/rules/facts.js';
import type { Value } from '../types/type.js';
import { closureFunction } from './code/closures.js';
import { ConstantTable, Emitter } from './code/emitter.js';
import { call, literal, not, type FunctionCode, type Local } from './code/ir.js';
import { generateFunction } from './code/javascript.js';
import { filterBy } from './compile/filter.js';
import { PlanToProgram } from './compile/plan-compiler.js';
import { ProgramBuilder } from './compile/program-builder.js';
import { ColumnSource, Row } from './compile/row-scope.js';
import { stepContext, type PlanCompiler, type StepContext, withRow } from './compile/step.js';
import { isOneLayout, slotBytes, tableRow } from './compile/table-scan.js';
import type { ReadSource } from './runtime.js';
import { type KeySlot, type UniqueKey, uniqueKeyOf } from './table-access.js';

/** Executions after which the function is generated. */
const GENERATE_EXECUTIONS_MIN = 3;

/** What the generated function takes for a run. */
interface PointFrame {
  read: ReadSource;
  parameters: readonly Value[];
  evaluation: EvaluationContext;
  readonly outer: readonly Value[];
}

/** The scan at the bottom and the projections above it, from the bottom up. */
function shapeOf(
  node: PhysicalNode,
): { readonly scan: TableScan; readonly projects: (PhysicalNode & { kind: 'project' })[] } | undefined {
  if (node.kind === 'table-scan') {
    const simple = node.unique && node.rowReference === undefined && isOneLayout(node.table);
    return simple ? { scan: node, projects: [] } : undefined;
  }
  if (node.kind !== 'project') return undefined;
  const below = shapeOf(node.input);
  if (below === undefined) return undefined;
  below.projects.push(node);
  return below;
}

/** The straight road, where the plan is of its shape. */
export function compilePointLookup(
  planner: PhysicalPlanner,
  physical: PhysicalNode,
  outputs: readonly ColumnId[],
  backEnd: 'auto' | 'generated' | 'closures',
): PointLookup | undefined {
  const shape = shapeOf(physical);
  if (shape === undefined || shape.scan.range === undefined) return undefined;
  const { scan, projects } = shape;
  const equal = shape.scan.range.equal;
  const all: Expression[] = [
    ...equal,
    ...scan.filter,
    ...projects.flatMap((p) => p.items.map((item) => item.expression)),
  ];
  if (all.some(hasSubquery)) return undefined;
  const constants = new ConstantTable();
  const code = writeLookup(planner, scan, projects, outputs, equal, constants);
  const generates = backEnd !== 'closures' && codeGenerationAllowed();
  let compiled = closureFunction(code, constants.values);
  let executions = backEnd === 'generated' ? GENERATE_EXECUTIONS_MIN - 1 : 0;
  const frame: PointFrame = {
    read: undefined as unknown as ReadSource,
    parameters: [],
    evaluation: undefined as unknown as EvaluationContext,
    outer: [],
  };
  return {
    run(read, parameters, evaluation, into) {
      if (executions < GENERATE_EXECUTIONS_MIN && ++executions === GENERATE_EXECUTIONS_MIN && generates) {
        compiled = generateFunction(code, constants.values);
      }
      frame.read = read;
      frame.parameters = parameters;
      frame.evaluation = evaluation;
      return compiled(frame, into) as boolean;
    },
  };
}

function readPoint(frame: PointFrame, unique: UniqueKey, values: readonly Value[]): boolean {
  return unique.find(frame.read, values);
}

function writeLookup(
  planner: PhysicalPlanner,
  scan: TableScan,
  projects: readonly (PhysicalNode & { kind: 'project' })[],
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
    const projected = projects.reduce((at, node) => projectRow(compiler, at, node), context);
    outputs.forEach((column, i) => emitter.setElement(into, literal(i), projected.expressions.column(column).code));
    emitter.return(literal(true));
  });
  emitter.return(literal(false));
  return emitter.finish('point', [run, into]);
}

function projectRow(
  compiler: PlanCompiler,
  context: StepContext,
  node: PhysicalNode & { kind: 'project' },
): StepContext {
  const row = Row.of(context.row);
  const { expressions } = context;
  for (const item of node.items) {
    row.set(item.column, new ColumnSource(true, () => expressions.value(item.expression).code));
  }
  return withRow(compiler, context, row);
}
