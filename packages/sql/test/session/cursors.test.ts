import { PhantomError } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Execution } from '../../src/exec/runtime.js';
import { PAUSE } from '../../src/exec/runtime.js';
import type { SqlSession, Value } from '../../src/index.js';
import { Cursor } from '../../src/session/cursor.js';
import type { Fetch } from '../../src/text/ast-session.js';
import { type TestEngine, openEngine } from '../support/engine.js';

const ROWS = 3000;

describe('DECLARE', () => {
  let engine: TestEngine;
  let session: SqlSession;

  async function run(sql: string, parameters: readonly Value[] = []): Promise<Value[][]> {
    const rows: Value[][] = [];
    await session.portal(session.prepareText(sql), parameters).fetch(0, (batch) => {
      for (let r = 0; r < batch.count; r++) rows.push(batch.columns.map((column) => column[r] as Value));
    });
    return rows;
  }

  beforeEach(async () => {
    engine = await openEngine();
    session = engine.session();
    await run('create table t (id int primary key, v text)');
    await run(`insert into t select i, 'v' || i from generate_series(1, ${ROWS}) i`);
    await session.sync();
  });
  afterEach(() => engine.close());

  it('reads what is fetched, and no more', async () => {
    const { counters } = engine.engine;
    await run('begin');
    const before = counters.rowsScanned;
    await run('declare c cursor for select id from t');
    expect(counters.rowsScanned).toBe(before);
    expect(await run('fetch 3 from c')).toEqual([[1], [2], [3]]);
    expect(counters.rowsScanned - before).toBeLessThan(ROWS / 2);
    expect(await run('fetch last from c')).toEqual([[ROWS]]);
    await run('rollback');
  });

  it('takes parameters, whose types are those of its query', async () => {
    await run('begin');
    const sql = 'declare c cursor for select id, $2 || v from t where id > $1 order by id';
    const statement = session.prepareText(sql);
    expect(statement.kind === 'utility' && statement.utility.parameterTypes.map(({ oid }) => oid)).toEqual([23, 25]);
    await run(sql, [7, 'a ']);
    expect(await run('fetch 2 from c')).toEqual([
      [8, 'a v8'],
      [9, 'a v9'],
    ]);
    await run('declare held cursor with hold for select id from t where id < $1', [3]);
    await run('declare updated cursor for select * from t where id = $1', [5]);
    await run('fetch from updated');
    await run(`update t set v = 'here' where current of updated`);
    await run('commit');
    expect(await run('fetch all from held')).toEqual([[1], [2]]);
    expect(await run(`select id from t where v = 'here'`)).toEqual([[5]]);
  });

  it('shows nothing of what the transaction writes later, and gives its snapshot back at the end', async () => {
    await run('begin');
    await run('declare c cursor for select v from t where id <= 3 order by id');
    await run('fetch from c');
    await run(`update t set v = 'new'`);
    await run('delete from t where id = 3');
    expect(await run('fetch all from c')).toEqual([['v2'], ['v3']]);
    await run('commit');
    await expect(run('fetch from c')).rejects.toMatchObject({ code: '34000' });
  });

  it('fails where a row does, and cannot be run again', async () => {
    await run('begin');
    await run('declare c cursor for select 1 / (id - 2) from t where id <= 3 order by id');
    await run('savepoint s');
    expect(await run('fetch from c')).toEqual([[-1]]);
    await expect(run('fetch from c')).rejects.toMatchObject({ code: '22012' });
    await run('rollback to s');
    await expect(run('fetch from c')).rejects.toMatchObject({ code: '55000' });
    await run('rollback');
  });
});

describe('a cursor whose rows do not fit into memory', () => {
  const LIMIT_BYTES = 10_000;
  const forward = (count: number | 'all'): Fetch => ({
    kind: 'fetch',
    move: false,
    direction: 'forward',
    count,
    cursor: { text: 'c', position: 0, quoted: false },
    position: 0,
  });

  function cursorOf(scroll: boolean | undefined): Cursor {
    const facts = {
      name: 'c',
      text: '',
      fields: [],
      tableOid: undefined,
      reads: [],
      scroll,
      hold: false,
      declaredMicros: 0,
    };
    const cursor = new Cursor(facts, LIMIT_BYTES);
    cursor.readFrom(
      (function* (): Execution {
        for (let i = 0; i < ROWS; i++) if (cursor.rows({ columns: [[i]], count: 1 })) yield PAUSE;
        return ROWS;
      })(),
    );
    return cursor;
  }

  /** Fetches in pieces of ten; answers how many rows came. */
  function fetchAll(cursor: Cursor): number {
    let count = 0;
    for (;;) {
      const rows = cursor.move(forward(10)).next().value as readonly unknown[];
      count += rows.length;
      if (rows.length < 10) return count;
    }
  }

  it('keeps no row that it will not show again', () => {
    expect(fetchAll(cursorOf(false))).toBe(ROWS);
  });

  it('gives up going back unless it was declared SCROLL', () => {
    const plain = cursorOf(undefined);
    plain.move(forward(10)).next();
    expect(plain.move({ ...forward(1), direction: 'backward' }).next().value).toEqual([[8]]);
    expect(fetchAll(plain)).toBe(ROWS - 9);
    expect(() => plain.move({ ...forward(1), direction: 'backward' }).next()).toThrow(
      expect.objectContaining({ code: '55000' }),
    );
    const scrolling = cursorOf(true);
    expect(() => fetchAll(scrolling)).toThrow(PhantomError);
    expect(() => fetchAll(cursorOf(true))).toThrow(expect.objectContaining({ code: '53200' }));
  });
});
