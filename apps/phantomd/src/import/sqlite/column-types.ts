/**
 * Which type a column gets. SQLite checks hardly any value against the type that was declared, so the values decide, and the
 * declared type among what they allow: `integer` where one of them is a text becomes text, and nothing is lost or refused.
 */
import type { SqliteValue } from './sqlite-file.js';
import type { SqliteColumn } from './sqlite-schema.js';

const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP = /^\d{4}-\d\d-\d\d[ T]\d\d:\d\d(?::\d\d(?:\.\d+)?)?$/;

/** What has been seen of a column's values. */
export class ColumnFacts {
  hasNulls = false;
  private hasIntegers = false;
  /** Past what a double precision holds exactly. */
  private hasLargeIntegers = false;
  private hasReals = false;
  private hasTexts = false;
  private hasBlobs = false;
  private onlyTruths = true;
  private onlyDates = true;
  private onlyTimestamps = true;

  see(value: SqliteValue): void {
    if (value === null) this.hasNulls = true;
    else if (typeof value === 'string') {
      this.hasTexts = true;
      this.onlyDates &&= DATE.test(value);
      this.onlyTimestamps &&= TIMESTAMP.test(value);
    } else if (value instanceof Uint8Array) this.hasBlobs = true;
    else if (typeof value === 'number' && !Number.isSafeInteger(value)) this.hasReals = true;
    else {
      this.hasIntegers = true;
      this.hasLargeIntegers ||= typeof value === 'bigint';
      this.onlyTruths &&= value === 0 || value === 1;
    }
  }

  /** As SQL names it. */
  typeOf({ declaredType }: SqliteColumn): string {
    const declared = declaredTypeOf(declaredType);
    const hasNumbers = this.hasIntegers || this.hasReals;
    if (this.hasBlobs) return 'bytea';
    if (this.hasTexts) {
      if (hasNumbers) return 'text';
      if (declared === 'date' && this.onlyDates) return declared;
      return declared === 'timestamp' && this.onlyTimestamps ? declared : 'text';
    }
    if (!hasNumbers) return declared;
    if (declared === 'numeric' || (declared === 'double precision' && !this.hasLargeIntegers)) return declared;
    if (this.hasReals) return this.hasLargeIntegers ? 'numeric' : 'double precision';
    return declared === 'boolean' && this.onlyTruths ? declared : 'bigint';
  }
}

/** By the words in it, as SQLite itself goes by them; some that it does not tell apart besides. */
function declaredTypeOf(declared: string): string {
  if (declared.includes('BOOL')) return 'boolean';
  if (declared.includes('INT')) return 'bigint';
  if (/CHAR|CLOB|TEXT/.test(declared)) return 'text';
  if (declared.includes('BLOB')) return 'bytea';
  if (/REAL|FLOA|DOUB/.test(declared)) return 'double precision';
  if (/DATETIME|TIMESTAMP/.test(declared)) return 'timestamp';
  if (declared === 'DATE') return 'date';
  return /NUM|DEC/.test(declared) ? 'numeric' : 'text';
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** The value as COPY's text format has it. */
export function copyText(value: SqliteValue, type: string): string {
  if (value === null) return '\\N';
  const bytes = typeof value !== 'object' && type === 'bytea' ? Buffer.from(String(value)) : value;
  if (bytes instanceof Uint8Array) return `\\\\x${Buffer.from(bytes).toString('hex')}`;
  return String(bytes).replace(/[\\\n\r\t]/g, (sign) => ESCAPES[sign] as string);
}
