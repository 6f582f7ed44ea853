/**
 * Scripts of statements with PostgreSQL's answers, recorded from PostgreSQL 15. A line that begins with `> ` is a statement; what
 * follows, up to the next one, is its answer: column names, rows, a row count, or an error with position and hint.
 */
import { type Scratch, isPhantomError, MemoryBudget } from '@phantom/base';
import type { SqlSession } from '../../src/index.js';
import { type BackEnd, planStatement } from '../../src/plan/plan-statement.js';
import { TimeSlice, newWorkCounters, type ExecutionContext, type RowBatch } from '../../src/exec/runtime.js';
import type { PlanField, PreparedPlan } from '../../src/plan/prepared-plan.js';
import type { Value } from '../../src/types/type.js';
import type { TestEngine } from '../support/engine.js';

export interface Answer {
  readonly fields: readonly PlanField[];
  readonly rows: readonly (readonly Value[])[];
}

export interface RunOptions {
  readonly backEnd?: BackEnd;
  readonly withoutRules?: ReadonlySet<string>;
  readonly memoryLimitBytes?: number;
  readonly parameters?: readonly Value[];
  readonly scratch?: Scratch;
}

/** Plans a query as told. */
export function planQuery(session: SqlSession, sql: string, options: RunOptions = {}): PreparedPlan {
  const [parsed] = session.parse(sql);
  if (parsed === undefined) throw new Error('no statement');
  return planStatement(parsed.node, session.picture, {
    text: sql,
    ...(options.backEnd === undefined ? {} : { backEnd: options.backEnd }),
    ...(options.withoutRules === undefined ? {} : { withoutRules: options.withoutRules }),
  });
}

/** An execution context over the newest committed state. */
export function readContext(engine: TestEngine, session: SqlSession, options: RunOptions = {}): ExecutionContext {
  return {
    parameters: options.parameters ?? [],
    evaluation: session.evaluation,
    read: engine.store.view(),
    transaction: undefined,
    readOnly: true,
    writer() {
      throw new Error('a query does not write');
    },
    *beginPart() {
      throw new Error('a query is one plan');
    },
    scratch: options.scratch,
    sortBytesMax: session.settings.integer('work_mem') * 1024,
    hashBytesMax: session.settings.integer('work_mem') * 1024 * Number(session.settings.get('hash_mem_multiplier')),
    memory: new MemoryBudget(options.memoryLimitBytes ?? 64 * 1024 * 1024),
    slice: new TimeSlice(engine.clock),
    counters: newWorkCounters(),
    columns: engine.engine.columns,
    storageReads: () => engine.engine.storage.reads(),
    split: (range, parts) => engine.engine.storage.split(range, parts),
    beginPartitions: () => undefined,
    leaderParticipates: true,
    checkPrivileges: () => undefined,
  };
}

/** Runs a planned query to its end and gathers its rows. */
export function runPlan(plan: PreparedPlan, context: ExecutionContext): (readonly Value[])[] {
  const rows: Value[][] = [];
  const sink = {
    batchRowsMax: 100,
    rows(batch: RowBatch) {
      for (let r = 0; r < batch.count; r++) rows.push(batch.columns.map((column) => column[r]));
      return false;
    },
  };
  const execution = plan.execute(context, sink);
  for (let step = execution.next(); step.done !== true; step = execution.next()) {
    if (step.value instanceof Promise) throw new Error('a query does not wait');
  }
  return rows;
}

/** Runs a query on a back end of choice, outside of any transaction. */
export function runQuery(engine: TestEngine, session: SqlSession, sql: string, options: RunOptions = {}): Answer {
  session.evaluation.beginStatement();
  const plan = planQuery(session, sql, options);
  const context = readContext(engine, session, options);
  return { fields: plan.fields, rows: runPlan(plan, context) };
}

function cell(session: SqlSession, field: PlanField, value: Value): string {
  if (value === null) return 'NULL';
  const type = session.picture.types.byOid(field.type.oid);
  const text = type?.output(value, session.evaluation) ?? String(value);
  return text === '' ? "''" : text.replaceAll('\n', '\\n');
}

export function answerLines(session: SqlSession, answer: Answer): string[] {
  const lines = [answer.fields.map((field) => field.name).join(' | ')];
  for (const row of answer.rows) {
    lines.push(`  ${row.map((value, i) => cell(session, answer.fields[i] as PlanField, value)).join(' | ')}`);
  }
  lines.push(`(${answer.rows.length} rows)`);
  return lines;
}

export function errorLines(error: unknown): string[] {
  if (!isPhantomError(error)) throw error;
  const at = error.position === undefined ? '' : ` at ${error.position}`;
  const lines = [`ERROR ${error.code}: ${error.message}${at}`];
  if (error.detail !== undefined) lines.push(`  DETAIL: ${error.detail}`);
  if (error.hint !== undefined) lines.push(`  HINT: ${error.hint}`);
  return lines;
}

/** `INSERT 0 2` as the client library shows it. */
function tagLine(tag: string): string {
  const parts = tag.split(' ');
  const last = Number(parts[parts.length - 1]);
  return Number.isInteger(last) && parts.length > 1 ? `${parts[0]} ${last}` : (parts[0] as string);
}

/** Runs one statement through the session, whatever it is. */
export async function runStatement(session: SqlSession, sql: string): Promise<string[]> {
  try {
    const [parsed] = session.parse(sql);
    if (parsed === undefined) return [];
    const statement = session.prepare(parsed, sql);
    const portal = session.portal(statement, []);
    const rows: Value[][] = [];
    const outcome = await portal.fetch(0, (batch) => {
      for (let r = 0; r < batch.count; r++) rows.push(batch.columns.map((column) => column[r]));
    });
    await session.sync();
    if (portal.fields.length > 0) return answerLines(session, { fields: portal.fields, rows });
    return [tagLine(outcome.tag)];
  } catch (error) {
    return errorLines(error);
  }
}

/** True for statements that only read: those run on a back end of choice. */
export function isQuery(sql: string): boolean {
  return (
    /^\s*[(]*\s*(select|values|with|table)\b/i.test(sql) &&
    !/\b(insert into|update \w+ set|delete from|merge into|for update|for share)\b/i.test(sql)
  );
}

export interface Block {
  readonly sql: string;
  readonly answer: readonly string[];
}

/** The statements of a script with their recorded answers. */
export function parseAnswers(text: string): Block[] {
  const blocks: { sql: string; answer: string[] }[] = [];
  for (const line of text.split('\n')) {
    if (line.startsWith('> ')) blocks.push({ sql: line.slice(2).replace(/;\s*$/, ''), answer: [] });
    else if (line !== '' && !line.startsWith('#')) blocks[blocks.length - 1]?.answer.push(line);
  }
  return blocks;
}
