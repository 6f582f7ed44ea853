/** An index that is built while others write its table holds, in the end, what the table holds. */
import { Random } from '@phantom/base';
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import type { SqlSession } from '../../src/index.js';
import { openEngine } from '../support/engine.js';

const ROWS = 1000;

/** Runs statements; rows of the last. */
async function run(session: SqlSession, sql: string): Promise<unknown[][]> {
  const rows: unknown[][] = [];
  for (const parsed of session.parse(sql)) {
    const portal = session.portal(session.prepare(parsed, sql), []);
    rows.length = 0;
    await portal.fetch(0, (batch) => {
      for (let r = 0; r < batch.count; r++) rows.push(batch.columns.map((column) => column[r]));
    });
  }
  await session.sync();
  return rows;
}

it.each([1, 2, 3])('is exact, whatever is written meanwhile (seed %i)', async (seed) => {
  const engine = await openEngine(undefined, { vfs: new MemoryVfs({ syncTurns: 2 }), durability: 'fsync' });
  const random = new Random(seed);
  const builder = engine.session();
  await run(
    builder,
    `create table t (id int primary key, a int, tags text[]);
     insert into t select n, n, array['t' || n % 5] from generate_series(1, ${ROWS}) n`,
  );
  let building = true;
  let writes = 0;
  const write = async (): Promise<void> => {
    const session = engine.session();
    while (building) {
      const id = 1 + random.below(ROWS);
      const value = ROWS + ++writes;
      const statements = [
        `update t set a = ${value}, tags = tags || '{new}' where id = ${id}`,
        `delete from t where id = ${id}`,
        `insert into t values (${value}, ${value}, '{made}')`,
        `update t set id = ${value} where id = ${id}`,
        `begin; update t set a = ${value} where id = ${id}; rollback`,
      ];
      await run(session, statements[random.below(statements.length)] as string);
    }
    session.close();
  };
  const writers = [write(), write(), write()];
  await run(builder, 'create unique index concurrently t_a on t (a)');
  await run(builder, 'create index concurrently t_tags on t using gin (tags)');
  await run(builder, 'reindex table concurrently t');
  building = false;
  await Promise.all(writers);
  expect(writes).toBeGreaterThan(20);
  const byIndex = await run(builder, 'set enable_seqscan = off; select id, a from t where a > 0 order by a');
  const plan = await run(builder, 'explain select id, a from t where a > 0 order by a');
  expect(String(plan)).toContain('t_a');
  const byTable = await run(
    builder,
    'set enable_seqscan = on; set enable_indexscan = off; select id, a from t order by a',
  );
  expect(byIndex).toEqual(byTable);
  for (const tag of ['t1', 'new', 'made']) {
    const counts = await run(builder, `select count(*) filter (where tags @> '{${tag}}') from t`);
    expect(await run(builder, `set enable_indexscan = on; select count(*) from t where tags @> '{${tag}}'`)).toEqual(
      counts,
    );
  }
  builder.close();
  await engine.close();
});

it('is dropped without holding up those who come later', async () => {
  const engine = await openEngine();
  const [first, second, third] = [engine.session(), engine.session(), engine.session()];
  await run(first, 'create table t (a int)');
  await run(first, 'create index t_a on t (a)');
  await run(first, 'begin; insert into t values (1)');
  let done = false;
  const dropping = run(second, 'drop index concurrently t_a').then(() => {
    done = true;
  });
  await run(third, 'insert into t values (2)');
  expect(done).toBe(false);
  await run(first, 'commit');
  await dropping;
  expect(await run(third, "select count(*) from pg_class where relname = 't_a'")).toEqual([[0]]);
  await engine.close();
});
