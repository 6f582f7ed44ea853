/** Files that were replaced while a database has them open: it reads and writes the old ones, and the next opening finds the others. */
import { filesBelow } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { openOn } from '../src/index.js';

describe('a check of an open database', () => {
  it.each(['superblock', 'btree/tree.db', 'lsm/manifest-'])('finds that %s was replaced', async (part) => {
    const vfs = new MemoryVfs({ losesPower: false });
    const db = await openOn(vfs, '/data/db');
    db.exec('create table t (a int primary key) with (engine = lsm); insert into t values (1)');
    await db.checkpoint();
    const path = filesBelow(vfs, '/data/db').find((one) => one.includes(part)) as string;
    expect((await db.check()).filter(({ severity }) => severity === 'corruption')).toEqual([]);
    const other = vfs.open('/data/other', { mode: 'create-new' });
    other.writeAt(0, vfs.readFile(path));
    other.close();
    vfs.rename('/data/other', path);
    expect(await db.check()).toContainEqual({
      severity: 'corruption',
      file: path,
      message: expect.stringContaining('replaced'),
    });
    await db.close().catch(() => undefined);
  });
});
