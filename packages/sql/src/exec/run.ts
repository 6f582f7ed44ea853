/**
 * One execution of a program: its state slots, and what generated code reaches through its first parameter. A subplan runs
 * in a Run of its own that knows its parent; everything about the statement as a whole is shared.
 */
import type { RowCodec } from '@phantom/codec';
import { ByteSlot } from '@phantom/kv';
import type { EvaluationContext } from '../functions/registry.js';
import type { Value } from '../types/type.js';
import type { LookupCursor } from './lookup-cursor.js';
import type { RowBuffer } from './row-buffer.js';
import { SpilledRows } from './spill/spilled-rows.js';
import type { ExecutionContext, MemoryBudget, ReadSource, RowSink, Yielded } from './runtime.js';

/** A recursive query that works as far as its readers go. */
export interface Recursion {
  /** Runs one round, which adds its rows to the query's buffer; false when there is none left. */
  advance(): Generator<Yielded, boolean, void>;
}

/** What the WITH queries of one execution keep, by their numbers. */
class WithQueries {
  /** Results, and the working tables of recursive ones. */
  readonly tables = new Map<number, RowBuffer>();
  readonly workingTables = new Map<number, RowBuffer>();
  /** The rounds of recursive ones that nobody has asked for yet. */
  readonly recursions = new Map<number, Recursion>();
}

/** What all runs of one execution share. */
export class Statement {
  readonly context: ExecutionContext;
  readonly sink: RowSink;
  /** Generated code is used; otherwise closures. */
  readonly generated: boolean;
  rowsAffected = 0;
  /** Scratch files of the execution. */
  private spilled: SpilledRows[] | undefined = undefined;
  // Most statements have none of these, and making them costs as much as a short scan.
  private withQueries: WithQueries | undefined = undefined;
  private resultsByCode: Map<object, unknown> | undefined = undefined;
  private lookupCursors: Map<object, LookupCursor> | undefined = undefined;

  constructor(context: ExecutionContext, sink: RowSink, generated: boolean) {
    this.context = context;
    this.sink = sink;
    this.generated = generated;
  }

  get with(): WithQueries {
    return (this.withQueries ??= new WithQueries());
  }

  /** Results of subqueries that run once, by the identity of their code. */
  get results(): Map<object, unknown> {
    return (this.resultsByCode ??= new Map());
  }

  /** Cursors of lookup joins, by the place in the code that uses them. */
  get lookups(): Map<object, LookupCursor> {
    return (this.lookupCursors ??= new Map());
  }

  /** A scratch file that is freed with the execution; undefined when there is no place for one. */
  spill(codec: RowCodec, purpose: string): SpilledRows | undefined {
    const { scratch } = this.context;
    if (scratch === undefined) return undefined;
    const rows = new SpilledRows(scratch, codec, purpose);
    (this.spilled ??= []).push(rows);
    return rows;
  }

  /** Frees what outlives single runs. */
  end(): void {
    if (this.spilled !== undefined) for (const rows of this.spilled) rows.close();
    if (this.lookupCursors !== undefined) for (const cursor of this.lookupCursors.values()) cursor.free();
  }
}

export class Run {
  readonly statement: Statement;
  readonly context: ExecutionContext;
  readonly evaluation: EvaluationContext;
  readonly parameters: readonly Value[];
  readonly read: ReadSource;
  readonly memory: MemoryBudget;
  /** Values of the columns of enclosing queries that this program uses. */
  readonly outer: readonly Value[];
  /** State of operators: buffers, tables, counters. Generated code reads it by index. */
  readonly state: unknown[];
  /** Work left before a step should return to its driver; steps with inner loops lower it. */
  fuel = 0;
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
