/** Rules of rewriting through the package: after a power cut, in a backup, and beside what writes rows without a statement. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { openOn } from '../src/index.js';

const SCHEMA = `
  create table t (a int, b text);
  create table log (what text);
  create rule r as on insert to t where new.a > 1 do instead insert into log values (new.b)`;

it('rules are there after a power cut and in a backup, and rows that are copied in pass them by', async () => {
  const vfs = new MemoryVfs();
  const db = await openOn(vfs, '/data');
  db.exec(SCHEMA);
  await db.backup('/copy');
  const disk = vfs.crashClone(7);
  await db.close();
  for (const directory of ['/data', '/copy']) {
    const again = await openOn(disk, directory);
    const insert = again.prepare('insert into t values ($1, $2)');
    expect(insert.run(1, 'one').changes).toBe(1);
    expect(insert.run(2, 'two').changes).toBe(0);
    expect(await again.query("insert into t values (3, 'three'), (0, 'none')")).toMatchObject({ rowCount: 1 });
    await again.copyInto('t', [{ a: 4, b: 'four' }]);
    expect(await again.sql`select b from t order by a`).toEqual([{ b: 'none' }, { b: 'one' }, { b: 'four' }]);
    expect(await again.sql`select what from log`).toEqual([{ what: 'two' }, { what: 'three' }]);
    await again.close();
  }
});
