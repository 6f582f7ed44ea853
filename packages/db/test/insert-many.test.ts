/** INSERT of the rows of a query: index entries wait until they are many, and nobody notices. */
import { isPhantomError } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Database, open } from '../src/index.js';

let db: Database;

beforeEach(async () => {
  db = await open(':memory:');
  db.exec('create table w (id int primary key, k int, note text); create index w_k on w (k, note)');
});

afterEach(() => db.close());

const byIndex = (k: number): unknown[] => db.prepare('select id from w where k = $1 order by id').all(k);
const many = 'insert into w select i, i * 7 % 10, null from generate_series(1, 1000) i';

describe('an INSERT of many rows', () => {
  it('is found by its indexes, and returns what it wrote', () => {
    expect(db.prepare(`${many} returning k`).all()).toHaveLength(1000);
    expect(
      db
        .prepare('explain select id from w where k = 3')
        .all()
        .map((row) => JSON.stringify(row))
        .join(),
    ).toContain('w_k');
    expect(byIndex(3)).toHaveLength(100);
    db.exec('insert into w select id + 1000, k, note from w where k = 3');
    expect(byIndex(3)).toHaveLength(200);
  });

  it('shows what came before to functions that run inside', () => {
    db.exec(`
      create function taken(wanted int) returns bigint language plpgsql volatile as $$
      begin
        return (select count(*) from w where k = wanted);
      end $$;
      insert into w select i, 5, taken(5)::text from generate_series(1, 200) i`);
    expect(db.prepare('select count(*) from w where note = (id - 1)::text').get()).toEqual({ count: 200 });
  });

  it('leaves no entries when it fails, nor to those that come after it', () => {
    const failing = () =>
      db.exec(`begin; savepoint s; ${many}; insert into w select i, 3, 'x' from generate_series(2000, 500, -1) i`);
    let code: string | undefined;
    try {
      failing();
    } catch (error) {
      code = isPhantomError(error) ? error.code : String(error);
    }
    expect(code).toBe('23505');
    db.exec("rollback to s; insert into w values (1, 3, 'y'); commit");
    expect(byIndex(3)).toEqual([{ id: 1 }]);
    expect(db.prepare('select count(*) from w').get()).toEqual({ count: 1 });
  });

  it('keeps constraints that are checked at its end', () => {
    db.exec('create table d (id int primary key, k int unique deferrable)');
    let code: string | undefined;
    try {
      db.exec('insert into d select i, i / 2 from generate_series(1, 500) i');
    } catch (error) {
      code = isPhantomError(error) ? error.code : String(error);
    }
    expect(code).toBe('23505');
    db.exec('insert into d select i, i from generate_series(1, 500) i');
    expect(db.prepare('select id from d where k = 77').all()).toEqual([{ id: 77 }]);
  });
});
