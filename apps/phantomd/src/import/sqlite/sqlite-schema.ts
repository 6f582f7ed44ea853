/**
 * What an SQLite database holds, from the statements that it keeps: tables with their columns, keys and references, and plain
 * indexes. Checks, computed defaults and values, partial indexes and indexes over expressions are told of and left out, since they are
 * in SQLite's own dialect.
 */
import { PhantomError } from '@phantom/base';
import type { SqliteFile, SqliteValue } from './sqlite-file.js';

export interface SqliteColumn {
  readonly name: string;
  /** As it was declared, in capitals; '' for none. */
  readonly declaredType: string;
  readonly notNull: boolean;
  /** What new rows have, and those that were there before the column: a literal, else null. */
  readonly defaultValue: SqliteValue;
  /** CURRENT_TIMESTAMP and its kin are defaults of new rows alone. */
  readonly defaultWord: string | undefined;
  /** Computed when it is read: it stands in no row. */
  readonly isVirtual: boolean;
}

export interface SqliteReference {
  readonly columns: readonly string[];
  readonly table: string;
  /** Empty: the primary key. */
  readonly referenced: readonly string[];
  /** `on delete cascade` and its kin, as SQL says them. */
  readonly actions: string;
}

export interface SqliteTable {
  readonly name: string;
  readonly rootPage: number;
  readonly columns: readonly SqliteColumn[];
  readonly primaryKey: readonly string[];
  readonly unique: readonly (readonly string[])[];
  readonly references: readonly SqliteReference[];
  readonly withoutRowid: boolean;
  /** What of it cannot be taken along. */
  readonly leftOut: readonly string[];
  /** The column that is another name of the rowid. */
  readonly rowidColumn: string | undefined;
}

export interface SqliteIndex {
  readonly name: string;
  readonly table: string;
  readonly columns: readonly string[];
  readonly unique: boolean;
}

export interface SqliteSchema {
  readonly tables: readonly SqliteTable[];
  readonly indexes: readonly SqliteIndex[];
  /** Names of what is there and cannot be taken along, with what it is. */
  readonly leftOut: readonly string[];
}

/** Reads sqlite_schema, which lies at the first page. */
export function sqliteSchema(file: SqliteFile): SqliteSchema {
  const tables: SqliteTable[] = [];
  const indexes: SqliteIndex[] = [];
  const leftOut: string[] = [];
  for (const { values } of file.rows(1)) {
    const [type, name, , rootPage, sql] = values;
    if (typeof type !== 'string' || typeof name !== 'string') throw file.damaged('its schema is no schema');
    // What SQLite keeps for itself, and the indexes of keys, have no statement or its prefix.
    if (typeof sql !== 'string' || name.startsWith('sqlite_')) continue;
    const table = type === 'table' ? new TableReader(sql).table(name, Number(rootPage)) : undefined;
    const index = type === 'index' ? new TableReader(sql).index(name) : undefined;
    if (table !== undefined) tables.push(table);
    else if (index !== undefined) indexes.push(index);
    else leftOut.push(`${type} ${name}`);
  }
  return { tables, indexes, leftOut };
}

interface Token {
  readonly text: string;
  /** In capitals where it may be a keyword, '' where it was quoted. */
  readonly word: string;
}

const TOKEN =
  /\s+|--[^\n]*|\/\*[\s\S]*?\*\/|"((?:[^"]|"")*)"|`((?:[^`]|``)*)`|\[([^\]]*)\]|('(?:[^']|'')*')|([\w$\u0080-\uffff.]+)|(.)/g;

function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  for (const [, double, back, bracket, text, word, sign] of sql.matchAll(TOKEN)) {
    const name = double?.replaceAll('""', '"') ?? back?.replaceAll('``', '`') ?? bracket;
    if (name !== undefined) tokens.push({ text: name, word: '' });
    else if (text !== undefined) tokens.push({ text, word: '' });
    else if (word !== undefined) tokens.push({ text: word, word: word.toUpperCase() });
    else if (sign !== undefined) tokens.push({ text: sign, word: sign });
  }
  return tokens;
}

const COLUMN_ENDS = new Set(
  'CONSTRAINT PRIMARY NOT NULL UNIQUE CHECK DEFAULT COLLATE REFERENCES GENERATED AS'.split(' '),
);
const TABLE_CONSTRAINTS = new Set('CONSTRAINT PRIMARY UNIQUE CHECK FOREIGN'.split(' '));

interface MutableTable {
  columns: SqliteColumn[];
  primaryKey: string[];
  unique: string[][];
  references: SqliteReference[];
  leftOut: string[];
}

class TableReader {
  private readonly tokens: readonly Token[];
  private at = 0;
  private readonly read: MutableTable = {
    columns: [],
    primaryKey: [],
    unique: [],
    references: [],
    leftOut: [],
  };
  /** The only key that SQLite keeps apart from the rowid though its column is an INTEGER: `integer primary key desc`. */
  private isDescending = false;

  constructor(sql: string) {
    this.tokens = tokensOf(sql);
  }

  /** Undefined for a virtual table: its rows are in no tree. */
  table(name: string, rootPage: number): SqliteTable | undefined {
    if (this.tokens[1]?.word === 'VIRTUAL') return undefined;
    this.skipTo('(');
    do {
      this.at++;
      if (TABLE_CONSTRAINTS.has(this.word)) this.tableConstraint();
      else this.column();
      this.toItemEnd();
    } while (this.is(','));
    const withoutRowid = this.tokens.slice(this.at).some(({ word }) => word === 'ROWID');
    const { columns, primaryKey } = this.read;
    const key = columns.find((column) => sameName(column.name, primaryKey[0] ?? ''));
    const isRowid = primaryKey.length === 1 && key?.declaredType === 'INTEGER' && !withoutRowid && !this.isDescending;
    return { name, rootPage, ...this.read, withoutRowid, rowidColumn: isRowid ? key.name : undefined };
  }

  /** Undefined for one with a condition, or over more than columns. */
  index(name: string): SqliteIndex | undefined {
    const unique = this.tokens[1]?.word === 'UNIQUE';
    this.skipTo('ON');
    this.at++;
    const table = this.take();
    const columns = this.names();
    if (columns === undefined || this.is('WHERE')) return undefined;
    return { name, table, columns, unique };
  }

  private column(): void {
    const name = this.take();
    const type: string[] = [];
    while (!this.isItemEnd && !COLUMN_ENDS.has(this.word)) {
      if (this.is('(')) this.skipGroup();
      else type.push(this.take().toUpperCase());
    }
    let notNull = false;
    let defaultValue: SqliteValue = null;
    let defaultWord: string | undefined;
    let isVirtual = false;
    while (!this.isItemEnd) {
      switch (this.take().toUpperCase()) {
        case 'PRIMARY':
          this.at++;
          this.read.primaryKey.push(name);
          this.isDescending = this.word === 'DESC';
          break;
        case 'NOT':
          notNull = true;
          break;
        case 'UNIQUE':
          this.read.unique.push([name]);
          break;
        case 'DEFAULT':
          if (this.word.startsWith('CURRENT_')) defaultWord = this.take().toUpperCase();
          else defaultValue = this.literal(name);
          break;
        case 'CHECK':
          this.read.leftOut.push(`a check of ${name}`);
          break;
        case 'AS':
          this.skipGroup();
          isVirtual = this.word !== 'STORED';
          this.read.leftOut.push(`how ${name} is computed`);
          break;
        case 'REFERENCES':
          this.reference([name]);
          break;
        case 'CONSTRAINT':
        case 'COLLATE':
          this.at++;
          break;
        case '(':
          this.at--;
          this.skipGroup();
          break;
      }
    }
    this.read.columns.push({ name, declaredType: type.join(' '), notNull, defaultValue, defaultWord, isVirtual });
  }

  private tableConstraint(): void {
    if (this.word === 'CONSTRAINT') this.at += 2;
    const kind = this.take().toUpperCase();
    if (kind === 'PRIMARY' || kind === 'FOREIGN') this.at++;
    if (kind === 'CHECK') {
      this.read.leftOut.push('a check');
      return;
    }
    const columns = this.names() ?? [];
    if (kind === 'PRIMARY') this.read.primaryKey.push(...columns);
    else if (kind === 'UNIQUE') this.read.unique.push(columns);
    else if (this.word === 'REFERENCES') {
      this.at++;
      this.reference(columns);
    }
  }

  private reference(columns: readonly string[]): void {
    const table = this.take();
    const referenced = this.is('(') ? (this.names() ?? []) : [];
    let actions = '';
    while (this.word === 'ON') {
      const event = this.tokens[this.at + 1]?.text ?? '';
      const first = this.tokens[this.at + 2]?.text ?? '';
      const isTwoWords = /^(?:set|no)$/i.test(first);
      actions += ` on ${event} ${first}${isTwoWords ? ` ${this.tokens[this.at + 3]?.text ?? ''}` : ''}`;
      this.at += isTwoWords ? 4 : 3;
    }
    this.read.references.push({ columns, table, referenced, actions: actions.toLowerCase() });
  }

  /** Names in parentheses, with or without an order and a collation; undefined where something else stands among them. */
  private names(): string[] | undefined {
    const names: string[] = [];
    let plain = true;
    do {
      this.at++;
      names.push(this.take());
      if (this.word === 'COLLATE') this.at += 2;
      if (this.word === 'ASC' || this.word === 'DESC') this.at++;
      if (!this.isItemEnd) plain = false;
      this.toItemEnd();
    } while (this.is(','));
    this.at++;
    return plain ? names : undefined;
  }

  /** A number, text or NULL; what has to be computed is left out. */
  private literal(column: string): SqliteValue {
    if (this.is('(')) {
      this.skipGroup();
      this.read.leftOut.push(`the default of ${column}`);
      return null;
    }
    const sign = this.is('-') || this.is('+') ? this.take() : '';
    const text = this.take();
    if (text.startsWith("'")) return text.slice(1, -1).replaceAll("''", "'");
    const number = Number(sign + text);
    return Number.isNaN(number) ? ({ TRUE: 1, FALSE: 0 }[text.toUpperCase()] ?? null) : number;
  }

  private get word(): string {
    return this.tokens[this.at]?.word ?? '';
  }

  private is(sign: string): boolean {
    return this.word === sign;
  }

  private get isItemEnd(): boolean {
    return this.is(',') || this.is(')') || this.at >= this.tokens.length;
  }

  private take(): string {
    const token = this.tokens[this.at++];
    if (token === undefined) throw new PhantomError('XX001', 'a statement of the schema has no end');
    return token.text;
  }

  private skipTo(word: string): void {
    while (!this.is(word)) this.take();
  }

  private skipGroup(): void {
    let depth = 0;
    do {
      if (this.is('(')) depth++;
      if (this.is(')')) depth--;
      this.take();
    } while (depth > 0);
  }

  private toItemEnd(): void {
    while (!this.isItemEnd) {
      if (this.is('(')) this.skipGroup();
      else this.at++;
    }
  }
}

/** SQLite's names are the same in capitals and small letters. */
export function sameName(a: string, b: string): boolean {
  return a.toLowerCase() === b.toLowerCase();
}
