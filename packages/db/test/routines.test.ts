/** Functions and triggers of users through the embedded API: after a crash, in both engines, by waiting and by not waiting. */
import { MemoryVfs } from '@phantom/vfs/testing';
import { expect, it } from 'vitest';
import { openOn } from '../src/index.js';

it('are there after a crash, and write in the transaction that calls them', async () => {
  const vfs = new MemoryVfs();
  const db = await openOn(vfs, '/d');
  db.exec(`
    create table item (id int primary key, name text) with (engine = lsm);
    create table log (n serial primary key, what text);
    create function rename_item(item_id int, name text) returns item language sql
      as $$ update item set name = $2 where id = item_id returning item.* $$;
    create procedure note(what text) language sql begin atomic; insert into log (what) values (what); end;
    create trigger item_log after insert or update on item referencing new row as fresh
      for each row insert into log (what) values (fresh.name);
  `);
  db.exec(`insert into item values (1, 'a')`);
  const clone = vfs.crashClone(3);
  await db.close();
  const again = await openOn(clone, '/d');
  expect(again.prepare('select name from rename_item($1, $2)').get(1, 'b')).toEqual({ name: 'b' });
  await again.query('call note($1)', ['called']);
  expect(again.prepare('select what from log order by n').all()).toEqual([
    { what: 'a' },
    { what: 'b' },
    { what: 'called' },
  ]);
  await expect(
    again.transaction(async (tx) => {
      await tx.query(`select rename_item(1, 'c')`);
      throw new Error('no');
    }),
  ).rejects.toThrow('no');
  expect(again.prepare('select name from item').get()).toEqual({ name: 'b' });
  expect(again.prepare('select count(*)::int as n from log').get()).toEqual({ n: 3 });
  await again.close();
});
