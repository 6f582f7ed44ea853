/** UPDATE of one row by its key: texts that it does not name are taken over as they are stored, whatever watches the row. */
import { PhantomError } from '@phantom/base';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type SqlSession, writePoint } from '../../src/index.js';
import type { PlanStatement } from '../../src/session/statement.js';
import { type TestEngine, openEngine } from '../support/engine.js';
import { rows, run } from '../support/statements.js';

let engine: TestEngine;
let session: SqlSession;

beforeEach(async () => {
  engine = await openEngine();
  session = engine.session();
});

afterEach(() => engine.close());

/** Row 1 has a null, row 2 is wide: its columns end behind 64 KiB. */
async function make(more: string): Promise<void> {
  await run(session, `create table t (id int primary key, n int, a text, b text not null, c bytea${more})`);
  await run(session, `insert into t values (1, 0, null, 'b ü', '\\x0102'), (2, 0, 'a', repeat('b', 70000), null)`);
}

/** Runs the statement on both rows often enough that its code is closures first and generated later. */
async function update(text: string): Promise<void> {
  const statement = session.prepareText(text) as PlanStatement;
  for (let time = 0; time < 5; time++) {
    for (const id of [1, 2]) expect(writePoint(session, statement, [id])).toBe(1);
    await session.sync();
  }
}

const READ = `select id, n, a, case when length(b) < 9 then b else length(b)::text end, encode(c, 'hex') from t order by id`;

describe('an update of a row by its key', () => {
  it.each([
    ['nothing', '', ''],
    ['a check of a text', ", check (a <> 'z' or b <> '')", ''],
    ['a column computed from texts', ', g text generated always as (left(b, 2) || a) stored', ''],
    ['an index on a text', '', 'create index on t (a)'],
    ['an index on an expression over a text', '', 'create index on t (left(b, 9), n) where a is not null'],
  ])('keeps the columns that it does not name, beside %s', async (_, more, index) => {
    await make(more);
    if (index !== '') await run(session, index);
    await update('update t set n = n + 1 where id = $1');
    expect(await rows(session, READ)).toEqual(['1 5 null b ü 0102', '2 5 a 70000 null']);
    expect(await rows(session, "select id from t where a = 'a' and left(b, 9) = 'bbbbbbbbb'")).toEqual(['2']);
  });

  it('puts a new text for one that nobody has read', async () => {
    await make('');
    await update("update t set a = 'new', c = null where id = $1");
    expect(await rows(session, READ)).toEqual(['1 0 new b ü null', '2 0 new 70000 null']);
  });

  it('reads a column from which another is computed', async () => {
    await make('');
    await update("update t set a = left(b, 1) || coalesce(a, '-') where id = $1 and b <> ''");
    expect(await rows(session, READ)).toEqual(['1 0 bbbbb- b ü 0102', '2 0 bbbbba 70000 null']);
  });

  it('shows what it keeps in the error that refuses the row', async () => {
    await make(', m int not null default 0, check (n < 9)');
    const refused = async (text: string): Promise<unknown> => {
      try {
        writePoint(session, session.prepareText(text) as PlanStatement, [1]);
        return undefined;
      } catch (error) {
        await session.sync();
        return error instanceof PhantomError ? error.detail : error;
      }
    };
    expect(await refused('update t set m = null where id = $1')).toBe(
      'Failing row contains (1, 0, null, b ü, \\x0102, null).',
    );
    expect(await refused('update t set n = 9 where id = $1')).toBe(
      'Failing row contains (1, 9, null, b ü, \\x0102, 0).',
    );
  });
});
