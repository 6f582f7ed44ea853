/**
 * A prepared statement of the synchronous API. It is analysed once; each call binds values, runs, and is durable on
 * return (as the database's durability says) when it wrote. Outside of a transaction every call commits by itself.
 */
import { PhantomError } from '@phantom/base';
import {
  type PlanField,
  type PreparedPlan,
  type RowBatch,
  type RowSink,
  type SessionStatement,
  type SqlSession,
  type Value,
  jsWriter,
  lookUp,
  lookUpWithin,
  readNow,
  writePoint,
} from '@phantom/sql';
import type { Durability } from '@phantom/wal';
import type { ResultOptions } from './options.js';
import { RowShape } from './row-shape.js';

/** What `run` tells: rows changed, and the commit's sequence (undefined inside a transaction, or when nothing was written). */
export interface RunResult {
  readonly changes: number;
  readonly seq: number | undefined;
  /** There when the commit survives less than a power cut: `os` the end of the process, `memory` nothing. */
  readonly durability?: Durability;
}

/** Rows made at once by `all`. */
const READ_ROWS = 1024;
/** Rows fetched ahead by `iterate`. */
const ITERATE_ROWS = 256;

export class Statement<Row = Record<string, unknown>> {
  readonly text: string;
  private readonly session: SqlSession;
  private readonly statement: SessionStatement;
  private readonly options: ResultOptions;
  private plan: PreparedPlan | undefined;
  private shape: RowShape<Row>;
  private writers: readonly ((value: unknown) => Value)[];
  private readonly values: Value[] = [];
  private readonly output: Value[] = [];

  constructor(session: SqlSession, text: string, options: ResultOptions) {
    this.session = session;
    this.text = text;
    this.options = options;
    this.statement = session.prepareText(text);
    session.traces?.close();
    this.shape = new RowShape(this.fields, session.picture.types, options);
    this.writers = this.makeWriters();
    this.plan = this.statement.kind === 'plan' ? this.statement.plan : undefined;
  }

  /** Output columns; empty when the statement returns no rows. */
  get fields(): readonly PlanField[] {
    if (this.statement.kind === 'plan') return this.statement.plan.fields;
    return this.statement.kind === 'utility' ? this.statement.utility.fields : [];
  }

  /** The first row, or undefined. */
  get(...parameters: unknown[]): Row | undefined {
    this.refresh();
    const values = this.bind(parameters);
    const { plan, session } = this;
    if (plan !== undefined && this.statement.kind === 'plan') {
      if (plan.pointLookup !== undefined && session.readsBare)
        return lookUp(session, this.statement, values, this.output) ? this.shape.row(this.output) : undefined;
      const found = lookUpWithin(session, this.statement, values, this.output);
      if (found !== undefined) return found ? this.shape.row(this.output) : undefined;
    }
    const rows: Row[] = [];
    this.fetch(values, 1, rows);
    return rows[0];
  }

  /** Every row. */
  all(...parameters: unknown[]): Row[] {
    this.refresh();
    const rows: Row[] = [];
    const values = this.bind(parameters);
    const { session, statement, shape } = this;
    const sink = new RowsSink(shape, rows);
    if (statement.kind !== 'plan' || !readNow(session, statement, values, sink)) this.fetch(values, 0, rows);
    return rows;
  }

  /** Rows one by one; the statement ends when the iteration does. */
  *iterate(...parameters: unknown[]): IterableIterator<Row> {
    this.refresh();
    const { session, shape } = this;
    const portal = session.portal(this.statement, this.bind(parameters).slice());
    const rows: Row[] = [];
    try {
      for (let complete = false; !complete;) {
        rows.length = 0;
        ({ complete } = portal.fetchNow(ITERATE_ROWS, (batch) => shape.rows(batch, rows)));
        yield* rows.slice();
      }
      session.syncNow();
    } finally {
      portal.close();
    }
  }

  /** Runs it for its effect. Durable on return. */
  run(...parameters: unknown[]): RunResult {
    this.refresh();
    const { session, statement } = this;
    const before = session.lastCommit;
    const values = this.bind(parameters);
    const direct = statement.kind === 'plan' ? writePoint(session, statement, values) : undefined;
    if (direct !== undefined) session.syncNow();
    const changes = direct ?? this.fetch(values, 0, undefined);
    const commit = session.lastCommit;
    if (commit === undefined || commit === before) return { changes, seq: undefined };
    const { seq, durability } = commit;
    return durability === 'fsync' || !this.options.tellsDurability ? { changes, seq } : { changes, seq, durability };
  }

  /** Nothing is held between calls, so nothing is freed; it is there for `using`. */
  [Symbol.dispose](): void {}

  private fetch(values: readonly Value[], rowsMax: number, rows: Row[] | undefined): number {
    const { session, shape } = this;
    const portal = session.portal(this.statement, values);
    const outcome = portal.fetchNow(rowsMax, (batch) => {
      if (rows !== undefined) shape.rows(batch, rows);
    });
    if (!outcome.complete) portal.close();
    session.syncNow();
    return outcome.count;
  }

  /** Follows a plan that was made anew since the last call. */
  private refresh(): void {
    const { statement } = this;
    if (statement.kind !== 'plan') return;
    const plan = this.session.currentPlan(statement);
    if (plan === this.plan) return;
    this.plan = plan;
    this.shape = new RowShape(plan.fields, this.session.picture.types, this.options);
    this.writers = this.makeWriters();
  }

  private makeWriters(): readonly ((value: unknown) => Value)[] {
    const { statement, session } = this;
    const types =
      statement.kind === 'plan'
        ? statement.plan.parameterTypes
        : statement.kind === 'utility'
          ? statement.utility.parameterTypes
          : [];
    return types.map((type) => jsWriter(type, session.picture.types, session.evaluation));
  }

  private bind(parameters: readonly unknown[]): readonly Value[] {
    const { writers, values } = this;
    if (parameters.length !== writers.length) throw wrongCount(parameters.length, writers.length);
    for (let i = 0; i < parameters.length; i++) {
      const given = parameters[i];
      values[i] = given === null || given === undefined ? null : (writers[i] as (value: unknown) => Value)(given);
    }
    return values;
  }
}

/** Gathers all rows of a read. */
class RowsSink<Row> implements RowSink {
  readonly batchRowsMax = READ_ROWS;
  private readonly shape: RowShape<Row>;
  private readonly into: Row[];

  constructor(shape: RowShape<Row>, into: Row[]) {
    this.shape = shape;
    this.into = into;
  }

  rows(batch: RowBatch): boolean {
    this.shape.rows(batch, this.into);
    return false;
  }
}

/** 08P01, as PostgreSQL says it. */
export function wrongCount(given: number, needed: number): PhantomError {
  return new PhantomError('08P01', `bind message supplies ${given} parameters, but the statement requires ${needed}`);
}
