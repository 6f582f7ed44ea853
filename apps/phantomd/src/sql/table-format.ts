/**
 * Rows as a table of fixed width, after psql; and as boxes.
 *
 *    id | name             ┌────┬──────┐
 *   ----+------            │ id │ name │
 *     1 | Ada              ├────┼──────┤
 *   (1 row)                │  1 │ Ada  │
 *                          └────┴──────┘
 */
import type { ResultField, StatementResult } from './target.js';
import { shownText, textWidth } from './text-width.js';

/** PostgreSQL's oids of types whose values stand at the right. */
const NUMBER_OIDS = new Set([20, 21, 23, 26, 700, 701, 790, 1700]);

/** Cells cut into lines, and how wide each column is. */
class Layout {
  readonly fields: readonly ResultField[];
  readonly cells: readonly (readonly string[])[][];
  readonly widths: readonly number[];

  constructor({ fields, rows }: StatementResult) {
    this.fields = fields.map(shownField);
    this.cells = rows.map((row) =>
      row.map((value) =>
        shownText(value ?? '')
          .replaceAll('\t', '        ')
          .split('\n'),
      ),
    );
    this.widths = this.fields.map(({ name }, c) =>
      this.cells.reduce((widest, row) => Math.max(widest, ...(row[c] as string[]).map(textWidth)), textWidth(name)),
    );
  }

  /** The names, each in the middle of its column. */
  head(): string[] {
    return this.fields.map(({ name }, c) => ` ${centre(name, this.widths[c] as number)} `);
  }

  /** The lines of a row, each a list of padded parts; a part that goes on below ends with a plus. */
  *lines(row: readonly (readonly string[])[]): Iterable<string[]> {
    const height = Math.max(1, ...row.map((parts) => parts.length));
    for (let i = 0; i < height; i++) {
      yield row.map((parts, c) => {
        const text = pad(parts[i] ?? '', this.widths[c] as number, this.fields[c] as ResultField);
        return ` ${text}${i + 1 < parts.length ? '+' : ' '}`;
      });
    }
  }
}

/** `isCounted`: whether a line with the number of rows and an empty one follow. */
export function formatAligned(result: StatementResult, isCounted = true): string {
  if (result.fields.length === 0) return tagLine(result);
  const layout = new Layout(result);
  const line = (parts: readonly string[]): string => `${parts.join('|').trimEnd()}\n`;
  let text = line(layout.head());
  text += `${layout.widths.map((w) => '-'.repeat(w + 2)).join('+')}\n`;
  for (const row of layout.cells) for (const parts of layout.lines(row)) text += line(parts);
  return text + (isCounted ? `${rowsLine(result)}\n` : '');
}

export function formatBox(result: StatementResult, isCounted = true): string {
  if (result.fields.length === 0) return tagLine(result);
  const layout = new Layout(result);
  const rule = (left: string, middle: string, right: string): string =>
    `${left}${layout.widths.map((w) => '─'.repeat(w + 2)).join(middle)}${right}\n`;
  const line = (parts: readonly string[]): string => `│${parts.join('│')}│\n`;
  let text = rule('┌', '┬', '┐') + line(layout.head()) + rule('├', '┼', '┤');
  for (const row of layout.cells) for (const parts of layout.lines(row)) text += line(parts);
  return text + rule('└', '┴', '┘') + (isCounted ? `${rowsLine(result)}\n` : '');
}

/** A line a value, for rows that are too wide: `-[ RECORD 1 ]---`. */
export function formatExpanded(result: StatementResult): string {
  const { rows } = result;
  const fields = result.fields.map(shownField);
  if (fields.length === 0) return tagLine(result);
  const nameWidth = Math.max(...fields.map(({ name }) => textWidth(name)));
  let text = '';
  for (const [i, row] of rows.entries()) {
    const heading = `-[ RECORD ${i + 1} ]`;
    text += `${heading}${'-'.repeat(Math.max(1, nameWidth + 3 - heading.length))}\n`;
    for (const [c, { name }] of fields.entries()) {
      const value = shownText(row[c] ?? '').replaceAll('\n', `\n${' '.repeat(nameWidth + 3)}`);
      text += `${`${name}${' '.repeat(nameWidth - textWidth(name))} | ${value}`.trimEnd()}\n`;
    }
  }
  return `${text}${rows.length === 0 ? rowsLine(result) : '\n'}`;
}

/** Its name in one line. */
function shownField({ name, typeOid }: ResultField): ResultField {
  return { name: shownText(name.replaceAll(/[\n\t]/g, ' ')), typeOid };
}

function tagLine({ tag }: StatementResult): string {
  return tag === '' ? '' : `${tag}\n`;
}

function rowsLine({ rows }: StatementResult): string {
  return `(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})\n`;
}

function pad(text: string, to: number, field: ResultField): string {
  const blanks = ' '.repeat(to - textWidth(text));
  return NUMBER_OIDS.has(field.typeOid) ? blanks + text : text + blanks;
}

function centre(text: string, to: number): string {
  const blanks = to - textWidth(text);
  const left = Math.floor(blanks / 2);
  return ' '.repeat(left) + text + ' '.repeat(blanks - left);
}
