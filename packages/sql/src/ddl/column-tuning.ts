/**
 * What ALTER TABLE and ALTER INDEX say of a column to those who gather statistics of it and to those who store it.
 *
 *   SET STATISTICS n          ANALYZE keeps up to n common values and n buckets of the column, and nothing of it for 0
 *   SET (n_distinct = ...)    ANALYZE takes this for the count of distinct values; a negative number is a share of the rows
 *   SET STORAGE, SET COMPRESSION   advice to PostgreSQL's storage: checked, kept and shown, and a NOTICE says that it changes nothing
 *
 * Of expressions of indexes nothing is gathered, so that their targets are kept, shown and told of in the same way. Which settings
 * of objects are kept without an effect stands in docs/storage-parameters.md.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { ColumnDescriptor, IndexDescriptor, TableDescriptor } from '@phantom/catalog';
import { isSystemColumn } from '../storage/system-columns.js';
import type { Name, Option } from '../text/ast-leaves.js';
import type { AlterTableAction } from '../text/ast-schema.js';
import { columnOf, replaceColumn } from './alter-columns.js';
import { checkedTarget, compressedBy, storedAs } from './column-advice.js';
import type { DdlContext } from './context.js';
import { noteWithoutEffect, optionText } from './storage-options.js';

type Action<K extends AlterTableAction['kind']> = AlterTableAction & { readonly kind: K };

type StorageAction = AlterTableAction & { readonly column: Name; readonly value: Name };

const DISTINCT_OPTIONS = ['n_distinct', 'n_distinct_inherited'];

/** ALTER COLUMN ... SET STATISTICS of a table. */
export function setStatistics(context: DdlContext, table: TableDescriptor, action: Action<'set-statistics'>): void {
  if (typeof action.column === 'number')
    throw new PhantomError('0A000', 'cannot refer to non-index column by number', { position: action.position + 1 });
  const { statisticsTarget: _old, ...column } = alterable(table, action.column);
  const target = checkedTarget(context, action.value);
  replaceColumn(context, table, target === undefined ? column : { ...column, statisticsTarget: target });
}

/** ALTER INDEX ... ALTER COLUMN number SET STATISTICS: of an expression. */
export function setIndexStatistics(
  context: DdlContext,
  index: IndexDescriptor,
  action: Action<'set-statistics'>,
): IndexDescriptor {
  const { column: number } = action;
  if (typeof number !== 'number') throw unsupportedError('ALTER INDEX ... ALTER COLUMN by a name');
  const part = index.parts[number - 1];
  const included = number > index.parts.length && number <= index.parts.length + index.include.length;
  if (part === undefined && !included)
    throw new PhantomError('42703', `column number ${number} of relation "${index.name}" does not exist`);
  if (part?.expressionSql === undefined)
    throw new PhantomError(
      '0A000',
      `cannot alter statistics on ${included ? 'included' : 'non-expression'} column ${number} of index "${index.name}"`,
      { hint: 'Alter statistics on table column instead.' },
    );
  const target = checkedTarget(context, action.value);
  const { statisticsTarget: _old, ...rest } = part;
  const changed = target === undefined ? rest : { ...rest, statisticsTarget: target };
  if (target !== undefined) noteWithoutEffect(context, 'SET STATISTICS of an index');
  return { ...index, parts: index.parts.map((other) => (other === part ? changed : other)) };
}

/** ALTER COLUMN ... SET STORAGE. */
export function setStorage(context: DdlContext, table: TableDescriptor, { column, value }: StorageAction): void {
  replaceColumn(context, table, storedAs(context, alterable(table, column), value));
}

/** ALTER COLUMN ... SET COMPRESSION. */
export function setCompression(context: DdlContext, table: TableDescriptor, { column, value }: StorageAction): void {
  replaceColumn(context, table, compressedBy(context, alterable(table, column), value));
}

/** ALTER COLUMN ... SET (...) and RESET (...). */
export function setColumnOptions(
  context: DdlContext,
  table: TableDescriptor,
  action: Action<'set-column-options' | 'reset-column-options'>,
): void {
  const { options: before = {}, ...column } = alterable(table, action.column);
  const options: Record<string, string> = { ...before };
  for (const option of action.options) {
    const name = option.name.text;
    if (!DISTINCT_OPTIONS.includes(name))
      throw new PhantomError('22023', `unrecognized parameter "${name}"`, { position: option.position + 1 });
    if (action.kind === 'set-column-options') options[name] = distinctText(option);
    else delete options[name];
  }
  replaceColumn(context, table, Object.keys(options).length === 0 ? column : { ...column, options });
}

function distinctText(option: Option): string {
  const name = option.name.text;
  const text = optionText(option);
  const value = Number(text);
  if (text.trim() === '' || Number.isNaN(value))
    throw new PhantomError('22023', `invalid value for floating point option "${name}": ${text}`);
  if (value < -1)
    throw new PhantomError('22023', `value ${text} out of bounds for option "${name}"`, {
      detail: `Valid values are between "-1.000000" and "${Number.MAX_VALUE}".`,
    });
  return text;
}

function alterable(table: TableDescriptor, name: Name): ColumnDescriptor {
  if (isSystemColumn(name.text)) throw new PhantomError('0A000', `cannot alter system column "${name.text}"`);
  return columnOf(table, name);
}
