/** What plain and recursive WITH queries share: their names and columns as FROM sees them. */
import type { Binder, BoundField } from '../../expr/binder.js';
import type { CteBinding } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';

/** Output columns under the names of the WITH query's column list. */
export function renameFields(binder: Binder, table: Ast.CommonTable, fields: readonly BoundField[]): BoundField[] {
  if (table.columns.length > fields.length) {
    throw binder.context.error(
      '42P10',
      `WITH query "${table.name.text}" has ${fields.length} columns available but ${table.columns.length} columns specified`,
      table.name.position,
    );
  }
  return fields.map((field, i) => ({ ...field, name: table.columns[i]?.text ?? field.name }));
}

/** The binding of a name to a WITH query. */
export function binding(
  id: number,
  name: string,
  fields: readonly BoundField[],
  working: boolean,
  onUse: () => void,
): CteBinding {
  return {
    id,
    name,
    fields: fields.map((field) => ({ name: field.name, column: field.column, type: field.type })),
    working,
    onUse,
  };
}
