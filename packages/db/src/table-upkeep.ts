/**
 * Work on tables that nobody asks for, done some seconds after it is needed, by a session of the pool, in slices like any statement,
 * but with a rest between them: whoever waits for an answer meanwhile is not to notice. A failure is not an error of anybody's: what
 * was left undone is asked for again.
 *
 *   ANALYZE   of a table of which a tenth has been written since it was analysed last (and some hundred rows at least)
 *   VACUUM    of a table whose column indexes are behind (sql/src/session/column-indexes.ts)
 *
 * A table of which a tenth is written each second would be analysed all the time, and statistics a minute old serve as well: one that
 * was analysed rests before it is again, as autovacuum of PostgreSQL looks at tables once a minute.
 */
import type { Catalog } from '@phantom/catalog';
import { SLICE_MS } from '@phantom/base';
import type { SqlEngine, SqlSession } from '@phantom/sql';
import type { SessionPool } from './session-pool.js';

type Command = 'analyze' | 'vacuum';

/** From the need to the work: a bulk load goes on for a while, and is then worked on once. */
const DELAY_MS: Readonly<Record<Command, number>> = { analyze: 10_000, vacuum: 2000 };
/** From the work to the time at which the same table may be in need again. */
const AGAIN_MS: Readonly<Record<Command, number>> = { analyze: 50_000, vacuum: 0 };
/** Rest between two slices: nobody waits for this work, and whoever else is at work is to keep nine tenths of the thread. */
const REST_MS = 10 * SLICE_MS;

/** A table that was worked on lately. */
interface Rest {
  readonly timer: ReturnType<typeof setTimeout>;
  /** It is in need again. */
  isWanted: boolean;
}

export class TableUpkeep {
  private readonly engine: SqlEngine;
  private readonly catalog: Catalog;
  private readonly pool: SessionPool;
  private readonly command: Command;
  private readonly waiting = new Set<number>();
  private readonly resting = new Map<number, Rest>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> = Promise.resolve();
  /** Who works now. */
  private session: SqlSession | undefined;
  private stopped = false;

  constructor(engine: SqlEngine, catalog: Catalog, pool: SessionPool, command: Command) {
    this.engine = engine;
    this.catalog = catalog;
    this.pool = pool;
    this.command = command;
    if (command === 'analyze') engine.statistics.onStale((oid) => this.want(oid));
    else engine.columns.onBehind((oid) => this.want(oid));
  }

  /** Ends it, and what it is at; resolves when that has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.session?.cancel();
    clearTimeout(this.timer);
    for (const { timer } of this.resting.values()) clearTimeout(timer);
    await this.running;
  }

  private want(oid: number): void {
    if (this.stopped || this.engine.readOnly) return;
    const rest = this.resting.get(oid);
    if (rest !== undefined) {
      rest.isWanted = true;
      return;
    }
    this.waiting.add(oid);
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.running = this.running.then(() => this.work());
    }, DELAY_MS[this.command]);
    // Nobody waits for this at the end of a process.
    this.timer.unref();
  }

  /** Lets a table alone for a while, from now on. */
  private rest(oid: number): void {
    const againMs = AGAIN_MS[this.command];
    if (againMs === 0) return;
    const timer = setTimeout(() => {
      const isWanted = this.resting.get(oid)?.isWanted === true;
      this.resting.delete(oid);
      if (isWanted) this.want(oid);
    }, againMs);
    timer.unref();
    this.resting.set(oid, { timer, isWanted: false });
  }

  /** Does what waits, table by table. */
  async work(): Promise<void> {
    const oids = [...this.waiting];
    this.waiting.clear();
    for (const oid of oids) {
      const name = this.nameOf(oid);
      if (this.stopped || name === undefined) continue;
      this.rest(oid);
      const session = this.pool.acquire();
      this.session = session;
      session.interrupts.restMs = REST_MS;
      try {
        await keepUp(session, this.command, name);
      } catch {
        // Somebody else's lock, or the database is closing: the next writer or reader asks again.
      } finally {
        this.session = undefined;
        session.interrupts.restMs = 0;
        this.pool.release(session);
      }
    }
  }

  /** The table's name with its schema, quoted; undefined when it is gone, or in another database. */
  private nameOf(oid: number): string | undefined {
    const table = this.catalog.committed.object(oid);
    if (table?.kind !== 'table' || table.persistence === 'temporary') return undefined;
    const schema = this.catalog.committed.object(table.schemaOid);
    if (schema?.kind !== 'schema') return undefined;
    return `${quoted(schema.name)}.${quoted(table.name)}`;
  }
}

async function keepUp(session: SqlSession, command: Command, name: string): Promise<void> {
  await session.portal(session.prepareText(`${command} ${name}`), []).fetch(0, () => undefined);
  await session.sync();
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
