/** Results as text: aligned for people (after psql), CSV (RFC 4180), one JSON object a statement. */
import type { ResultField, StatementResult } from './target.js';

export type OutputFormat = 'aligned' | 'csv' | 'json';

/** PostgreSQL's oids of types whose values stand at the right. */
const NUMBER_OIDS = new Set([20, 21, 23, 26, 700, 701, 790, 1700]);
const BOOLEAN_OID = 16;
const JSON_OIDS = new Set([114, 3802]);
/** Types whose values are JSON numbers where they are exact. */
const JSON_NUMBER_OIDS = new Set([20, 21, 23, 26, 700, 701]);

export function formatResult(result: StatementResult, format: OutputFormat): string {
  switch (format) {
    case 'json':
      return formatJson(result);
    case 'csv':
      return formatCsv(result);
    case 'aligned':
      return formatAligned(result);
  }
}

function formatAligned({ fields, rows, tag }: StatementResult): string {
  if (fields.length === 0) return tag === '' ? '' : `${tag}\n`;
  const cells = rows.map((row) => row.map((value) => (value ?? '').replaceAll('\t', '        ').split('\n')));
  const widths = fields.map(({ name }, c) =>
    cells.reduce((widest, row) => Math.max(widest, ...(row[c] as string[]).map(width)), width(name)),
  );
  const line = (parts: readonly string[]): string => parts.join('|').trimEnd();
  let text = `${line(fields.map(({ name }, c) => ` ${centre(name, widths[c] as number)} `))}\n`;
  text += `${widths.map((w) => '-'.repeat(w + 2)).join('+')}\n`;
  for (const row of cells) {
    const height = Math.max(1, ...row.map((lines) => lines.length));
    for (let i = 0; i < height; i++) {
      // A line that goes on below ends with a plus.
      text += `${line(row.map((lines, c) => ` ${pad(lines[i] ?? '', widths[c] as number, fields[c] as ResultField)}${i + 1 < lines.length ? '+' : ' '}`))}\n`;
    }
  }
  return `${text}(${rows.length} ${rows.length === 1 ? 'row' : 'rows'})\n\n`;
}

/** Characters, not UTF-16 units; East Asian wide characters count as one, which a terminal may see otherwise. */
function width(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

function pad(text: string, to: number, field: ResultField): string {
  const blanks = ' '.repeat(to - width(text));
  return NUMBER_OIDS.has(field.typeOid) ? blanks + text : text + blanks;
}

function centre(text: string, to: number): string {
  const blanks = to - width(text);
  const left = Math.floor(blanks / 2);
  return ' '.repeat(left) + text + ' '.repeat(blanks - left);
}

function formatCsv({ fields, rows }: StatementResult): string {
  if (fields.length === 0) return '';
  return [fields.map((field) => field.name), ...rows].map((row) => `${row.map(csvCell).join(',')}\n`).join('');
}

/** NULL is nothing, the empty string is quoted, as COPY writes CSV. */
function csvCell(value: string | null): string {
  if (value === null) return '';
  return value === '' || /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value;
}

function formatJson({ fields, rows, tag }: StatementResult): string {
  const objects = rows.map((row) =>
    Object.fromEntries(fields.map(({ name, typeOid }, c) => [name, jsonValue(row[c] ?? null, typeOid)])),
  );
  return `${JSON.stringify({ command: tag, ...(fields.length === 0 ? {} : { rowCount: rows.length, rows: objects }) })}\n`;
}

/** Numbers that a JSON reader would round, and NaN, stay text. */
function jsonValue(text: string | null, typeOid: number): unknown {
  if (text === null) return null;
  if (typeOid === BOOLEAN_OID) return text === 't';
  if (JSON_OIDS.has(typeOid)) return JSON.parse(text) as unknown;
  if (!JSON_NUMBER_OIDS.has(typeOid)) return text;
  const value = Number(text);
  return Number.isFinite(value) && (!Number.isInteger(value) || Number.isSafeInteger(value)) ? value : text;
}
