/** Statements of SQL inside a body, and those that are put together as text. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { Execution, RowSink, Yielded } from '../../exec/runtime.js';
import type { PlanField } from '../../plan/prepared-plan.js';
import { parameterNames } from '../../expr/context.js';
import type { Oid, TypeRef } from '@phantom/catalog';
import type { Statement } from '../../text/ast-statements.js';
import { TEXT } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import { inContext } from '../error-context.js';
import type { RoutineStatement } from '../routine-language.js';
import type { Compilation } from './compilation.js';
import { isAsked, report } from './extra-checks.js';
import { type ShownParameter, StatementCode } from './fragments.js';
import { DISCARD, FirstRows } from './row-sinks.js';
import { type Step, waitingAction } from './steps.js';
import type { DynamicNode, ExecuteNode, IntoNode, PerformNode, SqlNode, StatementFragment } from './syntax.js';
import { RowTargets } from './targets.js';
import type { Frame } from './variables.js';

/** A query with the values of its parameters. */
export interface ReadyQuery {
  readonly text: string;
  readonly fields: readonly PlanField[];
  readonly outputs?: readonly number[] | undefined;
  readonly tableOid?: RoutineStatement['tableOid'];
  readonly reads: readonly Oid[];
  run(sink: RowSink): Execution;
  /** `parameters: x = '1'`, for the error of INTO STRICT. */
  parameterText(): string | undefined;
}

/** What a query is prepared for: rows of a cursor can be told by WHERE CURRENT OF. */
export type QueryUse = 'rows' | 'cursor';

export type QuerySource = (frame: Frame) => Generator<Yielded, ReadyQuery, void>;

/** The query of a loop, a cursor or RETURN QUERY. */
export function querySource(
  compilation: Compilation,
  query: StatementFragment | DynamicNode,
  use: QueryUse = 'rows',
): QuerySource {
  if (query.kind === 'dynamic') return dynamicSource(compilation, query, use);
  const code = new StatementCode(query, compilation.scope, use);
  return function* (frame) {
    const statement = code.statement(frame);
    return ready(query.text, statement, code.values(frame), () =>
      shownParameters(compilation, code.parametersOf(frame)),
    );
  };
}

function ready(
  text: string,
  statement: RoutineStatement,
  values: readonly Value[],
  parameterText: ReadyQuery['parameterText'],
): ReadyQuery {
  return {
    parameterText,
    text,
    get fields() {
      return statement.fields;
    },
    outputs: statement.outputs,
    get tableOid() {
      return statement.tableOid;
    },
    get reads() {
      return statement.reads ?? [];
    },
    run: (sink) => within(text, statement.run(values, sink)),
  };
}

function shownParameters(compilation: Compilation, parameters: readonly ShownParameter[]): string | undefined {
  if (parameters.length === 0) return undefined;
  const shown = parameters.map(({ name, value, type }) => {
    const text = compilation.text(value, type);
    return `${name} = ${text === undefined ? 'NULL' : `'${text.replaceAll("'", "''")}'`}`;
  });
  return `parameters: ${shown.join(', ')}`;
}

/** An execution whose errors tell the statement's text. */
function* within(text: string, execution: Execution): Execution {
  try {
    return yield* execution;
  } catch (error) {
    throw inContext(error, `SQL statement "${text}"`);
  }
}

function dynamicSource(compilation: Compilation, node: DynamicNode, use: QueryUse): QuerySource {
  const { host } = compilation;
  const prepare = dynamicText(compilation, node);
  return function* (frame) {
    const { text, statements, values, types } = yield* prepare(frame);
    const [only] = statements;
    if (only === undefined || statements.length > 1)
      throw new PhantomError('42601', 'cannot open multi-query plan as cursor');
    return ready(text, prepareText(host, text, only, types, use), values, () =>
      dynamicParameters(compilation, values, types),
    );
  };
}

/** Those of USING. */
function dynamicParameters(
  compilation: Compilation,
  values: readonly Value[],
  types: readonly TypeRef[],
): string | undefined {
  const parameters = values.map((value, i) => ({ name: `$${i + 1}`, value, type: types[i] as TypeRef }));
  return shownParameters(compilation, parameters);
}

interface DynamicText {
  readonly text: string;
  readonly statements: readonly Statement[];
  readonly values: readonly Value[];
  readonly types: readonly TypeRef[];
}

function dynamicText(
  compilation: Compilation,
  { text, using }: DynamicNode,
): (frame: Frame) => Generator<Yielded, DynamicText, void> {
  const textCode = compilation.expression(text);
  const codes = using.map((fragment) => compilation.expression(fragment));
  return function* (frame) {
    const given = compilation.convert(yield* textCode.compute(frame), textCode.type, TEXT) as string | null;
    if (given === null) throw new PhantomError('22004', 'query string argument of EXECUTE is null');
    const values: Value[] = [];
    for (const code of codes) values.push(yield* code.compute(frame));
    const statements = inText(given, () => compilation.host.parse(given));
    return { text: given, statements, values, types: codes.map((code) => code.type) };
  };
}

function inText<T>(text: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw inContext(error, `SQL statement "${text}"`);
  }
}

function prepareText(
  host: Compilation['host'],
  text: string,
  node: Statement,
  types: readonly TypeRef[],
  use: QueryUse = 'rows',
): RoutineStatement {
  const prepare = use === 'cursor' ? host.prepareCursor : host.prepare;
  const names = parameterNames(
    '',
    types.map(() => ''),
  );
  return inText(text, () => prepare(node, text, types, { names, wanted: undefined, stored: undefined }));
}

/** Statements that change rows: their INTO takes what they return, and asks for one row at most. */
const CHANGES: ReadonlySet<Statement['kind']> = new Set(['insert', 'update', 'delete', 'merge']);

export function compileSql(compilation: Compilation, { statement, into }: SqlNode): Step {
  const { node } = statement;
  if (into === undefined && node.kind === 'query') {
    return waitingAction(function* () {
      throw new PhantomError('42601', 'query has no destination for result data', {
        hint: 'If you want to discard the results of a SELECT, use PERFORM instead.',
      });
    });
  }
  const isCounted = node.kind === 'query' || CHANGES.has(node.kind);
  const source = querySource(compilation, statement);
  if (into === undefined) {
    return waitingAction(function* (frame) {
      const query = yield* source(frame);
      if (query.fields.length > 0 && CHANGES.has(node.kind))
        throw new PhantomError('42601', 'query has no destination for result data');
      const count = yield* query.run(DISCARD);
      if (isCounted) note(compilation, frame, count);
    });
  }
  const read = intoReader(compilation, into, CHANGES.has(node.kind));
  return waitingAction(function* (frame) {
    yield* read(frame, yield* source(frame));
  });
}

/** FOUND and ROW_COUNT after a statement that was counted. */
function note({ found }: Compilation, frame: Frame, count: number): void {
  frame.rowCount = count;
  frame.values[found.slot] = count > 0;
}

/** Runs a query and gives its first row to the targets of INTO. */
function intoReader(
  compilation: Compilation,
  { targets: nodes, strict }: IntoNode,
  changes: boolean,
): (frame: Frame, query: ReadyQuery, counts?: boolean) => Generator<Yielded, void, void> {
  const targets = new RowTargets(compilation, nodes);
  const { host } = compilation;
  return function* (frame, query, counts = true) {
    const isChecked = counts && isAsked(host, 'too_many_rows');
    const rows = new FirstRows(strict || changes || isChecked ? 2 : 1);
    if (changes) yield* query.run(keepAll(rows));
    else yield* rows.readFrom(query.run(rows));
    const { kept } = rows;
    if (query.fields.length === 0) throw new PhantomError('42601', 'INTO used with a command that cannot return data');
    const detail = strict && compilation.printsStrictParameters ? query.parameterText() : undefined;
    if (kept.length === 0 && strict) throw new PhantomError('P0002', 'query returned no rows', { detail });
    if (kept.length > 1) {
      const hint = counts ? 'Make sure the query returns a single row, or use LIMIT 1.' : undefined;
      const error = new PhantomError('P0003', 'query returned more than one row', { detail, hint });
      if (strict || changes) throw error;
      report(host, 'too_many_rows', error);
    }
    targets.assign(frame, kept[0], query.fields);
    if (counts) note(compilation, frame, kept.length);
    else frame.rowCount = kept.length;
  };
}

/** As the sink, without a rest: what changes rows runs to its end. */
export function keepAll(rows: FirstRows): RowSink {
  return {
    batchRowsMax: 1024,
    rows(batch) {
      rows.rows(batch);
      return false;
    },
  };
}

export function compilePerform(compilation: Compilation, { statement }: PerformNode): Step {
  const source = querySource(compilation, statement);
  return waitingAction(function* (frame) {
    const query = yield* source(frame);
    note(compilation, frame, yield* query.run(DISCARD));
  });
}

export function compileDynamic(compilation: Compilation, { dynamic, into }: ExecuteNode): Step {
  const { host } = compilation;
  const prepare = dynamicText(compilation, dynamic);
  const read = into === undefined ? undefined : intoReader(compilation, into, false);
  return waitingAction((frame) => host.withinTransaction(run(frame)));

  function* run(frame: Frame): Generator<Yielded, void, void> {
    const { text, statements, values, types } = yield* prepare(frame);
    for (let i = 0; i < statements.length; i++) {
      const node = statements[i] as Statement;
      if (node.kind === 'commit' || node.kind === 'rollback' || node.kind === 'begin')
        throw unsupportedError('EXECUTE of transaction commands');
      const query = ready(text, prepareText(host, text, node, types), values, () =>
        dynamicParameters(compilation, values, types),
      );
      if (read !== undefined && i === statements.length - 1) yield* read(frame, query, false);
      else frame.rowCount = yield* query.run(DISCARD);
    }
  }
}
