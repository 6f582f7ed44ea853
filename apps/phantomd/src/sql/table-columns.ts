/** What import and export have to know of a table: its columns in order. */
import type { SqlTarget } from './target.js';

export interface TableColumn {
  readonly name: string;
  readonly isArray: boolean;
}

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** Columns that take values, of a table as SQL would name it (schema.table, quotes where they are needed). 42P01 when there is none. */
export async function tableColumns(target: SqlTarget, table: string): Promise<TableColumn[]> {
  const columns: TableColumn[] = [];
  await target.run(
    `select a.attname, t.typcategory = 'A' from pg_attribute a join pg_type t on t.oid = a.atttypid
     where a.attrelid = ${quoteText(table)}::regclass and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
     order by a.attnum`,
    ({ rows }) => {
      for (const [name, isArray] of rows) columns.push({ name: name as string, isArray: isArray === 't' });
    },
  );
  return columns;
}

/** A list of columns, in parentheses. */
export function columnList(columns: readonly { readonly name: string }[]): string {
  return `(${columns.map(({ name }) => quoteName(name)).join(', ')})`;
}
