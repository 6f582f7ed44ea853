/**
 * Cursors of a body. A cursor variable holds the name under which the session knows the cursor; one that is declared with a
 * query is called like its variable.
 */
import { PhantomError } from '@phantom/base';
import type { Yielded } from '../../exec/runtime.js';
import type { Fetch } from '../../text/ast-session.js';
import { TypeOid } from '../../types/type-oids.js';
import { INT8, typeRef } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import type { Compilation } from './compilation.js';
import { Pace, loopBody, turn } from './compile-loops.js';
import { type QuerySource, querySource } from './compile-queries.js';
import type { Compiler } from './compiler.js';
import { Completion, type Step, action, waiting, waitingAction } from './steps.js';
import type {
  CloseNode,
  CursorArgument,
  CursorDeclaration,
  FetchNode,
  ForCursorNode,
  OpenNode,
  TargetNode,
} from './syntax.js';
import { RowTargets, Target } from './targets.js';
import type { Frame, Variable } from './variables.js';

const REFCURSOR = typeRef(TypeOid.refcursor);

/** A cursor whose query was declared, perhaps with parameters. */
export interface DeclaredCursor {
  readonly parameters: readonly Variable[];
  readonly source: QuerySource;
  readonly scroll: boolean | undefined;
}

/** Declares the variable, and answers how it begins. */
export function compileCursor(
  compilation: Compilation,
  { name, at, parameters: nodes, query, scroll }: CursorDeclaration,
): (frame: Frame) => Generator<Yielded, void, void> {
  const variable = compilation.declare(name, REFCURSOR, { at });
  compilation.within(name, () => {
    const parameters = nodes.map((node) =>
      compilation.declare(node.name, compilation.type(node.type), { at: node.at }),
    );
    compilation.cursors.set(variable, { parameters, source: querySource(compilation, query, 'cursor'), scroll });
  });
  return function* (frame) {
    frame.values[variable.slot] = name;
  };
}

function cursorVariable(compilation: Compilation, { path, at }: TargetNode): Variable {
  const { variable, rest } = compilation.variable(path, at);
  if (rest.length > 0 || variable.type.oid !== REFCURSOR.oid)
    throw compilation.error('42804', `variable "${path.join('.')}" must be of type cursor or refcursor`, at);
  return variable;
}

/** Gives the arguments of OPEN to the parameters that the cursor was declared with. */
function argumentsOf(
  compilation: Compilation,
  { name }: Variable,
  { parameters }: DeclaredCursor,
  args: readonly CursorArgument[],
  at: number,
): (frame: Frame) => Generator<Yielded, void, void> {
  const wrong = (what: string): PhantomError => compilation.error('42601', what, at);
  if (parameters.length === 0 && args.length > 0) throw wrong(`cursor "${name}" has no arguments`);
  if (parameters.length > 0 && args.length === 0) throw wrong(`cursor "${name}" has arguments`);
  const taken = new Set<Variable>();
  const given = args.map((argument, i) => {
    const parameter =
      argument.name === undefined ? parameters[i] : parameters.find((other) => other.name === argument.name);
    if (parameter === undefined)
      throw argument.name === undefined
        ? wrong(`too many arguments for cursor "${name}"`)
        : compilation.error('42601', `cursor "${name}" has no argument named "${argument.name}"`, argument.at);
    if (taken.has(parameter))
      throw wrong(`value for parameter "${parameter.name}" of cursor "${name}" specified more than once`);
    taken.add(parameter);
    return { code: compilation.expression(argument.value), target: new Target(compilation, parameter) };
  });
  if (args.length < parameters.length) throw wrong(`not enough arguments for cursor "${name}"`);
  return function* (frame) {
    for (const { code, target } of given) target.assign(frame, yield* code.compute(frame), code.type);
  };
}

function declaredCursor(compilation: Compilation, variable: Variable, at: number, message: string): DeclaredCursor {
  const declared = compilation.cursors.get(variable);
  if (declared === undefined) throw compilation.error('42601', message, at);
  return declared;
}

/** Opens a cursor over a query under the name that the variable holds; it holds the name afterwards. */
function* openOver(
  compilation: Compilation,
  frame: Frame,
  variable: Variable,
  source: QuerySource,
  scroll: boolean | undefined,
): Generator<Yielded, string, void> {
  const query = yield* source(frame);
  const { text, fields, tableOid, reads } = query;
  const name = frame.values[variable.slot] as string | null;
  if (name === null && variable.constant)
    throw new PhantomError('22005', `variable "${variable.name}" is declared CONSTANT`);
  if (fields.length === 0) throw new PhantomError('42P11', 'cannot open a query without rows as cursor');
  const run = query.run.bind(query);
  const opened = yield* compilation.host.cursors.open({ name, text, fields, tableOid, reads, scroll, run });
  frame.values[variable.slot] = opened;
  return opened;
}

export function compileOpen(compilation: Compilation, node: OpenNode): Step {
  const variable = cursorVariable(compilation, node.cursor);
  if (node.query !== undefined) {
    const source = querySource(compilation, node.query, 'cursor');
    return waitingAction(function* (frame) {
      yield* openOver(compilation, frame, variable, source, node.scroll);
    });
  }
  const { argumentsAt: at } = node;
  const message = `syntax error, expected "FOR" to open a cursor whose query was not declared`;
  const declared = declaredCursor(compilation, variable, at, message);
  const give = argumentsOf(compilation, variable, declared, node.arguments, at);
  return waitingAction(function* (frame) {
    yield* give(frame);
    yield* openOver(compilation, frame, variable, declared.source, declared.scroll);
  });
}

function openName(variable: Variable, frame: Frame): string {
  const name = frame.values[variable.slot] as string | null;
  if (name === null) throw new PhantomError('22004', `cursor variable "${variable.name}" is null`);
  return name;
}

export function compileFetch(compilation: Compilation, node: FetchNode): Step {
  const { direction, count, moves, at } = node;
  const variable = cursorVariable(compilation, node.cursor);
  const isMany =
    (direction === 'forward' || direction === 'backward') && (count === 'all' || typeof count === 'object');
  if (!moves && isMany) throw compilation.error('0A000', 'FETCH statement cannot return multiple rows', at);
  const targets = moves ? undefined : new RowTargets(compilation, node.into);
  const code = typeof count === 'object' ? compilation.expression(count) : undefined;
  return waitingAction(function* (frame) {
    const name = openName(variable, frame);
    let wanted: Fetch['count'] = typeof count === 'object' ? 1 : count;
    if (code !== undefined) {
      const value = compilation.convert(yield* code.compute(frame), code.type, INT8);
      if (value === null) throw new PhantomError('22004', 'relative or absolute cursor position is null');
      wanted = Number(value);
    }
    const cursor = { text: name, position: 0, quoted: true };
    const { rows, fields } = yield* compilation.host.cursors.fetch({
      kind: 'fetch',
      direction,
      count: wanted,
      cursor,
      move: moves,
      position: 0,
    });
    frame.rowCount = rows.length;
    frame.values[compilation.found.slot] = rows.length > 0;
    targets?.assign(frame, rows[0], fields);
  });
}

export function compileClose(compilation: Compilation, { cursor }: CloseNode): Step {
  const variable = cursorVariable(compilation, cursor);
  return action((frame) => compilation.host.cursors.close(openName(variable, frame)));
}

export function compileForCursor(compiler: Compiler, node: ForCursorNode): Step {
  const { compilation } = compiler;
  const { label } = node;
  const { at } = node.cursor;
  const variable = cursorVariable(compilation, node.cursor);
  const declared = declaredCursor(compilation, variable, at, 'cursor FOR loop must use a bound cursor variable');
  const give = argumentsOf(compilation, variable, declared, node.arguments, at);
  return compilation.within(label, () => {
    const target = new Target(compilation, compilation.declare(node.variable, typeRef(TypeOid.record)));
    const body = loopBody(compiler, label, node.body);
    return waiting(function* (frame) {
      yield* give(frame);
      const before = frame.values[variable.slot];
      const name = yield* openOver(compilation, frame, variable, declared.source, declared.scroll);
      compilation.host.cursors.pin(name);
      const pace = new Pace(compilation.host);
      const next = nextRow(name);
      let found = false;
      try {
        for (;;) {
          const { rows, fields } = yield* compilation.host.cursors.fetch(next);
          const [row] = rows as readonly (readonly Value[])[];
          if (row === undefined) return Completion.Next;
          found = true;
          target.assignRow(frame, row, fields);
          const left = yield* turn(body, label, frame);
          if (left !== undefined) return left;
          if (pace.isDue()) yield undefined;
        }
      } finally {
        compilation.host.cursors.close(name);
        frame.values[variable.slot] = before;
        frame.values[compilation.found.slot] = found;
      }
    });
  });
}

function nextRow(name: string): Fetch {
  const cursor = { text: name, position: 0, quoted: true };
  return { kind: 'fetch', direction: 'forward', count: 1, cursor, move: false, position: 0 };
}
