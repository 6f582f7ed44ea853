/** What a scan of an index union reads: the ranges of its branches, made when the scan starts. */
import { physicalIndex, physicalTable } from '../../storage/physical-table.js';
import type { KeyRange } from '@phantom/kv';
import type { TableScan, UnionBranch } from '../../plan/physical/physical.js';
import type { Code, Local } from '../code/ir.js';
import type { ScanSource } from '../pipelines.js';
import type { CompiledFunction } from '../program.js';
import type { Run } from '../run.js';
import { UnionCursor } from '../union-cursor.js';
import { Row } from './row-scope.js';
import { stepContext, type PlanCompiler, type StepContext } from './step.js';

/** One range, several, or null for none. */
type Made = KeyRange | readonly KeyRange[] | null;

/** The union's cursor as a function of the run. `emitBounds` writes the making of a branch's ranges. */
export function compileUnion(
  compiler: PlanCompiler,
  { table }: TableScan,
  union: readonly UnionBranch[],
  emitBounds: (context: StepContext, branch: UnionBranch) => Code,
): (run: Run) => readonly ScanSource[] {
  const { types } = compiler.builder.context;
  const physical = physicalTable(table, types);
  const indexes = union.map(({ index }) => (index === undefined ? undefined : physicalIndex(index, table, types)));
  const emitter = compiler.builder.emitter();
  const [run] = emitter.parameters(1) as [Local];
  const context = stepContext(compiler, emitter, run, new Row(), { checks: [], usesFuel: false });
  emitter.return({ kind: 'array', items: union.map((branch) => emitBounds(context, branch)) });
  const compiled: CompiledFunction = compiler.builder.compiled(emitter.finish('union', [run]));
  return (r) => {
    const made = compiled.get(r.statement)(r) as readonly Made[];
    return [
      new UnionCursor(
        r,
        physical,
        made.map((one, i) => ({ index: indexes[i], ranges: rangesOf(one) })),
      ),
    ];
  };
}

export function rangesOf(made: Made): readonly KeyRange[] {
  if (made === null) return [];
  return 'lower' in made ? [made] : made;
}
