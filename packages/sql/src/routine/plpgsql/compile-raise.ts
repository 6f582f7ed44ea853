/** RAISE, ASSERT and GET DIAGNOSTICS. */
import { type ErrorFields, PhantomError } from '@phantom/base';
import type { NoticeSeverity } from '../../ddl/context.js';
import type { Yielded } from '../../exec/runtime.js';
import { INT8, TEXT } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import type { Compilation } from './compilation.js';
import { compileCondition } from './compile-control.js';
import { namedStates } from './compile-blocks.js';
import { statesOf } from './conditions.js';
import type { ExpressionCode } from './fragments.js';
import { type Step, action, waitingAction } from './steps.js';
import type { AssertNode, DiagnosticsNode, RaiseLevel, RaiseNode } from './syntax.js';
import { targetOf } from './targets.js';
import type { Frame } from './variables.js';

/** What each option sets. */
const OPTIONS = {
  errcode: 'code',
  message: 'message',
  detail: 'detail',
  hint: 'hint',
  column: 'column',
  constraint: 'constraint',
  datatype: 'dataType',
  table: 'table',
  schema: 'schema',
} as const;

type OptionField = (typeof OPTIONS)[keyof typeof OPTIONS];

const SEVERITIES: Readonly<Record<Exclude<RaiseLevel, 'exception'>, { severity: NoticeSeverity; code: string }>> = {
  debug: { severity: 'DEBUG', code: '00000' },
  log: { severity: 'LOG', code: '00000' },
  info: { severity: 'INFO', code: '00000' },
  notice: { severity: 'NOTICE', code: '00000' },
  warning: { severity: 'WARNING', code: '01000' },
};

export function compileRaise(compilation: Compilation, node: RaiseNode): Step {
  const { condition, format, level } = node;
  const isBare = condition === undefined && format === undefined && node.options.length === 0;
  if (isBare) return action(raiseAgain);
  const [stated] =
    condition === undefined ? [undefined] : condition.kind === 'state' ? [condition.text] : namedStates(condition.text);
  const args = node.arguments.map((fragment) => compilation.expression(fragment));
  const options = node.options.map(({ name, value, at }) => {
    const field = Object.hasOwn(OPTIONS, name) ? OPTIONS[name as keyof typeof OPTIONS] : undefined;
    if (field === undefined) throw compilation.error('42601', 'unrecognized RAISE statement option', at);
    return { name, field, code: compilation.expression(value) };
  });
  return waitingAction(function* (frame) {
    const given: Partial<Record<OptionField, string>> = {};
    if (stated !== undefined) given.code = stated;
    if (condition?.kind === 'name') given.message = condition.text;
    if (format !== undefined) given.message = filled(format, yield* texts(compilation, args, frame));
    for (const { name, field, code } of options) {
      const isTaken =
        field === 'code'
          ? given.code !== undefined
          : field === 'message'
            ? format !== undefined
            : given[field] !== undefined;
      if (isTaken) throw new PhantomError('42601', `RAISE option already specified: ${name.toUpperCase()}`);
      const [text] = yield* texts(compilation, [code], frame);
      if (text === undefined) throw new PhantomError('22004', 'RAISE statement option cannot be null');
      given[field] = field === 'code' ? codeOf(text) : text;
    }
    const { code, message, ...fields } = given;
    raise(compilation, frame, level, code, message ?? code, fields);
  });
}

/** RAISE alone: the error whose handler runs, once more. */
function raiseAgain(frame: Frame): void {
  const error = frame.errors.at(-1);
  if (error === undefined)
    throw new PhantomError('0Z002', 'RAISE without parameters cannot be used outside an exception handler');
  frame.told = error;
  throw error;
}

function raise(
  compilation: Compilation,
  frame: Frame,
  level: RaiseLevel,
  code: string | undefined,
  message: string | undefined,
  fields: ErrorFields,
): void {
  const text = message ?? 'P0001';
  if (level === 'exception') throw new PhantomError(code ?? 'P0001', text, { ...fields, family: 'input' });
  const { severity, code: usual } = SEVERITIES[level];
  compilation.host.notice(severity, code ?? usual, text, { ...fields, where: compilation.contextLine(frame) });
}

function codeOf(text: string): string {
  if (/^[0-9A-Z]{5}$/.test(text)) return text;
  const [state] = statesOf(text) ?? [];
  if (state === undefined) throw new PhantomError('42704', `unrecognized exception condition "${text}"`);
  return state;
}

function* texts(
  compilation: Compilation,
  codes: readonly ExpressionCode[],
  frame: Frame,
): Generator<Yielded, (string | undefined)[], void> {
  const result: (string | undefined)[] = [];
  for (const code of codes) {
    const value = code.isPlain ? code.value(frame) : yield* code.compute(frame);
    result.push(compilation.text(value, code.type));
  }
  return result;
}

/** The format with an argument for each %. */
function filled(format: string, args: readonly (string | undefined)[]): string {
  let next = 0;
  return format.replaceAll(/%%|%/g, (found) => (found === '%%' ? '%' : (args[next++] ?? '<NULL>')));
}

export function compileAssert(compilation: Compilation, { condition, message }: AssertNode): Step {
  const { code, holds } = compileCondition(compilation, condition);
  const text = message === undefined ? undefined : compilation.expression(message);
  return waitingAction(function* (frame) {
    if (compilation.host.setting('plpgsql.check_asserts') === 'off') return;
    if (holds(yield* code.compute(frame))) return;
    const [said] = text === undefined ? [undefined] : yield* texts(compilation, [text], frame);
    throw new PhantomError('P0004', said ?? 'assertion failed');
  });
}

export function compileDiagnostics(compilation: Compilation, { stacked, items }: DiagnosticsNode): Step {
  const targets = items.map(({ target: node, item }) => {
    const target = targetOf(compilation, node);
    if (target.isRow) throw compilation.error('42601', `"${node.path.join('.')}" is not a scalar variable`, node.at);
    return { target, item };
  });
  return action((frame) => {
    const error = stacked ? frame.errors.at(-1) : undefined;
    if (stacked && error === undefined) {
      const message = 'GET STACKED DIAGNOSTICS cannot be used outside an exception handler';
      throw new PhantomError('0Z002', message);
    }
    for (const { target, item } of targets) {
      if (item === 'row_count') target.assign(frame, frame.rowCount, INT8);
      else if (item === 'pg_context') target.assign(frame, compilation.contextLine(frame), TEXT);
      else target.assign(frame, diagnostic(error as PhantomError, item), TEXT);
    }
  });
}

/** What an error says of itself; empty where it says nothing. */
function diagnostic(error: PhantomError, item: string): Value {
  const values: Readonly<Record<string, string | undefined>> = {
    returned_sqlstate: error.code,
    message_text: error.message,
    pg_exception_detail: error.detail,
    pg_exception_hint: error.hint,
    pg_exception_context: error.where,
    column_name: error.column,
    constraint_name: error.constraint,
    pg_datatype_name: error.dataType,
    table_name: error.table,
    schema_name: error.schema,
  };
  return values[item] ?? '';
}
