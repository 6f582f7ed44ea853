/**
 * Keeps the planner's statistics up to date: a table of which a tenth has been written since it was analysed last (and some
 * hundred rows at least) is analysed again, some seconds later, by a session of the pool, in slices like any statement, but
 * with a rest between them: whoever waits for an answer meanwhile is not to notice. A failure is not an error of anybody's: the
 * old statistics stay.
 */
import type { Catalog } from '@phantom/catalog';
import { SLICE_MS } from '@phantom/base';
import type { SqlEngine, SqlSession } from '@phantom/sql';
import type { SessionPool } from './session-pool.js';

/** From a table's tenth to its ANALYZE: a bulk load goes on for a while, and is then analysed once. */
const DELAY_MS = 10_000;
/** Rest between two slices: several times as long as one of them. */
const REST_MS = 4 * SLICE_MS;

export class AutoAnalyze {
  private readonly engine: SqlEngine;
  private readonly catalog: Catalog;
  private readonly pool: SessionPool;
  private readonly waiting = new Set<number>();
  private timer: ReturnType<typeof setTimeout> | undefined;
  private running: Promise<void> = Promise.resolve();
  /** Who analyses now. */
  private session: SqlSession | undefined;
  private stopped = false;

  constructor(engine: SqlEngine, catalog: Catalog, pool: SessionPool) {
    this.engine = engine;
    this.catalog = catalog;
    this.pool = pool;
    engine.statistics.onStale((oid) => this.want(oid));
  }

  /** Ends it, and what it is at; resolves when that has ended. */
  async stop(): Promise<void> {
    this.stopped = true;
    this.session?.cancel();
    clearTimeout(this.timer);
    await this.running;
  }

  private want(oid: number): void {
    if (this.stopped || this.engine.readOnly) return;
    this.waiting.add(oid);
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.running = this.running.then(() => this.work());
    }, DELAY_MS);
    // Nobody waits for statistics at the end of a process.
    this.timer.unref();
  }

  /** Analyses what waits, table by table. */
  async work(): Promise<void> {
    const oids = [...this.waiting];
    this.waiting.clear();
    for (const oid of oids) {
      const name = this.nameOf(oid);
      if (this.stopped || name === undefined) continue;
      const session = this.pool.acquire();
      this.session = session;
      session.interrupts.restMs = REST_MS;
      try {
        await analyze(session, name);
      } catch {
        // Somebody else's lock, or the database is closing: the next tenth asks again.
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

async function analyze(session: SqlSession, name: string): Promise<void> {
  await session.portal(session.prepareText(`analyze ${name}`), []).fetch(0, () => undefined);
  await session.sync();
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
