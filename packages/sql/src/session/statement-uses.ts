/**
 * What statements cost since the process began, by their text with parameters in place of literals: where the time goes, for
 * `phantom.statements` (pg_stat_statements is the model).
 *
 * Queries and changes are counted that are driven by a portal. A row that is looked up or written by its key has a road of its own
 * (straight-roads.ts), as have short reads of a synchronous caller: over so soon that counting them would be felt, they are not listed.
 * Utility statements are not either: their texts may hold passwords.
 *
 * Bounded: past ENTRIES_MAX texts those that took the least time are forgotten.
 */
import type { Oid } from '@phantom/catalog';
import type { PlanStatement } from './statement.js';

const ENTRIES_MAX = 1000;
/** So many are left when there are too many. */
const ENTRIES_KEPT = 800;
/** A longer text is kept by its beginning, and shares it. */
const TEXT_CHARACTERS_MAX = 4096;

/** One text, in one database. */
export interface StatementUse {
  readonly databaseOid: Oid;
  readonly text: string;
  readonly calls: number;
  readonly errors: number;
  /** Returned or affected. */
  readonly rows: number;
  /** From its beginning to its end, waits for locks, for others and for a slow client included. */
  readonly totalMs: number;
  readonly maxMs: number;
}

class CountedUse implements StatementUse {
  readonly databaseOid: Oid;
  readonly text: string;
  calls = 0;
  errors = 0;
  rows = 0;
  totalMs = 0;
  maxMs = 0;

  constructor(databaseOid: Oid, text: string) {
    this.databaseOid = databaseOid;
    this.text = text;
  }
}

export class StatementUses {
  private readonly databases = new Map<Oid, Map<string, CountedUse>>();
  private entries = 0;

  /** The statement ran to its end. */
  ended(databaseOid: Oid, statement: PlanStatement, elapsedMs: number, rows: number): void {
    const use = this.useOf(databaseOid, statement);
    use.calls++;
    use.rows += rows;
    use.totalMs += elapsedMs;
    if (elapsedMs > use.maxMs) use.maxMs = elapsedMs;
  }

  /** It ended in an error. */
  failed(databaseOid: Oid, statement: PlanStatement): void {
    this.useOf(databaseOid, statement).errors++;
  }

  *all(): Iterable<StatementUse> {
    for (const uses of this.databases.values()) yield* uses.values();
  }

  private useOf(databaseOid: Oid, { literals, text: own }: PlanStatement): CountedUse {
    const whole = literals?.shape.text ?? own;
    const text = whole.length > TEXT_CHARACTERS_MAX ? whole.slice(0, TEXT_CHARACTERS_MAX) : whole;
    let uses = this.databases.get(databaseOid);
    if (uses === undefined) this.databases.set(databaseOid, (uses = new Map()));
    let use = uses.get(text);
    if (use === undefined) {
      if (this.entries >= ENTRIES_MAX) this.forgetLeast();
      // A slice would keep the whole.
      const kept = text === whole ? text : Buffer.from(text).toString();
      uses.set(kept, (use = new CountedUse(databaseOid, kept)));
      this.entries++;
    }
    return use;
  }

  private forgetLeast(): void {
    const all = [...this.all()].sort((a, b) => b.totalMs - a.totalMs);
    for (const { databaseOid, text } of all.slice(ENTRIES_KEPT)) this.databases.get(databaseOid)?.delete(text);
    this.entries = Math.min(all.length, ENTRIES_KEPT);
  }
}
