/**
 * VALUES. Its rows gather in a buffer, through which the pipeline above goes. A list of many thousands is mostly constants and
 * parameters, as programs write them that insert by the thousand: such rows are copied as they are, and no code is written for
 * them. The others are computed by steps of some dozen rows each, since making a function costs more than running it once.
 */
import type { Expression } from '../../expr/expression.js';
import type { ValuesScan } from '../../plan/physical/physical.js';
import type { Value } from '../../types/type.js';
import { RowBuffer } from '../row-buffer.js';
import { stateOf } from './program-builder.js';
import { ColumnSource, Row } from './row-scope.js';
import { produceBuffer, produceOnce, slotReader } from './sources.js';
import { withRow, type Consume, type PlanCompiler } from './step.js';

/** Rows up to which VALUES is unrolled into the step itself. */
const UNROLLED_ROWS_MAX = 1;
/** Rows that one step computes. */
const STEP_ROWS_MAX = 64;

type ValuesRow = readonly Expression[];

export function produceValues(compiler: PlanCompiler, node: ValuesScan, consume: Consume): void {
  const { builder } = compiler;
  const { rows, columns } = node;
  if (rows.length <= UNROLLED_ROWS_MAX) {
    produceOnce(compiler, 'values', (step) => {
      const [values] = rows;
      if (values === undefined) return;
      const row = new Row();
      const { expressions } = step.context;
      columns.forEach((column, i) => {
        const expression = values[i] as Expression;
        row.set(column, new ColumnSource(true, () => expressions.value(expression).code));
      });
      consume(withRow(compiler, step.context, row));
    });
    return;
  }
  const slot = builder.addSlot((run) => new RowBuffer(columns.length, run.memory));
  for (let from = 0; from < rows.length;) {
    const isGiven = isGivenRow(rows[from] as ValuesRow);
    let to = from + 1;
    while (to < rows.length && isGivenRow(rows[to] as ValuesRow) === isGiven && (isGiven || to - from < STEP_ROWS_MAX))
      to++;
    const piece = rows.slice(from, to);
    if (isGiven) copyRows(compiler, slot, piece);
    else computeRows(compiler, slot, piece);
    from = to;
  }
  produceBuffer(compiler, 'values', columns, slotReader(slot), false, () => true, consume);
}

/** Nothing in it has to be computed. */
function isGivenRow(row: ValuesRow): boolean {
  return row.every(({ kind }) => kind === 'constant' || kind === 'parameter');
}

function copyRows({ builder }: PlanCompiler, slot: number, rows: readonly ValuesRow[]): void {
  builder.addTask({
    *run(run) {
      const buffer = run.state[slot] as RowBuffer;
      for (const row of rows) buffer.pushRow(row.map((expression) => givenValue(expression, run.parameters)));
    },
  });
}

function givenValue(expression: Expression, parameters: readonly Value[]): Value {
  if (expression.kind === 'constant') return expression.value;
  return expression.kind === 'parameter' ? parameters[expression.index - 1] : null;
}

function computeRows(compiler: PlanCompiler, slot: number, rows: readonly ValuesRow[]): void {
  produceOnce(compiler, 'values', ({ context }) => {
    const { emitter, run, expressions } = context;
    const object = stateOf(emitter, run, slot);
    for (const row of rows) {
      const items = row.map((expression) => expressions.value(expression).code);
      emitter.evaluate({ kind: 'method', object, name: 'pushRow', arguments: [{ kind: 'array', items }] });
    }
  });
}
