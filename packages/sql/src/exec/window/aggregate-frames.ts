/** Aggregates over frames. See compute.ts for how they follow a moving frame. */
import type { AggregateFunction, CallTypes } from '../../functions/registry.js';
import { isVolatile } from '../../plan/rules/facts.js';
import type { Value } from '../../types/type.js';
import { valueBytes } from '../row-buffer.js';
import type { Partition, WindowColumn, WindowInput } from './compute.js';
import { FrameWalker } from './frame.js';

/** Rows stepped, or as much work, between two looks at the clock. */
const WORK_MAX = 1024;
/** Bytes of a result that are as much work as a row, as a power of two. */
const WORK_SHIFT = 5;

type Step = (state: unknown, ...args: unknown[]) => unknown;
type Final = (state: unknown, ...args: unknown[]) => Value;

/** An aggregate's state that rows enter and, with an inverse, leave. */
class FrameState {
  private state: unknown;
  private readonly input: WindowInput;
  private readonly partition: Partition;
  private readonly column: WindowColumn;
  private readonly definition: AggregateFunction;
  private readonly types: CallTypes;

  constructor(input: WindowInput, partition: Partition, column: WindowColumn, definition: AggregateFunction) {
    this.input = input;
    this.partition = partition;
    this.column = column;
    this.definition = definition;
    this.types = { arguments: column.call.argumentTypes, result: column.call.type };
    this.state = definition.init(input.evaluation, this.types);
  }

  reset(): void {
    this.state = this.definition.init(this.input.evaluation, this.types);
  }

  /** Arguments at a position; undefined when the row does not count (a filter, a null for a strict function). */
  private arguments(position: number): Value[] | undefined {
    const { input, column } = this;
    const row = input.order[this.partition.start + position] as number;
    if (column.filter !== undefined && input.columns[column.filter]?.[row] !== true) return undefined;
    const values: Value[] = [];
    for (const at of column.arguments) {
      const value = input.columns[at]?.[row] ?? null;
      if (value === null && this.definition.strict) return undefined;
      values.push(value);
    }
    return values;
  }

  enter(position: number): void {
    const values = this.arguments(position);
    if (values === undefined) return;
    this.state = (this.definition.step as unknown as Step)(this.state, ...values);
  }

  /** False when the row could not be taken out: the frame is to be counted anew. */
  leave(position: number): boolean {
    const values = this.arguments(position);
    if (values === undefined) return true;
    const next = (this.definition.inverse as unknown as Step)(this.state, ...values);
    if (next === undefined) return false;
    this.state = next;
    return true;
  }

  result(): Value {
    return (this.definition.final as unknown as Final)(this.state);
  }
}

/** Fills the results of one partition. */
export function* aggregateResults(
  input: WindowInput,
  partition: Partition,
  column: WindowColumn,
  whole: AggregateFunction,
  results: Value[],
  due: () => boolean,
): Generator<undefined, void, void> {
  const { frame, arguments: args, filter } = column.call;
  // What is computed anew each time cannot be taken back.
  const isFixed = !args.some(isVolatile) && (filter === undefined || !isVolatile(filter));
  const moves = isFixed && frame.start.kind !== 'unbounded-preceding';
  const definition = moves ? (whole.moving ?? whole) : whole;
  const walker = new FrameWalker(input, partition, column);
  const state = new FrameState(input, partition, column, definition);
  const length = partition.end - partition.start;
  const excludes = column.call.frame.exclude !== 'no-others';
  let start = 0;
  let end = 0;
  let result: Value = null;
  let known = false;
  let work = 0;
  for (let i = 0; i < length; i++) {
    walker.moveTo(i);
    const same = known && !excludes && walker.start === start && walker.end === end;
    if (!same) {
      if (excludes) {
        state.reset();
        for (let j = walker.start; j < walker.end; j++) if (!walker.excludes(i, j)) state.enter(j);
        work += walker.end - walker.start;
      } else {
        work += follow(state, definition, walker, start, end);
        start = walker.start;
        end = walker.end;
      }
      result = state.result();
      known = true;
      const bytes = valueBytes(result);
      if (bytes > 0) input.memory.take(bytes);
      work += bytes >>> WORK_SHIFT;
    }
    results[input.order[partition.start + i] as number] = result;
    if (++work >= WORK_MAX) {
      work = 0;
      if (due()) yield undefined;
    }
  }
}

/** Takes the state from the frame [start, end) to the walker's; answers the rows it touched. */
function follow(
  state: FrameState,
  definition: AggregateFunction,
  walker: FrameWalker,
  start: number,
  end: number,
): number {
  const overlap = walker.start >= start && walker.start < end && walker.end >= end;
  let keeps = overlap && (walker.start === start || definition.inverse !== undefined);
  for (let j = start; keeps && j < walker.start; j++) keeps = state.leave(j);
  if (keeps) {
    for (let j = end; j < walker.end; j++) state.enter(j);
    return walker.start - start + walker.end - end;
  }
  state.reset();
  for (let j = walker.start; j < walker.end; j++) state.enter(j);
  return walker.end - walker.start;
}
