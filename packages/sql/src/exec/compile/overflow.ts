/** Writing the passes of an operator that groups by key (see exec/spill/overflow.ts). */
import { assert } from '@phantom/base';
import type { ColumnId } from '../../expr/expression.js';
import { binary, literal, method, property, type Code } from '../code/ir.js';
import type { Task, Work } from '../program.js';
import type { Run } from '../run.js';
import { type MemoryOf, Overflow } from '../spill/overflow.js';
import { spillCodec } from '../spill/spill-codec.js';
import { keyNumber, type KeyTables } from './key-tables.js';
import { stateOf } from './program-builder.js';
import { putAside } from './push-row.js';
import { newReplay, produceReplay, type Replay } from './replay.js';
import type { Consume, PlanCompiler, StepContext } from './step.js';

/** The passes of one operator; slots made after it, up to `close`, are what a pass begins anew. */
export class Passes {
  readonly memoryOf: MemoryOf = (run) => (run.state[this.overflow] as Overflow).memory;
  private readonly compiler: PlanCompiler;
  private readonly columns: readonly ColumnId[];
  private readonly overflow: number;
  private readonly pass: number;
  private readonly slotsFrom: number;
  private slotsTo = 0;

  /** `columns` are what the operator needs of its input's rows. */
  constructor(compiler: PlanCompiler, columns: readonly ColumnId[]) {
    const { builder } = compiler;
    const { pool } = compiler.planner.context;
    const codec = spillCodec(
      columns.map((column) => pool.get(column).type),
      builder.context.types,
    );
    this.compiler = compiler;
    this.columns = columns;
    this.overflow = builder.addSlot((run) => new Overflow(run, codec));
    this.pass = builder.addSlot(newReplay);
    this.slotsFrom = builder.slots.length;
  }

  /** Says that the slots of the operator's tables and states are made. */
  close(): void {
    this.slotsTo = this.compiler.builder.slots.length;
  }

  /** Numbers a row's key: `then` gets the number, rows whose key has to wait are put aside. */
  emitNumber(context: StepContext, tables: KeyTables, keys: readonly Code[], then: (number: Code) => void): void {
    const { emitter, run } = context;
    const overflow = stateOf(emitter, run, this.overflow);
    const number = emitter.let(literal(-1));
    emitter.if(
      property(overflow, 'isFull'),
      () => emitter.assign(number, keyNumber(emitter, run, tables, keys, 'find')),
      () => emitter.assign(number, keyNumber(emitter, run, tables, keys, 'intern')),
    );
    emitter.if(
      binary('<', number, literal(0)),
      () => putAside(context, overflow, this.columns),
      () => then(number),
    );
  }

  /** After a new key. */
  emitGrew(context: StepContext): void {
    const { emitter, run } = context;
    emitter.evaluate(method(stateOf(emitter, run, this.overflow), 'grew'));
  }

  /**
   * The task that runs the passes after the first: `consume` is written once more, over the rows that have waited. `result`
   * runs at the end of each pass, the first one included.
   */
  addTask(consume: Consume, result?: Task): void {
    const { builder } = this.compiler;
    const from = builder.tasks.length;
    produceReplay(this.compiler, this.columns, this.pass, consume);
    const [again] = builder.tasks.splice(from);
    assert(again !== undefined, 'a pass is one pipeline');
    builder.addTask({ run: (run) => this.runPasses(run, again, result) });
  }

  private *runPasses(run: Run, again: Task, result: Task | undefined): Work {
    if (result !== undefined) yield* result.run(run);
    while (this.begin(run)) {
      yield* again.run(run);
      if (result !== undefined) yield* result.run(run);
    }
  }

  /** Empties tables and states after a pass; false when no row waits for another one. */
  private begin(run: Run): boolean {
    const { builder } = this.compiler;
    const state = run.state[this.pass] as Replay;
    state.reader = (run.state[this.overflow] as Overflow).nextPass();
    for (let slot = this.slotsFrom; slot < this.slotsTo; slot++) run.state[slot] = builder.slots[slot]?.(run);
    return state.reader !== undefined;
  }
}
