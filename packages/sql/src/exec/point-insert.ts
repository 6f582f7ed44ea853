/**
 * The straight road for `INSERT ... VALUES (one row)`: one function that computes the row, handed to the table's writer,
 * without generator, batch, or state of an execution.
 */
import { codeGenerationAllowed } from '@phantom/codec';
import type { ColumnId, Expression } from '../expr/expression.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { InsertNode, PhysicalNode } from '../plan/physical/physical.js';
import type { PhysicalPlanner } from '../plan/physical/planner.js';
import type { PointWrite } from '../plan/prepared-plan.js';
import { hasSubquery } from '../plan/rules/facts.js';
import type { Value } from '../types/type.js';
import { closureFunction } from './code/closures.js';
import { ConstantTable, Emitter } from './code/emitter.js';
import { type FunctionCode, type Local, literal } from './code/ir.js';
import { generateFunction } from './code/javascript.js';
import { PlanToProgram } from './compile/plan-compiler.js';
import { ProgramBuilder } from './compile/program-builder.js';
import { ColumnSource, Row } from './compile/row-scope.js';
import { type PlanCompiler, stepContext, withRow } from './compile/step.js';
import { StatementRestart } from './runtime.js';

/** Executions after which the function is generated. */
const GENERATE_EXECUTIONS_MIN = 3;

/** What the generated function takes for a run. */
interface InsertFrame {
  parameters: readonly Value[];
  evaluation: EvaluationContext;
  readonly outer: readonly Value[];
}

type Project = PhysicalNode & { kind: 'project' };

interface Shape {
  readonly columns: readonly ColumnId[];
  readonly row: readonly Expression[];
  /** Projections above the row, from the bottom up. */
  readonly projects: readonly Project[];
}

/** One written-out row, and the projections above it. */
function shapeOf(node: PhysicalNode): Shape | undefined {
  if (node.kind === 'values') {
    const [row] = node.rows;
    return row !== undefined && node.rows.length === 1 ? { columns: node.columns, row, projects: [] } : undefined;
  }
  if (node.kind !== 'project') return undefined;
  const below = shapeOf(node.input);
  return below === undefined ? undefined : { ...below, projects: [...below.projects, node] };
}

/** The straight road, where the plan is an insert of one row that returns nothing and arbitrates nothing. */
export function compilePointInsert(
  planner: PhysicalPlanner,
  physical: PhysicalNode,
  outputs: readonly ColumnId[],
  backEnd: 'auto' | 'generated' | 'closures',
): PointWrite | undefined {
  if (physical.kind !== 'insert' || physical.conflict !== undefined || outputs.length > 0) return undefined;
  const shape = shapeOf(physical.input);
  if (shape === undefined) return undefined;
  const expressions = [
    ...shape.row,
    ...shape.projects.flatMap((p) => p.items.map((item) => item.expression)),
    ...physical.values,
  ];
  if (expressions.some(hasSubquery)) return undefined;
  const constants = new ConstantTable();
  const code = writeInsert(planner, physical, shape, constants);
  const generates = backEnd !== 'closures' && codeGenerationAllowed();
  let compiled = closureFunction(code, constants.values);
  let executions = backEnd === 'generated' ? GENERATE_EXECUTIONS_MIN - 1 : 0;
  const { table } = physical;
  const frame: InsertFrame = { parameters: [], evaluation: undefined as unknown as EvaluationContext, outer: [] };
  const row: Value[] = physical.values.map(() => null);
  return {
    run(context) {
      if (executions < GENERATE_EXECUTIONS_MIN && ++executions === GENERATE_EXECUTIONS_MIN && generates) {
        compiled = generateFunction(code, constants.values);
      }
      frame.parameters = context.parameters;
      frame.evaluation = context.evaluation;
      compiled(frame, row);
      const outcome = context.writer(table).insert(row);
      if (outcome === 'written') return 1;
      if (outcome instanceof Promise) return outcome;
      throw StatementRestart.instance;
    },
  };
}

function writeInsert(planner: PhysicalPlanner, node: InsertNode, shape: Shape, constants: ConstantTable): FunctionCode {
  const { types } = planner.context.catalog;
  const builder = new ProgramBuilder({ types, constants, isNotNull: () => false }, []);
  const compiler: PlanCompiler = new PlanToProgram(builder, planner, undefined);
  const emitter = new Emitter(constants);
  const [run, into] = emitter.parameters(2) as [Local, Local];
  const state = { checks: [], usesFuel: false };
  let context = stepContext(compiler, emitter, run, new Row(), state);
  const given = new Row();
  const { expressions } = context;
  shape.columns.forEach((column, i) => {
    given.set(column, new ColumnSource(true, () => expressions.value(shape.row[i] as Expression).code));
  });
  context = withRow(compiler, context, given);
  for (const project of shape.projects) {
    const row = Row.of(context.row);
    const below = context.expressions;
    for (const item of project.items)
      row.set(item.column, new ColumnSource(true, () => below.value(item.expression).code));
    context = withRow(compiler, context, row);
  }
  const whole = Row.of(context.row);
  const store = (position: number): void => {
    const operand = context.expressions.value(node.values[position] as Expression);
    const value = emitter.let(operand.code);
    emitter.setElement(into, literal(position), value);
    whole.set(node.newRow[position] as ColumnId, new ColumnSource(operand.nullable, () => value));
  };
  const isGenerated = (position: number): boolean => {
    const column = node.table.columns[position];
    return column?.generated !== undefined && !column.dropped;
  };
  node.values.forEach((_, position) => {
    if (!isGenerated(position)) store(position);
  });
  // Generated columns see the others.
  context = withRow(compiler, context, whole);
  node.values.forEach((_, position) => {
    if (isGenerated(position)) store(position);
  });
  emitter.return(literal(1));
  return emitter.finish('insert', [run, into]);
}
