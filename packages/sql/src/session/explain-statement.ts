/**
 * EXPLAIN: shows the plan of a statement; with ANALYZE it runs the statement (its writes happen, its rows are dropped) and
 * shows what each part of the plan did.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import type { RowSink, Yielded } from '../exec/runtime.js';
import { countStorageWork, type StorageWork } from '../exec/storage-work.js';
import type { ExplainOptions } from '../plan/prepared-plan.js';
import type { Explain } from '../text/ast-statements.js';
import type { Option } from '../text/ast-leaves.js';
import type { Value } from '../types/type.js';
import { changedPlannerSettings } from './planner-switches.js';
import { threadsPlanned } from './read-elsewhere.js';
import { runPlan } from './run-plan.js';
import type { SqlSession } from './session.js';
import { type PlanStatement, type Utility, field, sendRows } from './statement.js';
import { TypeOid } from '../types/type-oids.js';

/** Rows of the statement that are dropped at a time. */
const DROPPED_ROWS = 1024;

interface Chosen extends ExplainOptions {
  readonly analyze: boolean;
  /** SETTINGS and SUMMARY: what they show is known when the statement runs. */
  readonly tellsSettings: boolean;
  readonly tellsSummary: boolean;
}

export function explainUtility(
  node: Explain,
  session: SqlSession,
  { text, declaredTypes }: { readonly text: string; readonly declaredTypes?: readonly Oid[] },
): Utility {
  const options = optionsOf(node.options);
  const inner = { node: node.statement, start: node.statement.position, end: text.length };
  const statement = session.prepare(inner, text, declaredTypes);
  if (statement.kind !== 'plan') throw unsupportedError('EXPLAIN of a statement without a plan');
  const isJson = options.format === 'json';
  const own = text.slice(inner.start, inner.end).replace(/[\s;]+$/, '');
  return {
    fields: [field('QUERY PLAN', isJson ? TypeOid.json : TypeOid.text)],
    parameterTypes: statement.plan.parameterTypes,
    transaction: 'any',
    *run(running, parameters, sink) {
      const told = { ...options, ...toldOf(running, statement, own, options) };
      const lines = options.analyze
        ? yield* analyze(running, { ...statement, text: own }, parameters, told)
        : shown(running, statement, told);
      const rows = lines.map((line) => [isJson ? { text: line } : line]);
      return yield* sendRows(rows, 1, sink);
    },
  };
}

/** What the session knows of the statement, by itself `text`, that its plan does not say. */
function toldOf(
  session: SqlSession,
  statement: PlanStatement,
  text: string,
  { tellsSettings, tellsSummary }: Chosen,
): ExplainOptions {
  const plan = session.currentPlan(statement);
  const { statements } = session.engine;
  // Clients send a statement with its semicolon or without: these are different texts to the cache.
  const isCached = [text, `${text};`].some((sent) => statements.has(sent, session.picture));
  return {
    settings: tellsSettings ? changedPlannerSettings(session.settings) : undefined,
    summary: tellsSummary ? { isCached } : undefined,
    workers: threadsPlanned(session, plan),
  };
}

/** The plan, to who may run it: it tells of the tables' sizes and values. */
function shown(session: SqlSession, statement: PlanStatement, options: Chosen): string[] {
  const plan = session.currentPlan(statement);
  session.checkPrivileges(plan.privileges);
  return plan.explain(options);
}

/** Runs the statement with its rows dropped, as runPlan does: with the rights that takes. */
function* analyze(
  session: SqlSession,
  statement: PlanStatement,
  parameters: readonly Value[],
  options: Chosen,
): Generator<Yielded, string[], void> {
  const current = session.currentPlan(statement);
  const { plan, measure } = current.measured(options.buffers === true);
  const sink: RowSink = { rows: () => false, batchRowsMax: DROPPED_ROWS };
  const execution = runPlan(session, { ...statement, plan }, parameters, sink);
  if (options.buffers === true || options.wal === true) {
    const now = (): StorageWork => ({
      ...session.engine.storage.reads(),
      logBytes: session.transaction?.storage.writtenBytes ?? 0,
    });
    yield* countStorageWork(execution, now, (work) => {
      measure.storage = work;
    });
  } else {
    yield* execution;
  }
  return current.explain({ ...options, measure });
}

function optionsOf(options: readonly Option[]): Chosen {
  const chosen = {
    costs: true,
    verbose: false,
    analyze: false,
    timing: true,
    buffers: false,
    wal: false,
    tellsSettings: false,
    tellsSummary: false,
    format: 'text' as 'text' | 'json',
  };
  for (const option of options) {
    const name = option.name.text;
    const on = isOn(option);
    if (name === 'costs') chosen.costs = on;
    else if (name === 'verbose') chosen.verbose = on;
    else if (name === 'analyze') chosen.analyze = on;
    else if (name === 'timing') chosen.timing = on;
    else if (name === 'buffers') chosen.buffers = on;
    else if (name === 'wal') chosen.wal = on;
    else if (name === 'format') chosen.format = formatOf(option);
    else if (name === 'settings') chosen.tellsSettings = on;
    else if (name === 'summary') chosen.tellsSummary = on;
    else throw new PhantomError('42601', `unrecognized EXPLAIN option "${name}"`);
  }
  if (chosen.wal && !chosen.analyze) throw new PhantomError('22023', 'EXPLAIN option WAL requires ANALYZE');
  return chosen;
}

function formatOf(option: Option): 'text' | 'json' {
  const { value } = option;
  const name = value?.kind === 'word' ? value.name[0]?.text : value?.kind === 'string' ? value.value.toLowerCase() : '';
  if (name === 'text' || name === 'json') return name;
  if (name === 'xml' || name === 'yaml') throw unsupportedError(`EXPLAIN (FORMAT ${name.toUpperCase()})`);
  throw new PhantomError('22023', `unrecognized value for EXPLAIN option "format": "${name ?? ''}"`);
}

function isOn(option: Option): boolean {
  const { value } = option;
  if (value === undefined) return true;
  if (value.kind === 'boolean') return value.value;
  if (value.kind === 'number') return value.text !== '0';
  if (value.kind === 'word') return value.name[0]?.text !== 'off';
  if (value.kind === 'string') return !['off', 'false', '0', 'no'].includes(value.value.toLowerCase());
  return true;
}
