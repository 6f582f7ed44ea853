/** Gather: its input as a program of its own, which runs once for each partition, and a pipeline over what the runs give. */
import { assert } from '@phantom/base';
import type { Gather } from '../../plan/physical/physical.js';
import { nodesBelow } from '../../plan/physical/walk.js';
import { columnIndex } from '../../storage/columnar/column-index.js';
import { columnPartitions } from '../column-scan.js';
import { GatherPipeline, type PartitionProgram } from '../gather.js';
import { GatheredRows } from '../gathered-rows.js';
import type { Run } from '../run.js';
import type { Partition } from '../runtime.js';
import { spillCodec } from '../spill/spill-codec.js';
import { ProgramBuilder, stateOf } from './program-builder.js';
import { pushRow } from './push-row.js';
import { produceBuffer, slotReader } from './sources.js';
import type { Consume, PlanCompiler } from './step.js';
import { tablePartitions } from './table-scan.js';

export function produceGather(compiler: PlanCompiler, node: Gather, consume: Consume): void {
  const partition = partitionProgram(compiler, node);
  const partitions = partitionsOf(compiler, node);
  const { measure } = compiler;
  const measured = measure === undefined ? undefined : { measure, nodes: nodesBelow(node) };
  produceBuffer(
    compiler,
    'gather',
    node.columns,
    partition.rows,
    false,
    () => true,
    consume,
    (code, sink) => new GatherPipeline(code, sink, { ...partition, partitions, measured }),
  );
}

/** What is run for each partition. */
export function partitionProgram(compiler: PlanCompiler, node: Gather): PartitionProgram {
  const { context } = compiler.builder;
  const types = node.columns.map((column) => compiler.planner.context.pool.get(column).type);
  const codec = spillCodec(types, context.types);
  assert(codec !== undefined, 'what is gathered has bytes');
  const program = new ProgramBuilder(context, []);
  const slot = program.addSlot((run) => new GatheredRows(run, codec));
  const push: Consume = (step) => pushRow(step, stateOf(step.emitter, step.run, slot), node.columns);
  compiler.produceIn(program, node.input, push, true);
  return { program, codec, rows: slotReader(slot) };
}

function partitionsOf(compiler: PlanCompiler, { scan, partitionsMax }: Gather): (run: Run) => readonly Partition[] {
  if (scan.kind === 'table-scan') return tablePartitions(compiler, scan, partitionsMax);
  const index = columnIndex(scan.index, scan.table, compiler.builder.context.types);
  return (run) => columnPartitions(run, index, partitionsMax);
}
