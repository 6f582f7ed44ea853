/**
 * One execution of a program: its state slots, and what generated code reaches through its first parameter. A subplan runs
 * in a Run of its own that knows its parent; everything about the statement as a whole is shared.
 */
import type { MemoryBudget } from '@phantom/base';
import type { RowCodec } from '@phantom/codec';
import { ByteSlot } from '@phantom/kv';
import type { EvaluationContext } from '../functions/registry.js';
import type { Value } from '../types/type.js';
import type { RowBuffer } from './row-buffer.js';
import { SpilledRows } from './spill/spilled-rows.js';
import type { ExecutionContext, Partition, ReadSource, RowSink, Yielded } from './runtime.js';

/** After so many runs of parts of a statement code for them pays, whatever its plan was thought to cost. */
const GENERATE_REPEATS_MIN = 256;

/** A recursive query that works as far as its readers go. */
export interface Recursion {
  /** Runs one round, which adds its rows to the query's buffer; false when there is none left. */
  advance(): Generator<Yielded, boolean, void>;
}

/** What holds something until the execution ends. */
export interface Freed {
  free(): void;
}

/** What the WITH queries of one execution keep, by their numbers. */
class WithQueries {
  /** Results, and the working tables of recursive ones. */
  readonly tables = new Map<number, RowBuffer>();
  readonly workingTables = new Map<number, RowBuffer>();
  /** Where the round of a recursive one that is running puts its rows. */
  readonly freshTables = new Map<number, RowBuffer>();
  /** The rounds of recursive ones that nobody has asked for yet. */
  readonly recursions = new Map<number, Recursion>();
}

/** What all runs of one execution share. */
export class Statement {
  readonly context: ExecutionContext;
  readonly sink: RowSink;
  /** Generated code is used; otherwise closures. */
  generated: boolean;
  rowsAffected = 0;
  /** Bytes written to scratch files, those that are freed among them. */
  spilledBytes = 0;
  /** Scratch files of the execution. */
  private spilled: SpilledRows[] | undefined = undefined;
  // Most statements have none of these, and making them costs as much as a short scan.
  private withQueries: WithQueries | undefined = undefined;
  private resultsByCode: Map<object, unknown> | undefined = undefined;
  private kept: Map<object, Freed> | undefined = undefined;

  /** How often parts of the program may yet run again before code is generated for them; NaN: it never is. */
  private repeatsLeft: number;

  /** `generated`: from the start. Otherwise `mayGenerate` tells whether parts that run many times may become code. */
  constructor(context: ExecutionContext, sink: RowSink, generated: boolean, mayGenerate = false) {
    this.context = context;
    this.sink = sink;
    this.generated = generated;
    this.repeatsLeft = mayGenerate ? GENERATE_REPEATS_MIN : NaN;
  }

  /** A part of the program runs once more than the statement: the plan did not know how often. */
  repeats(): void {
    if (--this.repeatsLeft < 0) this.generated = true;
  }

  get with(): WithQueries {
    return (this.withQueries ??= new WithQueries());
  }

  /** Results of subqueries that run once, by the identity of their code. */
  get results(): Map<object, unknown> {
    return (this.resultsByCode ??= new Map());
  }

  /** What a place in the code keeps from one run of it to the next, such as a cursor; made when it is first asked for. */
  keep<T extends Freed>(place: object, make: () => T): T {
    this.kept ??= new Map();
    let kept = this.kept.get(place) as T | undefined;
    if (kept === undefined) this.kept.set(place, (kept = make()));
    return kept;
  }

  /** A scratch file that is freed with the execution; undefined when there is no place for one. */
  spill(codec: RowCodec, purpose: string): SpilledRows | undefined {
    const { scratch } = this.context;
    if (scratch === undefined) return undefined;
    const rows = new SpilledRows(scratch, codec, purpose, (bytes) => {
      this.spilledBytes += bytes;
    });
    (this.spilled ??= []).push(rows);
    return rows;
  }

  /** Frees what outlives single runs. */
  end(): void {
    if (this.spilled !== undefined) for (const rows of this.spilled) rows.close();
    if (this.kept !== undefined) for (const kept of this.kept.values()) kept.free();
  }
}

export class Run {
  readonly statement: Statement;
  readonly context: ExecutionContext;
  readonly evaluation: EvaluationContext;
  readonly parameters: readonly Value[];
  readonly read: ReadSource;
  memory: MemoryBudget;
  /** Values of the columns of enclosing queries that this program uses. */
  readonly outer: readonly Value[];
  /** State of operators: buffers, tables, counters. Generated code reads it by index. */
  readonly state: unknown[];
  /** Work left before a step should return to its driver; steps with inner loops lower it. */
  fuel = 0;
  /** What a partitioned scan reads. */
  partition: Partition | undefined = undefined;
  /** Row of a scan by key. */
  readonly slot = new ByteSlot();

  constructor(statement: Statement, outer: readonly Value[], slots: number) {
    this.statement = statement;
    this.context = statement.context;
    this.evaluation = statement.context.evaluation;
    this.parameters = statement.context.parameters;
    this.read = statement.context.read;
    this.memory = statement.context.memory;
    this.outer = outer;
    this.state = new Array<unknown>(slots);
  }
}
