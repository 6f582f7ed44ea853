/**
 * What statements cost since the process began, or since the counts were reset: where the time goes, for `phantom.statements` and
 * `pg_stat_statements` (PostgreSQL's extension is the model). A statement is its text without its constants (text/normalised-text.ts), in
 * one database, by one role; statements inside of routines are part of those that call them.
 *
 * Cheap enough to be always on: the entry is kept beside the prepared statement, so a call costs its additions. A row that is looked up
 * or written by its key takes about as long as reading the clock twenty times: of those calls every SAMPLED_EVERY-th is timed, and stands
 * for the others. Whoever has to be told of each slow one (slow-statements.ts) has all of them timed.
 *
 *   total   time of calls that were timed   +   mean of the samples * calls that they stand for
 *
 * Bounded: past ENTRIES_MAX entries those that took the least time are forgotten.
 */
import type { Oid } from '@phantom/catalog';
import { normalisedText } from '../text/normalised-text.js';
import type { CachedStatement } from './statement-cache.js';
import type { Shape } from './statement-shapes.js';
import type { PlanStatement, UtilityStatement } from './statement.js';

const ENTRIES_MAX = 1000;
/** So many are left when there are too many. */
const ENTRIES_KEPT = 800;
/** Of calls by key one in so many is timed. A power of two. */
const SAMPLED_EVERY = 16;

/** A statement whose calls are counted. */
export type CountedStatement = PlanStatement | UtilityStatement;

/** One text, of one role, in one database. Times in milliseconds. */
export interface StatementUse {
  readonly databaseOid: Oid;
  readonly roleOid: Oid;
  readonly text: string;
  /** Equal for equal texts. */
  readonly number: number;
  /** Those that came to their end. */
  readonly calls: number;
  readonly errors: number;
  /** Returned or affected. */
  readonly rows: number;
  /** From its beginning to its end, waits for locks, for others and for a slow client included; without its commit. */
  readonly totalMs: number;
  /** Of the calls that were timed; 0 before the first. */
  readonly minMs: number;
  readonly maxMs: number;
}

/** Who runs a statement. */
export interface StatementUser {
  readonly databaseOid: Oid;
  readonly currentRoleOid: Oid;
}

export class CountedUse implements StatementUse {
  readonly databaseOid: Oid;
  readonly roleOid: Oid;
  readonly text: string;
  /** False once it is forgotten: calls are counted in another one. */
  isKept = true;
  calls = 0;
  errors = 0;
  rows = 0;
  maxMs = 0;
  private hash: number | undefined;
  private leastMs = Infinity;
  /** Of the calls that are timed each. */
  private timedMs = 0;
  /** Calls by key, and the samples among them. */
  private quickCalls = 0;
  private samples = 0;
  private sampledMs = 0;

  constructor({ databaseOid, currentRoleOid }: StatementUser, text: string) {
    this.databaseOid = databaseOid;
    this.roleOid = currentRoleOid;
    this.text = text;
  }

  get number(): number {
    return (this.hash ??= hashOf(this.text));
  }

  get minMs(): number {
    return this.leastMs === Infinity ? 0 : this.leastMs;
  }

  get totalMs(): number {
    return this.timedMs + (this.samples === 0 ? 0 : (this.sampledMs / this.samples) * this.quickCalls);
  }

  /** A call has come to its end. */
  ended(elapsedMs: number, rows: number): void {
    this.calls++;
    this.rows += rows;
    this.timedMs += elapsedMs;
    this.noteTime(elapsedMs);
  }

  /** True when the next call by key is to be timed. */
  get isSampleDue(): boolean {
    return (this.quickCalls & (SAMPLED_EVERY - 1)) === 0;
  }

  /** A call by key has come to its end. `elapsedMs`: of a sample. */
  endedQuickly(rows: number, elapsedMs: number | undefined): void {
    this.calls++;
    this.quickCalls++;
    this.rows += rows;
    if (elapsedMs === undefined) return;
    this.samples++;
    this.sampledMs += elapsedMs;
    this.noteTime(elapsedMs);
  }

  private noteTime(elapsedMs: number): void {
    if (elapsedMs > this.maxMs) this.maxMs = elapsedMs;
    if (elapsedMs < this.leastMs) this.leastMs = elapsedMs;
  }
}

export class StatementUses {
  /** By their texts; of one text those of each role and database. */
  private readonly byText = new Map<string, CountedUse[]>();
  private entries = 0;
  /** Texts of what was read once and is run again. */
  private readonly texts = new WeakMap<CachedStatement | Shape, string>();
  /** How often some were forgotten because there were too many. */
  forgotten = 0;
  /** When counting began, or began anew, in milliseconds since 1970. */
  sinceMs: number;

  constructor(nowMs: number) {
    this.sinceMs = nowMs;
  }

  /** Where a statement's calls are counted. It is kept beside the statement. */
  of(user: StatementUser, statement: CountedStatement): CountedUse {
    const { use } = statement;
    if (use !== undefined && use.isKept && use.roleOid === user.currentRoleOid) return use;
    return (statement.use = this.find(user, this.textOf(statement)));
  }

  *all(): Iterable<StatementUse> {
    for (const uses of this.byText.values()) yield* uses;
  }

  /** Forgets those of a role, a database and a number, 0 standing for any; all of them at this moment. */
  reset(nowMs: number, roleOid: Oid, databaseOid: Oid, number: number): void {
    this.keep([...this.byText.values()].flat(), (use) => {
      const isMeant =
        (roleOid === 0 || use.roleOid === roleOid) && (databaseOid === 0 || use.databaseOid === databaseOid);
      return !isMeant || (number !== 0 && use.number !== number);
    });
    if (roleOid === 0 && databaseOid === 0 && number === 0) {
      this.sinceMs = nowMs;
      this.forgotten = 0;
    }
  }

  /** The text of a statement without its constants. */
  textOf(statement: CountedStatement): string {
    const { parsed, text } = statement;
    if (parsed === undefined) return normalisedText(text);
    const shape = parsed.literals?.shape;
    const isGeneral = shape !== undefined && shape.node === parsed.node;
    const known = this.texts.get(isGeneral ? shape : parsed);
    if (known !== undefined) return known;
    const found = isGeneral
      ? normalisedText(shape.text, true)
      : normalisedText(text.slice(parsed.start, parsed.end), false, parsed.escapes === true);
    this.texts.set(isGeneral ? shape : parsed, found);
    return found;
  }

  private find(user: StatementUser, text: string): CountedUse {
    let uses = this.byText.get(text);
    const { databaseOid, currentRoleOid } = user;
    for (const use of uses ?? []) if (use.roleOid === currentRoleOid && use.databaseOid === databaseOid) return use;
    if (this.entries >= ENTRIES_MAX) {
      this.forgetLeast();
      uses = this.byText.get(text);
    }
    const use = new CountedUse(user, text);
    if (uses === undefined) this.byText.set(text, [use]);
    else uses.push(use);
    this.entries++;
    return use;
  }

  private forgetLeast(): void {
    const all = [...this.byText.values()].flat().sort((a, b) => b.totalMs - a.totalMs);
    this.keep(all, () => this.entries < ENTRIES_KEPT);
    this.forgotten++;
  }

  private keep(all: readonly CountedUse[], isKept: (use: CountedUse) => boolean): void {
    this.byText.clear();
    this.entries = 0;
    for (const use of all) {
      use.isKept = isKept(use);
      if (!use.isKept) continue;
      const uses = this.byText.get(use.text);
      if (uses === undefined) this.byText.set(use.text, [use]);
      else uses.push(use);
      this.entries++;
    }
  }
}

/** A number of 53 bits, from 1 on: 32 of FNV-1a over the characters, and 21 of the same over them from the end. */
function hashOf(text: string): number {
  let forth = 0x811c9dc5;
  let back = 0x811c9dc5;
  for (let i = 0, j = text.length - 1; j >= 0; i++, j--) {
    forth = Math.imul(forth ^ text.charCodeAt(i), 0x01000193);
    back = Math.imul(back ^ text.charCodeAt(j), 0x01000193);
  }
  return (back & 0x1f_ffff) * 2 ** 32 + (forth >>> 0) || 1;
}
