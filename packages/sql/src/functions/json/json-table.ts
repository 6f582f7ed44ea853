/**
 * JSON_TABLE at run time: the rows of a path over a document, a value for each column, and rows of nested paths joined to
 * theirs. Nested paths that stand side by side do not multiply: the rows of each come with nulls in the columns of the
 * others, and a row without any nested rows keeps nulls in theirs.
 */
import type { DocumentValue } from '@phantom/codec';
import type { Value } from '../../types/type.js';
import { pathItems } from '../jsonpath/jsonpath-functions.js';
import { itemJsonb } from '../jsonpath/path-execution.js';
import type { EvaluationContext } from '../registry.js';
import { type JsonOutcome, type JsonQuerySpec, runJsonQuery } from './sql-json.js';

/** A column of the table, by its place among all of them. */
export interface JsonTableColumnSpec {
  readonly at: number;
  /** undefined: FOR ORDINALITY. */
  readonly query: { readonly spec: JsonQuerySpec; readonly path: string } | undefined;
  readonly onEmpty: JsonOutcome;
  readonly onError: JsonOutcome;
}

export interface JsonTableLevel {
  readonly path: string;
  readonly columns: readonly JsonTableColumnSpec[];
  readonly nested: readonly JsonTableLevel[];
}

interface Run {
  readonly width: number;
  readonly variables: ReadonlyMap<string, DocumentValue>;
  readonly context: EvaluationContext;
}

function* rowsOfLevel(level: JsonTableLevel, document: DocumentValue, run: Run): Generator<Value[], void, void> {
  const { variables, context, width } = run;
  let ordinal = 0;
  for (const item of pathItems(document, level.path, variables, context.timeZone)) {
    ordinal++;
    const value = itemJsonb(item).value();
    const row: Value[] = Array.from({ length: width }, () => null);
    for (const column of level.columns) {
      row[column.at] =
        column.query === undefined
          ? ordinal
          : runJsonQuery(
              value,
              column.query.path,
              variables,
              column.query.spec,
              column.onEmpty,
              column.onError,
              context,
            );
    }
    let any = false;
    for (const nested of level.nested) {
      for (const inner of rowsOfLevel(nested, value, run)) {
        any = true;
        yield inner.map((cell, i) => cell ?? row[i] ?? null);
      }
    }
    if (!any) yield row;
  }
}

/** All rows, each with `width` values. */
export function jsonTableRows(
  level: JsonTableLevel,
  document: DocumentValue,
  width: number,
  variables: ReadonlyMap<string, DocumentValue>,
  context: EvaluationContext,
): Iterable<Value[]> {
  return rowsOfLevel(level, document, { width, variables, context });
}
