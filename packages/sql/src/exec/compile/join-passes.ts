/**
 * A hash join whose right side does not fit into memory, in passes like those of groups (exec/spill/overflow.ts). A pass keeps
 * the right rows of as many keys as fit; right rows of other keys wait in a file, and so do left rows whose key the pass does
 * not have, as long as right rows wait. Rows of a key never divide between passes: a left row meets all its matches in one of
 * them, or has none in the last, so that every kind of join comes out as in memory.
 *
 *   pass 1   right a b | c d ..       left a c d b e ..    joined: a b      wait: c d e ..
 *   pass 2   right c d                left c d e ..        joined: c d, and e has no match
 *
 * A key whose right rows alone are more than memory ends in 53200, and so does a full join: it keeps its result anyway.
 */
import type { HashJoin } from '../../plan/physical/physical.js';
import { and, binary, literal, method, property, type Code } from '../code/ir.js';
import type { Work } from '../program.js';
import type { Run } from '../run.js';
import { type MemoryOf, Overflow } from '../spill/overflow.js';
import { spillCodec } from '../spill/spill-codec.js';
import { stateOf } from './program-builder.js';
import { putAside } from './push-row.js';
import { LateTask, newReplay, produceReplay, type Replay } from './replay.js';
import type { Consume, PlanCompiler, StepContext } from './step.js';

/** A side of the join: its columns, the slot of its rows that wait, and that of the pipeline which reads them again. */
interface Side {
  readonly columns: HashJoin['columns'];
  readonly overflow: number;
  readonly replay: number;
}

export class JoinPasses {
  /** Where what the join keeps of its right side counts its memory. */
  readonly memoryOf: MemoryOf = (run) => this.waiting(run, this.right).memory;
  private readonly compiler: PlanCompiler;
  private readonly left: Side;
  private readonly right: Side;
  private readonly slotsFrom: number;
  private slotsTo = 0;

  constructor(compiler: PlanCompiler, node: HashJoin) {
    this.compiler = compiler;
    this.left = this.side(node.left.columns);
    this.right = this.side(node.right.columns);
    this.slotsFrom = compiler.builder.slots.length;
  }

  private side(columns: HashJoin['columns']): Side {
    const { builder, planner } = this.compiler;
    const types = columns.map((column) => planner.context.pool.get(column).type);
    const codec = spillCodec(types, builder.context.types);
    return {
      columns,
      overflow: builder.addSlot((run) => new Overflow(run, codec, 'join')),
      replay: builder.addSlot(newReplay),
    };
  }

  /** Says that the slots of the right side's tables are made: each pass begins with them empty. */
  close(): void {
    this.slotsTo = this.compiler.builder.slots.length;
  }

  /** For a right row: `find` or `intern` gives its key's number; one whose key has to wait is put aside. */
  emitStore(context: StepContext, number: (operation: 'find' | 'intern') => Code, store: (number: Code) => void): void {
    const { emitter, run } = context;
    const overflow = stateOf(emitter, run, this.right.overflow);
    const found = emitter.let(literal(-1));
    emitter.if(
      property(overflow, 'isFull'),
      () => emitter.assign(found, number('find')),
      () => emitter.assign(found, number('intern')),
    );
    emitter.if(
      binary('<', found, literal(0)),
      () => putAside(context, overflow, this.right.columns),
      () => {
        store(found);
        emitter.evaluate(method(overflow, 'grew'));
      },
    );
  }

  /** For a left row whose key has this number: `join` now, or with those that wait. */
  emitJoin(context: StepContext, number: Code, join: () => void): void {
    const { emitter, run } = context;
    const waits = property(stateOf(emitter, run, this.right.overflow), 'waits');
    emitter.if(
      and(binary('<', number, literal(0)), waits),
      () => putAside(context, stateOf(emitter, run, this.left.overflow), this.left.columns),
      join,
    );
  }

  /** The task that runs the passes after the first: what is done with right and left rows is written once more. */
  addTask(build: Consume, join: Consume): void {
    const { compiler, left, right } = this;
    const { builder } = compiler;
    const again = (side: Side, consume: Consume): LateTask =>
      new LateTask(builder, () => produceReplay(compiler, side.columns, side.replay, consume));
    const rightAgain = again(right, build);
    const leftAgain = again(left, join);
    builder.addTask({ run: (run) => this.runPasses(run, rightAgain, leftAgain) });
  }

  private *runPasses(run: Run, rightAgain: LateTask, leftAgain: LateTask): Work {
    while (this.waiting(run, this.right).waits) {
      this.begin(run, this.right);
      for (let slot = this.slotsFrom; slot < this.slotsTo; slot++) {
        run.state[slot] = this.compiler.builder.slots[slot]?.(run);
      }
      yield* rightAgain.run(run);
      this.begin(run, this.left);
      yield* leftAgain.run(run);
    }
  }

  /** Aims the replay of a side at the rows that wait; those that come from now on wait for the pass after. */
  private begin(run: Run, side: Side): void {
    (run.state[side.replay] as Replay).reader = this.waiting(run, side).nextPass();
  }

  private waiting(run: Run, side: Side): Overflow {
    return run.state[side.overflow] as Overflow;
  }
}
