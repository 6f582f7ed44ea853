/** Scans of a column index: a loop over vectors, each column read where it is used. */
import { StorageKind } from '@phantom/codec';
import type { ColumnDescriptor } from '@phantom/catalog';
import { columnIndex } from '../../storage/columnar/column-index.js';
import type { ColumnScan } from '../../plan/physical/physical.js';
import type { Value } from '../../types/type.js';
import { element, literal, method, property, type Local } from '../code/ir.js';
import { ColumnPipeline } from '../column-scan.js';
import type { CompiledFunction } from '../program.js';
import type { Run } from '../run.js';
import { filterBy } from './filter.js';
import { ColumnSource, Row } from './row-scope.js';
import { loopRows, writeStep } from './sources.js';
import { stepContext, type Consume, type PlanCompiler, type StepState } from './step.js';

export function produceColumnScan(compiler: PlanCompiler, node: ColumnScan, consume: Consume): void {
  const { table, scanColumns, zones } = node;
  const index = columnIndex(node.index, table, compiler.builder.context.types);
  const places = scanColumns.map(({ number }) => index.placeOf(number) as number);
  const plan = {
    index,
    places,
    tests: zones.map(({ column, role }) => ({ place: index.placeOf(column) as number, role })),
    bounds: compileBounds(compiler, node),
    counts: compiler.segmentsOf(node),
  };
  writeStep(
    compiler,
    'columns',
    (step) => {
      const { emitter, run, state } = step.context;
      const columns = emitter.hoist('columns', property(step.source, 'columns'));
      const vectors = places.map((_, i) => emitter.hoist(`vector${i}`, element(columns, literal(i))));
      loopRows(step, (at) => {
        const row = new Row();
        scanColumns.forEach(({ id, number }, i) => {
          const { notNull } = table.columns.find((column) => column.number === number) as ColumnDescriptor;
          const vector = vectors[i]!;
          const isDecimal = index.columns[places[i]!]?.storage.kind === StorageKind.Decimal;
          const source = isDecimal
            ? new ColumnSource(
                !notNull,
                () => method(vector, 'at', at),
                undefined,
                (e) => ({
                  unscaled: element(e.hoist(`unscaled${i}`, property(vector, 'unscaled')), at),
                  scale: e.hoist(`scale${i}`, property(vector, 'scale')),
                }),
              )
            : new ColumnSource(!notNull, () => element(vector, at));
          row.set(id, source);
        });
        const context = stepContext(compiler, emitter, run, row, state);
        filterBy(context, node.filter, () => consume(context));
      });
    },
    (code, sink) => new ColumnPipeline(code, sink, plan),
  );
}

/** The values that segments are compared by, as a function of the run. */
function compileBounds(compiler: PlanCompiler, { zones }: ColumnScan): (run: Run) => readonly Value[] {
  if (zones.length === 0) return () => [];
  const emitter = compiler.builder.emitter();
  const [run] = emitter.parameters(1) as [Local];
  const state: StepState = { checks: [], usesFuel: false };
  const { expressions } = stepContext(compiler, emitter, run, new Row(), state);
  emitter.return({ kind: 'array', items: zones.map(({ value }) => expressions.value(value).code) });
  const compiled: CompiledFunction = compiler.builder.compiled(emitter.finish('bounds', [run]));
  return (r) => compiled.get(r.statement)(r) as readonly Value[];
}
