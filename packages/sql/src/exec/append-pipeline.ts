/**
 * The rows of several inputs, one after the other, for one step: the inputs gather them in a buffer, and whenever that is full the
 * step gets them, so that an append keeps no more than a buffer of them in memory.
 */
import { Pipeline, type Sink } from './pipelines.js';
import type { CompiledFunction, Work } from './program.js';
import { RowBuffer } from './row-buffer.js';
import type { Run } from './run.js';

/** Rows that gather before the step has them. */
export const GATHERED_ROWS = 512;

export class AppendPipeline extends Pipeline {
  private readonly slot: number;

  /** `slot`: where a run keeps its AppendSink. */
  constructor(step: CompiledFunction, sink: ((run: Run) => Sink) | undefined, slot: number) {
    super(step, sink);
    this.slot = slot;
  }

  /** Hands on what the last input has left in the buffer. */
  *run(run: Run): Work {
    yield* (run.state[this.slot] as AppendSink).flush();
  }

  /** Hands rows to the step; false when it wants no more. */
  *handOn(run: Run, buffer: RowBuffer): Work<boolean> {
    return yield* this.drive(run, buffer, buffer.count);
  }
}

/** Where the inputs' rows gather in one run. */
export class AppendSink implements Sink {
  readonly buffer: RowBuffer;
  /** Nobody wants more rows. */
  isOver = false;
  private readonly run: Run;
  private readonly pipeline: AppendPipeline;

  constructor(run: Run, pipeline: AppendPipeline, width: number) {
    this.run = run;
    this.pipeline = pipeline;
    this.buffer = new RowBuffer(width, run.memory);
  }

  isFull(): boolean {
    return this.isOver || this.buffer.count >= GATHERED_ROWS;
  }

  *flush(): Work<boolean> {
    if (this.isOver) return false;
    this.isOver = !(yield* this.pipeline.handOn(this.run, this.buffer));
    this.buffer.clear();
    return !this.isOver;
  }
}
