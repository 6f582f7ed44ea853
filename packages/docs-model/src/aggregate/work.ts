/**
 * What the expressions of one operation may make and do. An expression is computed in one go: no timer fires, no signal is heard and nobody
 * else has a turn until it is done. So what it makes is counted while it is made, and so are its steps.
 *
 *   evaluation   [ operands .. | result ]        bytes: those of all values that are held at a time, as memoryBytes counts them
 *                ^ mark                 ^ settle back to the mark and the result
 *
 *   1. A value that an operator has made is counted with everything in it, though it be shared: one that holds another a thousand times is as
 *      large as whoever walks through it finds it. So no walk through a value (a comparison, a key, JSON) is longer than the memory is large.
 *   2. What an operator needs beyond its operands is taken before it is made, where that may be many times as much as they are.
 *   3. Up to UNCOUNTED_BYTES are nobody's concern; what is beyond is taken from the memory of the operation (53200), and given back when
 *      the evaluation ends.
 *   4. Steps are items that operators look at, and bytes that they walk through or make, BYTES_PER_STEP one. Expressions of one operation
 *      take STEPS_MAX at most between two turns of the event loop (54001), which documents are divided by; and between every LOOK_STEPS of
 *      them it is asked whether the operation may go on (57014 where its time is over).
 *
 * Left out: a watchdog as patterns have it (ADR 32). It could end a change of something that is shared.
 */
import { MemoryBudget, MemoryShare, PhantomError, SLICE_MS, eventLoop } from '@phantom/base';
import { noteLongWork, turnIsLong } from '../long-turns.js';
import { TEXT_BYTES, memoryBytes } from '../memory-bytes.js';
import type { Evaluate, Variables } from './evaluate.js';

/** Memory of expressions outside of pipelines: those of filters, projections and updates. */
const MEMORY_BYTES_MAX = 64 * 1024 * 1024;
/** What an evaluation may hold without counting; what it takes at a time beyond that. */
const UNCOUNTED_BYTES = 64 * 1024;
/** Steps of an operation's expressions between two turns of the event loop: a second or two of a processor. */
const STEPS_MAX = 10_000_000;
/** Steps between two looks at the clock. */
const LOOK_STEPS = 65_536;
const BYTES_PER_STEP = 64;
/** Values whose size is remembered: most are asked for by the operator around the one that made them. */
const SIZES = 8;
/** Smaller ones are walked through again. */
const REMEMBERED_BYTES_MIN = 512;
/** What refusals call a value that nobody holds yet. */
const RESULT = 'an expression';
/** Documents between two looks at the clock. */
const DOCUMENTS_PER_CLOCK = 64;

export class Work {
  /** What the values that evaluations have given take, all together; whoever makes documents of them counts by it. */
  resultBytes = 0;
  private readonly memory: () => MemoryBudget;
  private readonly check: () => void;
  private readonly stepsMax: number;
  private share: MemoryShare | undefined = undefined;
  private bytes = 0;
  /** Bytes past which the memory is asked. */
  private grantedBytes = UNCOUNTED_BYTES;
  private steps = 0;
  private lookAt = LOOK_STEPS;
  /** Turn of the last look. */
  private turn = -1;
  private readonly sized = new Array<unknown>(SIZES);
  private readonly sizes = new Float64Array(SIZES);
  private sizesMade = 0;
  private documents = 0;
  private sliceEnd = 0;

  /** `memory` is asked for where an evaluation needs much; `check` throws where the operation must not go on. */
  constructor(
    memory: () => MemoryBudget = () => new MemoryBudget(MEMORY_BYTES_MAX),
    check: () => void = () => undefined,
    stepsMax = STEPS_MAX,
  ) {
    this.memory = memory;
    this.check = check;
    this.stepsMax = stepsMax;
  }

  /** Evaluates an expression. Its value stays the caller's, counted in `resultBytes`. */
  evaluate(expression: Evaluate, root: unknown, variables: Variables): unknown {
    try {
      const value = expression(root, variables);
      if (typeof value === 'object' || typeof value === 'string') this.resultBytes += this.resultSize(value);
      return value;
    } finally {
      this.end();
    }
  }

  /** Counts a value that an expression gives and does not make; 53200 where it is larger than any memory. */
  found(value: unknown): void {
    if (typeof value === 'string') {
      this.resultBytes += TEXT_BYTES + value.length;
      return;
    }
    try {
      this.resultBytes += this.resultSize(value);
    } finally {
      if (this.share !== undefined) this.end();
    }
  }

  /** What an evaluation may take beyond what it has. */
  get leftBytes(): number {
    return this.spare.leftBytes + this.grantedBytes - this.bytes;
  }

  /** Where a part of an evaluation begins. */
  mark(): number {
    return this.bytes;
  }

  /** Counts bytes that are about to be made. 53200 where they do not fit, 54001 and 57014 for steps. */
  take(bytes: number, operator: string): void {
    this.bytes += bytes;
    this.steps += bytes / BYTES_PER_STEP;
    if (this.bytes > this.grantedBytes || this.steps > this.lookAt) this.look(operator);
  }

  /** Counts items that are looked at. 54001 and 57014. */
  step(items: number, operator: string): void {
    this.steps += items;
    if (this.steps > this.lookAt) this.look(operator);
  }

  /** Ends a part: what it took since the mark is gone, but for so many bytes, which were never more. */
  settle(mark: number, bytes: number): void {
    this.bytes = mark + bytes;
  }

  /** Ends a part of which a value is left, and gives that. */
  settleAt<T>(mark: number, value: T, operator: string): T {
    this.bytes = mark;
    if (typeof value === 'object' || typeof value === 'string') this.take(this.sizeOf(value, operator), operator);
    return value;
  }

  /** What a value takes, as memoryBytes has it; 53200 where that is more than there is. */
  sizeOf(value: unknown, operator: string): number {
    if (typeof value !== 'object' || value === null) return memoryBytes(value);
    const { sized } = this;
    for (let i = 0; i < SIZES; i++) if (sized[i] === value) return this.sizes[i] as number;
    const bytes = this.walk(value, operator, () => this.leftBytes);
    if (bytes > REMEMBERED_BYTES_MIN) this.note(value, bytes);
    this.step(bytes / BYTES_PER_STEP, operator);
    return bytes;
  }

  /** Remembers what a value takes. */
  note(value: object, bytes: number): void {
    const at = this.sizesMade++ % SIZES;
    this.sized[at] = value;
    this.sizes[at] = bytes;
  }

  /** Asked before each document: true when others need a turn. Then `rest`. */
  isDue(): boolean {
    if (turnIsLong()) return true;
    if (++this.documents < DOCUMENTS_PER_CLOCK) return false;
    this.documents = 0;
    return performance.now() > this.sliceEnd;
  }

  /** Lets others run, then throws if the operation must not go on. */
  async rest(): Promise<void> {
    await eventLoop.giveWay(SLICE_MS);
    this.sliceEnd = performance.now() + SLICE_MS;
    this.check();
  }

  /** What a value takes that an evaluation gives. Whether that fits is for whoever holds it to say, unless it never could. */
  private resultSize(value: unknown): number {
    if (typeof value !== 'object' || value === null) return memoryBytes(value);
    return this.sizesMade > 0 && this.sized.includes(value)
      ? this.sizeOf(value, RESULT)
      : this.walk(value, RESULT, () => this.spare.limitBytes + UNCOUNTED_BYTES);
  }

  private walk(value: object, operator: string, mostOf: () => number): number {
    const bytes = memoryBytes(value, UNCOUNTED_BYTES);
    if (bytes <= UNCOUNTED_BYTES) return bytes;
    const most = mostOf();
    const all = memoryBytes(value, most);
    if (all > most) {
      // Unless others make room.
      this.take(all, operator);
      this.settle(this.bytes, -all);
      return this.walk(value, operator, mostOf);
    }
    return all;
  }

  private get spare(): MemoryShare {
    return (this.share ??= new MemoryShare(this.memory()));
  }

  private look(operator: string): void {
    if (this.bytes > this.grantedBytes) {
      const { spare } = this;
      const more = this.bytes - this.grantedBytes;
      const wanted = more + Math.min(UNCOUNTED_BYTES, Math.max(0, spare.leftBytes - more));
      this.grantedBytes += wanted;
      spare.take(wanted, operator);
    }
    if (this.steps > this.lookAt) this.lookAtClock(operator);
  }

  private lookAtClock(operator: string): void {
    const turn = noteLongWork();
    if (turn !== this.turn) {
      this.turn = turn;
      this.steps = LOOK_STEPS;
    }
    this.lookAt = this.steps + LOOK_STEPS;
    const { stepsMax } = this;
    if (this.steps > stepsMax) {
      throw new PhantomError(
        '54001',
        `the expressions of one document take more than ${stepsMax} steps (in ${operator})`,
        {
          hint: 'Unwind the array, so that its elements become documents, or look at fewer of them.',
          data: { stepsMax },
        },
      );
    }
    this.check();
  }

  private end(): void {
    this.bytes = 0;
    if (this.sizesMade > 0) {
      this.sized.fill(undefined);
      this.sizesMade = 0;
    }
    if (this.share === undefined) return;
    this.share.release();
    this.share = undefined;
    this.grantedBytes = UNCOUNTED_BYTES;
  }
}
