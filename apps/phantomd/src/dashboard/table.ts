/** Tables whose columns sort, whose rows are filtered by a text, and which keep both while what they show is renewed. */
import { type Child, h } from './dom.js';

/** The answer to one statement. */
export interface Rows {
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  readonly rows: readonly (readonly unknown[])[];
}

export type Result = Rows | { readonly error: { readonly code?: string; readonly message: string } };

/** A row by the names of its columns. */
export type Row = Readonly<Record<string, unknown>>;

export interface Column {
  readonly name: string;
  readonly title: string;
  /** How a value is shown. Numbers stand at the right. */
  readonly format?: (value: number) => string;
  readonly kind?: 'number' | 'code' | 'text';
  /** What stands in the cell in place of the value. */
  readonly cell?: (row: Row) => Child;
}

interface Sorting {
  readonly column: string;
  readonly descending: boolean;
}

const sortings = new Map<string, Sorting>();

/** Rows as objects; none of a statement that failed. */
export function rowsOf(result: Result | undefined): Row[] {
  if (result === undefined || 'error' in result) return [];
  return result.rows.map((values) =>
    Object.fromEntries(values.map((value, i) => [result.columns[i]?.name ?? '', value])),
  );
}

/** Numbers may come as texts, where they are too long for JSON. */
export function numberOf(value: unknown): number | undefined {
  if (value === null || value === undefined || value === '') return undefined;
  const number = Number(value);
  return Number.isNaN(number) ? undefined : number;
}

/** Rows that hold the text somewhere, in the order asked for. */
export function arranged(rows: readonly Row[], filter: string, sorting: Sorting | undefined): Row[] {
  const wanted = filter.trim().toLowerCase();
  const found = rows.filter((row) =>
    Object.values(row).some((value) =>
      String(value ?? '')
        .toLowerCase()
        .includes(wanted),
    ),
  );
  if (sorting === undefined) return found;
  const { column, descending } = sorting;
  return found.toSorted((a, b) => {
    const order = compared(a[column], b[column]);
    return descending ? -order : order;
  });
}

function compared(a: unknown, b: unknown): number {
  const [first, second] = [numberOf(a), numberOf(b)];
  if (first !== undefined && second !== undefined) return first - second;
  return String(a ?? '').localeCompare(String(b ?? ''));
}

export interface TableOptions {
  /** Names the table, for what it keeps. */
  readonly id: string;
  readonly columns: readonly Column[];
  readonly filter: string;
  readonly onChange: () => void;
  /** What is said where there is no row. */
  readonly empty: string;
}

/** A table of a result, or what is wrong with it. */
export function table(result: Result | undefined, options: TableOptions): HTMLElement {
  if (result !== undefined && 'error' in result) {
    const { code, message } = result.error;
    return h(
      'p',
      { class: 'empty' },
      code === '42501' ? `Not for this role: ${message}.` : `${message} (${code ?? ''})`,
    );
  }
  const { id, columns, filter, onChange, empty } = options;
  const sorting = sortings.get(id);
  const rows = arranged(rowsOf(result), filter, sorting);
  if (rows.length === 0) return h('p', { class: 'empty' }, filter === '' ? empty : `Nothing holds "${filter}".`);
  const sortBy = (column: Column): void => {
    const descending = sorting?.column === column.name ? !sorting.descending : isNumber(column);
    sortings.set(id, { column: column.name, descending });
    onChange();
  };
  const heads = columns.map((column) =>
    h(
      'th',
      {
        class: isNumber(column) ? 'number' : undefined,
        'aria-sort': sorting?.column === column.name ? (sorting.descending ? 'descending' : 'ascending') : undefined,
      },
      h('button', { 'data-key': `${id}/${column.name}`, onclick: () => sortBy(column) }, titleOf(column, sorting)),
    ),
  );
  const body = rows.map((row) => h('tr', {}, ...columns.map((column) => cellOf(column, row))));
  return h('div', { class: 'scroll' }, h('table', {}, h('thead', {}, h('tr', {}, ...heads)), h('tbody', {}, ...body)));
}

function titleOf({ name, title }: Column, sorting: Sorting | undefined): string {
  if (sorting?.column !== name) return title;
  return `${title} ${sorting.descending ? '▼' : '▲'}`;
}

function isNumber({ format, kind }: Column): boolean {
  return format !== undefined || kind === 'number';
}

function cellOf(column: Column, row: Row): HTMLElement {
  const value = row[column.name];
  if (column.cell !== undefined) return h('td', { class: isNumber(column) ? 'number' : undefined }, column.cell(row));
  if (isNumber(column)) {
    const number = numberOf(value);
    return h('td', { class: 'number' }, number === undefined ? '–' : (column.format ?? String)(number));
  }
  const text = value === null || value === undefined || value === '' ? '–' : String(value);
  if (column.kind === undefined) return h('td', {}, text);
  return h(
    'td',
    { class: column.kind === 'code' ? 'wide code' : 'wide' },
    h('div', { class: 'clip', title: text }, text),
  );
}
