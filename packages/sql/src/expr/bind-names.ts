/** Column references, whole rows, and the errors for names that are not there. */
import type { QualifiedName } from '../text/ast-leaves.js';
import type { BindContext } from './context.js';
import type { Expression } from './expression.js';
import { nearestNames } from './nearest-name.js';
import type { RangeItem, Scope, ScopeColumn } from './scope.js';
import { isSystemColumn } from '../storage/system-columns.js';
import { typeRef } from '../types/type-refs.js';
import { TypeOid } from '../types/type-oids.js';

interface Found {
  readonly expression: Expression;
  readonly item: RangeItem;
}

function use(item: RangeItem, index: number): void {
  item.onUse?.(index);
}

function isUsable(item: RangeItem): boolean {
  return !item.lateralOnly;
}

function findInItem(item: RangeItem, name: string): ScopeColumn | 'ambiguous' | undefined {
  let found: ScopeColumn | undefined;
  for (let i = 0; i < item.columns.length; i++) {
    const column = item.columns[i] as ScopeColumn;
    if (column.name !== name) continue;
    if (found !== undefined) return 'ambiguous';
    found = column;
    use(item, i);
  }
  if (found !== undefined) return found;
  const hidden = item.hidden.find((column) => column.name === name);
  if (hidden?.ofTable === true) use(item, -1);
  return hidden;
}

function ambiguous(context: BindContext, name: string, position: number): Error {
  return context.error('42702', `column reference "${name}" is ambiguous`, position);
}

function checkLateral(context: BindContext, item: RangeItem, position: number): void {
  if (!item.lateralForbidden) return;
  throw context.error('42P10', `invalid reference to FROM-clause entry for table "${item.name ?? ''}"`, position, {
    detail: 'The combining JOIN type must be INNER or LEFT for a LATERAL reference.',
  });
}

/** An unqualified column, level by level outwards. */
export function findColumn(scope: Scope, name: string, position: number): Found | undefined {
  const { context } = scope;
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    let found: Found | undefined;
    for (const item of level.items) {
      if (!item.columnsVisible || !isUsable(item)) continue;
      const column = findInItem(item, name);
      if (column === undefined) continue;
      if (column === 'ambiguous') throw ambiguous(context, name, position);
      if (found !== undefined) {
        // A system column of several tables is ambiguous too, but a real column hides it.
        throw ambiguous(context, name, position);
      }
      checkLateral(context, item, position);
      found = { expression: column.expression, item };
    }
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The range item of a qualifier, level by level outwards. */
export function findRangeItem(
  scope: Scope,
  schema: string | undefined,
  name: string,
  position: number,
): RangeItem | undefined {
  const { context } = scope;
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    let found: RangeItem | undefined;
    for (const item of level.items) {
      if (!item.relationVisible || item.name !== name || !isUsable(item)) continue;
      if (schema !== undefined && item.schema !== schema) continue;
      if (found !== undefined) throw context.error('42P09', `table reference "${name}" is ambiguous`, position);
      checkLateral(context, item, position);
      found = item;
    }
    if (found !== undefined) return found;
  }
  return undefined;
}

/** 42P01 for a qualifier, with PostgreSQL's hints about what the writer may have meant. */
export function missingRangeItem(scope: Scope, name: string, position: number): Error {
  const { context } = scope;
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    for (const item of level.items) {
      if (item.name !== name) continue;
      return context.error('42P01', `invalid reference to FROM-clause entry for table "${name}"`, position, {
        hint: `There is an entry for table "${name}", but it cannot be referenced from this part of the query.`,
      });
    }
  }
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    for (const item of level.items) {
      if (item.table?.name !== name || item.name === undefined) continue;
      return context.error('42P01', `invalid reference to FROM-clause entry for table "${name}"`, position, {
        hint: `Perhaps you meant to reference the table alias "${item.name}".`,
      });
    }
  }
  return context.error('42P01', `missing FROM-clause entry for table "${name}"`, position);
}

/** Columns that may have been meant, by the names under which they are reached. */
function* columnNames(scope: Scope): Iterable<{ readonly name: string; readonly shown: string }> {
  for (let level: Scope | undefined = scope; level !== undefined; level = level.parent) {
    for (const item of level.items) {
      if (item.name === undefined || !item.relationVisible) continue;
      for (const column of item.columns) yield { name: column.name, shown: `${item.name}.${column.name}` };
    }
  }
}

/** 42703 with the nearest names there are. */
export function missingColumn(scope: Scope, name: string, position: number, qualifier?: RangeItem): Error {
  const { context } = scope;
  if (
    isSystemColumn(name) &&
    (qualifier === undefined ? scope.items : [qualifier]).some(({ table }) => table !== undefined)
  )
    throw context.unsupported(`system column ${name} here`, position);
  const shown = qualifier?.name === undefined ? `"${name}"` : `${qualifier.name}.${name}`;
  const candidates =
    qualifier === undefined
      ? [...columnNames(scope)]
      : qualifier.columns.map((column) => ({ name: column.name, shown: `${qualifier.name ?? ''}.${column.name}` }));
  const nearest = nearestNames(name, candidates);
  if (nearest.length === 0 || nearest.length > 2) {
    return context.error('42703', `column ${shown} does not exist`, position);
  }
  return context.error('42703', `column ${shown} does not exist`, position, {
    hint: `Perhaps you meant to reference ${nearest.map((full) => `the column "${full}"`).join(' or ')}.`,
  });
}

/** All columns of an item as one record. */
export function wholeRow(item: RangeItem): Expression {
  item.columns.forEach((_, i) => use(item, i));
  const [only] = item.columns;
  if (item.scalarRow && only !== undefined) return only.expression;
  const columns = item.rowColumns ?? item.columns;
  const row: Expression = {
    kind: 'row',
    fields: columns.map((column) => column.expression),
    names: columns.map((column) => column.name),
    type: typeRef(item.rowTypeOid === 0 ? TypeOid.record : item.rowTypeOid),
  };
  if (item.marker === undefined) return row;
  const marker: Expression = { kind: 'column', column: item.marker, type: typeRef(TypeOid.bool) };
  return {
    kind: 'case',
    branches: [
      {
        when: { kind: 'null-test', operand: marker, negated: false, row: false, type: typeRef(TypeOid.bool) },
        then: { kind: 'constant', value: null, type: row.type },
      },
    ],
    otherwise: row,
    type: row.type,
  };
}

/** What names stand for, and the names that follow: fields of a composite. */
interface NamedValue {
  readonly expression: Expression;
  readonly rest: QualifiedName;
}

/** Names that mean a parameter or a variable of the routine whose body is being bound. */
function findParameter({ context }: Scope, names: QualifiedName): NamedValue | undefined {
  const found = context.parameterNames?.find(names.map((name) => name.text));
  if (found === undefined) return undefined;
  const { index, used } = found;
  return { expression: { kind: 'parameter', index, type: context.parameters.get(index) }, rest: names.slice(used) };
}

/** A variable of the routine whose body is being bound that a row can be asked of: `new.*`. */
export function rowVariable(scope: Scope, names: QualifiedName): Expression | undefined {
  const found = findParameter(scope, names);
  return found?.rest.length === 0 ? found.expression : undefined;
}

/** The name as a column or, failing that, a whole row, or else a parameter. */
export function bindColumnName(scope: Scope, names: QualifiedName, position: number): NamedValue {
  const { context } = scope;
  const [first] = names;
  if (first === undefined) throw context.error('42601', 'a column name is empty', position);
  const parameter = findParameter(scope, names);
  const prefers = context.parameterNames?.prefers;
  if (parameter !== undefined && prefers === 'variables') return parameter;
  const missing =
    parameter === undefined ? context.parameterNames?.missing?.(names.map((name) => name.text)) : undefined;
  const column = findNamedColumn(scope, names, position, parameter !== undefined || missing !== undefined);
  if (column === undefined) {
    if (parameter !== undefined) return parameter;
    throw missing ?? missingColumn(scope, first.text, position);
  }
  if (parameter !== undefined && prefers === 'neither') {
    const shown = names.map((name) => name.text).join('.');
    throw context.error('42702', `column reference "${shown}" is ambiguous`, position, {
      detail: 'It could refer to either a PL/pgSQL variable or a table column.',
    });
  }
  return column;
}

/** Undefined where there is none of the name, if that may be; otherwise an error that says so. */
function findNamedColumn(
  scope: Scope,
  names: QualifiedName,
  position: number,
  mayBeMissing: boolean,
): NamedValue | undefined {
  const { context } = scope;
  const [first, second, third] = names as [QualifiedName[number], ...QualifiedName];
  if (second === undefined) {
    const found = findColumn(scope, first.text, position);
    if (found !== undefined) return { expression: found.expression, rest: [] };
    const item = findRangeItem(scope, undefined, first.text, position);
    if (item !== undefined) return { expression: wholeRow(item), rest: [] };
    if (mayBeMissing) return undefined;
    throw missingColumn(scope, first.text, position);
  }
  const inItem = (item: RangeItem, name: string, rest: QualifiedName): NamedValue | undefined => {
    const column = findInItem(item, name);
    if (column === 'ambiguous') throw ambiguous(context, name, position);
    if (column !== undefined) return { expression: column.expression, rest };
    if (mayBeMissing) return undefined;
    throw missingColumn(scope, name, position, item);
  };
  const table = findRangeItem(scope, undefined, first.text, position);
  if (table !== undefined) return inItem(table, second.text, names.slice(2));
  if (third !== undefined) {
    const inSchema = findRangeItem(scope, first.text, second.text, position);
    if (inSchema !== undefined) return inItem(inSchema, third.text, names.slice(3));
    if (names.length === 4 && first.text === context.catalog.databaseName) {
      return findNamedColumn(scope, names.slice(1), position, mayBeMissing);
    }
  }
  const composite = findColumn(scope, first.text, position);
  if (composite !== undefined) return { expression: composite.expression, rest: names.slice(1) };
  if (mayBeMissing) return undefined;
  throw missingRangeItem(scope, third === undefined ? first.text : second.text, position);
}
