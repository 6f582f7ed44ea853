/** jsonb_path_*, @? and @@. The _tz variants may use the session's time zone, the others may not. */
import { PhantomError, isPhantomError } from '@phantom/base';
import { type DocumentValue, Jsonb } from '@phantom/codec';
import { type Implementation, type Implementations, scalar, setOf } from '../implementation.js';
import type { EvaluationContext } from '../registry.js';
import { PathExecution, type PathItem, itemJsonb } from './path-execution.js';
import { type JsonPath, parseJsonPath } from './path-syntax.js';

const PATHS_KEPT_MAX = 256;
const paths = new Map<string, JsonPath>();

/** The tree of a path's text, kept by text. */
function compiled(text: string): JsonPath {
  let path = paths.get(text);
  if (path === undefined) {
    path = parseJsonPath(text);
    if (paths.size >= PATHS_KEPT_MAX) paths.clear();
    paths.set(text, path);
  }
  return path;
}

function variablesOf(variables: Jsonb): ReturnType<Jsonb['value']> {
  const value = variables.value();
  if (!(value instanceof Map)) {
    throw new PhantomError('22023', '"vars" argument is not an object', {
      detail: 'Jsonpath parameters should be encoded as key-value pairs of "vars" object.',
    });
  }
  return value;
}

interface Found {
  /** Those before the error, where there was one. */
  readonly items: readonly PathItem[];
  /** An error was swallowed that decides. */
  readonly failed: boolean;
}

/** What a path finds; `first` where one item is enough in lax mode, which then hides errors behind it. */
function run(
  document: Jsonb,
  path: string,
  variables: Jsonb | undefined,
  silent: boolean,
  timeZone: string | undefined,
  first = false,
): Found {
  const options = { variables: variables && variablesOf(variables), silent, timeZone };
  const items: PathItem[] = [];
  const parsed = compiled(path);
  try {
    new PathExecution(parsed, document.value(), options).run(items);
  } catch (error) {
    const enough = first && parsed.lax && items.length > 0;
    const swallowed = isPhantomError(error) && error.data?.['jsonpath'] === true && (silent || enough);
    if (!swallowed) throw error;
    return { items, failed: !enough };
  }
  return { items, failed: false };
}

/** Items of a path over a document, errors raised; variables by name. */
export function pathItems(
  document: DocumentValue,
  path: string,
  variables: ReadonlyMap<string, DocumentValue>,
  timeZone: string,
): PathItem[] {
  const items: PathItem[] = [];
  new PathExecution(compiled(path), document, { variables: new Map(variables), silent: false, timeZone }).run(items);
  return items;
}

type PathResult = (found: Found, silent: boolean) => unknown;

function match({ items }: Found, silent: boolean): boolean | null {
  const [item] = items;
  if (items.length === 1) {
    if (typeof item === 'boolean') return item;
    if (item === null) return null;
  }
  if (silent) return null;
  throw new PhantomError('22038', 'single boolean result is expected');
}

const DEFAULTS = [Jsonb.of(new Map()), false] as const;

function pathFunction(result: PathResult, useZone: boolean): Implementation {
  return scalar(
    (document: Jsonb, path: string, variables: Jsonb, silent: boolean, context: EvaluationContext) =>
      result(run(document, path, variables, silent, useZone ? context.timeZone : undefined, result === exists), silent),
    { context: true, defaults: DEFAULTS },
  );
}

const exists: PathResult = ({ items, failed }) => (failed ? null : items.length > 0);
const array: PathResult = ({ items }) => Jsonb.of(items.map((item) => itemJsonb(item).value()));
const first: PathResult = ({ items }) => (items.length === 0 ? null : itemJsonb(items[0] as PathItem));

function pathSet(useZone: boolean): Implementation {
  return setOf(
    (document: Jsonb, path: string, variables: Jsonb, silent: boolean, context: EvaluationContext) =>
      run(document, path, variables, silent, useZone ? context.timeZone : undefined).items.map(itemJsonb),
    { context: true, defaults: DEFAULTS },
  );
}

export const jsonPathFunctions: Implementations = {
  jsonb_path_exists: pathFunction(exists, false),
  jsonb_path_exists_tz: pathFunction(exists, true),
  jsonb_path_match: pathFunction(match, false),
  jsonb_path_match_tz: pathFunction(match, true),
  jsonb_path_query_array: pathFunction(array, false),
  jsonb_path_query_array_tz: pathFunction(array, true),
  jsonb_path_query_first: pathFunction(first, false),
  jsonb_path_query_first_tz: pathFunction(first, true),
  jsonb_path_query: pathSet(false),
  jsonb_path_query_tz: pathSet(true),
  // The operators are silent, and every variable is null to them.
  jsonb_path_exists_opr: (document: Jsonb, path: string) =>
    exists(run(document, path, undefined, true, undefined, true), true),
  jsonb_path_match_opr: (document: Jsonb, path: string) => match(run(document, path, undefined, true, undefined), true),
};
