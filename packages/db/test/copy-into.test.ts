/** Rows copied in: as arrays, as objects, one after the other as they come; all of them or none. */
import { PhantomError, isPhantomError } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

let db: Database;

beforeEach(async () => {
  db = await open(':memory:');
  db.exec(`create table t (id int primary key, name varchar(5) not null default 'none', made timestamptz,
                           twice int generated always as (id * 2) stored)`);
});

afterEach(() => db.close());

const all = (): unknown[] => db.prepare('select id, name, twice from t order by id').all();

async function* slowly<T>(rows: readonly T[]): AsyncGenerator<T> {
  for (const row of rows) {
    await Promise.resolve();
    yield row;
  }
}

async function failure(work: Promise<unknown>): Promise<{ code: string; where: string | undefined }> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!isPhantomError(error)) throw new Error('a PhantomError was expected', { cause: error });
  return { code: error.code, where: error.where };
}

describe('copyInto', () => {
  it('takes arrays in the order of the columns, and leaves generated ones out', async () => {
    const made = new Date(0);
    const rows = [
      [1, 'one', made],
      [2, 'two', undefined],
    ];
    expect(await db.copyInto('t', rows)).toEqual({ rowCount: 2 });
    expect(all()).toEqual([
      { id: 1, name: 'one', twice: 2 },
      { id: 2, name: 'two', twice: 4 },
    ]);
    expect(db.prepare('select made from t order by id').all()).toEqual([{ made }, { made: null }]);
  });

  it('takes objects by their names, others have their defaults', async () => {
    await db.copyInto('public.t', new Set([{ id: 3 }, { id: 1 }]));
    await db.copyInto('t', [{ id: 2, name: 'given' }], { columns: ['name', 'id'] });
    expect(all()).toEqual([
      { id: 1, name: 'none', twice: 2 },
      { id: 2, name: 'given', twice: 4 },
      { id: 3, name: 'none', twice: 6 },
    ]);
  });

  it('takes rows as they come, in one commit', async () => {
    const before = db.stats().store.commits;
    const many = Array.from({ length: 1000 }, (_, id) => ({ id, name: `n${id % 7}` }));
    expect(await db.copyInto('t', slowly(many))).toEqual({ rowCount: 1000 });
    expect(db.stats().store.commits - before).toBe(1);
    expect(db.prepare('select count(*) as n, sum(twice) as total from t').get()).toEqual({ n: 1000, total: 999_000 });
    expect(await db.copyInto('t', slowly([]))).toEqual({ rowCount: 0 });
  });

  it('leaves nothing when a row does not fit, says which, and tells the source', async () => {
    let isEnded = false;
    function* source(): Generator<readonly unknown[]> {
      try {
        for (let id = 0; ; id++) yield id === 700 ? [5, 'again', null] : [id, 'once', null];
      } finally {
        isEnded = true;
      }
    }
    expect(await failure(db.copyInto('t', source()))).toEqual({ code: '23505', where: 'COPY t, row 701' });
    expect(isEnded).toBe(true);
    expect(all()).toEqual([]);
    expect(await failure(db.copyInto('t', [[1, 'longer than five', null]]))).toMatchObject({ code: '22001' });
    expect(await failure(db.copyInto('t', [[1, 'one', null], [2]]))).toEqual({ code: '22P04', where: 'COPY t, row 2' });
    expect(await failure(db.copyInto('t', [{ id: 1 }, { id: 2, nmae: 'x' }]))).toMatchObject({ code: '22P04' });
    expect(await failure(db.copyInto('t', [{ id: 'one' }]))).toEqual({ code: '22P02', where: 'COPY t, row 1' });
    expect(await failure(db.copyInto('nowhere', []))).toMatchObject({ code: '42P01' });
    expect(all()).toEqual([]);
  });

  it('is run again after a lost race when its rows can be had again', async () => {
    const lost = new PhantomError('40001', 'lost to somebody else');
    let asked = 0;
    const row = {
      get id(): number {
        if (asked++ % 2 === 0) throw lost;
        return 1;
      },
    };
    expect(await db.copyInto('t', [row])).toEqual({ rowCount: 1 });
    expect(asked).toBe(2);
    expect(await failure(db.copyInto('t', new Set([row])))).toMatchObject({ code: '40001' });
    expect(await failure(db.copyInto('t', [{ id: 2 }, { id: 2 }]))).toMatchObject({ code: '23505' });
    expect(all()).toEqual([{ id: 1, name: 'none', twice: 2 }]);
  });

  it('stops when it is asked to', async () => {
    const stop = new AbortController();
    async function* endless(): AsyncGenerator<readonly unknown[]> {
      for (let id = 0; ; id++) {
        if (id === 600) stop.abort();
        if (id > 600) await new Promise((resolve) => setImmediate(resolve));
        yield [id, 'more', null];
      }
    }
    expect(await failure(db.copyInto('t', endless(), { signal: stop.signal }))).toMatchObject({ code: '57014' });
    expect(all()).toEqual([]);
  });

  describe('a table with indexes', () => {
    beforeEach(() => db.exec('create table w (id int primary key, k int, note text); create index w_k on w (k, note)'));

    const byIndex = (k: number): unknown[] => db.prepare('select id from w where k = $1 order by id').all(k);

    it('finds by them what was copied, whatever order it came in', async () => {
      const rows = Array.from({ length: 500 }, (_, id) => [id, (id * 7) % 10, null]);
      await db.copyInto('w', rows);
      expect(
        db
          .prepare('explain select id from w where k = 3')
          .all()
          .map((row) => JSON.stringify(row))
          .join(),
      ).toContain('w_k');
      expect(byIndex(3)).toEqual(rows.filter(([, k]) => k === 3).map(([id]) => ({ id })));
    });

    it('shows what came before to functions that run inside', async () => {
      db.exec(`
        create table seen (n int);
        create function look() returns trigger language plpgsql as $$
        begin
          insert into seen select count(*) from w where k = new.k;
          return new;
        end $$;
        create trigger w_look before insert on w for each row execute function look()`);
      await db.copyInto(
        'w',
        [1, 2, 3, 4].map((id) => [id, 5, null]),
      );
      expect(db.prepare('select n from seen order by n').all()).toEqual([0, 1, 2, 3].map((n) => ({ n })));
      expect(byIndex(5)).toHaveLength(4);
    });

    it('forgets the entries of a copy that failed', async () => {
      const rows = [
        [1, 5, null],
        [9, 5, null],
      ];
      expect(await failure(db.copyInto('w', [...rows, ...rows]))).toMatchObject({ code: '23505' });
      expect(byIndex(5)).toEqual([]);
      await db.copyInto('w', rows.slice(1));
      expect(byIndex(5)).toEqual([{ id: 9 }]);
    });
  });
});
