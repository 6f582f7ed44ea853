/** Results as text: tables for people, CSV (RFC 4180), one JSON object a statement. */
import { formatAligned, formatBox, formatExpanded } from './table-format.js';
import type { StatementResult } from './target.js';

export const OUTPUT_FORMATS = ['aligned', 'box', 'expanded', 'csv', 'json'] as const;
export type OutputFormat = (typeof OUTPUT_FORMATS)[number];

const BOOLEAN_OID = 16;
const JSON_OIDS = new Set([114, 3802]);
/** Types whose values are JSON numbers where they are exact. */
const JSON_NUMBER_OIDS = new Set([20, 21, 23, 26, 700, 701]);

/** `isCounted`: whether tables for people end with the number of rows. */
export function formatResult(result: StatementResult, format: OutputFormat, isCounted = true): string {
  switch (format) {
    case 'json':
      return formatJson(result);
    case 'csv':
      return formatCsv(result);
    case 'aligned':
      return formatAligned(result, isCounted);
    case 'box':
      return formatBox(result, isCounted);
    case 'expanded':
      return formatExpanded(result);
  }
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
