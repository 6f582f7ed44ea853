/** Pipelines over rows that have waited in a scratch file, and tasks that are written when they are first wanted. */
import { assert } from '@phantom/base';
import type { ColumnId } from '../../expr/expression.js';
import { Pipeline } from '../pipelines.js';
import type { Task, Work } from '../program.js';
import type { RowBuffer } from '../row-buffer.js';
import type { Run } from '../run.js';
import { pieceBuffer, refill } from '../spill/overflow.js';
import type { SpillReader } from '../spill/spilled-rows.js';
import type { ProgramBuilder } from './program-builder.js';
import { produceBuffer } from './sources.js';
import type { Consume, PlanCompiler } from './step.js';

/** The rows that the next run of a replay reads, a piece at a time. */
export interface Replay {
  reader: SpillReader | undefined;
  rows: RowBuffer | undefined;
}

export function newReplay(): Replay {
  return { reader: undefined, rows: undefined };
}

/** Writes a pipeline over the rows of the replay in a slot. */
export function produceReplay(
  compiler: PlanCompiler,
  columns: readonly ColumnId[],
  slot: number,
  consume: Consume,
): void {
  const rows = (run: Run): RowBuffer => ((run.state[slot] as Replay).rows ??= pieceBuffer(columns.length));
  const isNullable = (): boolean => true;
  produceBuffer(
    compiler,
    'pass',
    columns,
    rows,
    false,
    isNullable,
    consume,
    (code, sink) => new ReplayPipeline(code, sink, rows, slot),
  );
}

class ReplayPipeline extends Pipeline {
  private readonly rows: (run: Run) => RowBuffer;
  private readonly slot: number;

  constructor(step: Pipeline['step'], sink: Pipeline['sink'], rows: (run: Run) => RowBuffer, slot: number) {
    super(step, sink);
    this.rows = rows;
    this.slot = slot;
  }

  *run(run: Run): Work {
    const rows = this.rows(run);
    const { reader } = run.state[this.slot] as Replay;
    while (reader !== undefined && refill(rows, reader)) {
      if (!(yield* this.drive(run, rows, rows.count))) return;
    }
  }
}

/**
 * A pipeline that is written when an execution first wants it. What follows a join is written once more for the rows that
 * have waited; written in advance, the last of several joins in a row would be there twice for each one before it.
 */
export class LateTask implements Task {
  private readonly builder: ProgramBuilder;
  private readonly write: () => void;
  private made: { readonly task: Task; readonly slotsFrom: number; readonly slotsTo: number } | undefined;

  /** `write` adds one task to the builder. */
  constructor(builder: ProgramBuilder, write: () => void) {
    this.builder = builder;
    this.write = write;
  }

  *run(run: Run): Work {
    const { task, slotsFrom, slotsTo } = (this.made ??= this.make());
    // The run may have begun before there were these slots.
    const { slots } = this.builder;
    for (let slot = slotsFrom; slot < slotsTo; slot++) run.state[slot] ??= slots[slot]?.(run);
    yield* task.run(run);
  }

  private make(): NonNullable<LateTask['made']> {
    const { slots, tasks } = this.builder;
    const slotsFrom = slots.length;
    const tasksFrom = tasks.length;
    this.write();
    const [task] = tasks.splice(tasksFrom);
    assert(task !== undefined, 'a late task is one task');
    return { task, slotsFrom, slotsTo: slots.length };
  }
}
