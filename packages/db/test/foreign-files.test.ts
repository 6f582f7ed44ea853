/**
 * A database's files come from several times of it, or from several databases: whatever is mixed, what opens has the rows of
 * one moment and goes on with them, and everything else is refused by name.
 */
import { isPhantomError } from '@phantom/base';
import { filesBelow } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type Database, openOn } from '../src/index.js';

const DIRECTORY = '/data/db';
const PARTS = ['superblock', 'btree/', 'lsm/', 'log/'] as const;

type Files = ReadonlyMap<string, Uint8Array>;

/** What a database had on its disk at some moment, and what was in it. */
interface Moment {
  readonly name: string;
  readonly files: Files;
  readonly rows: string;
}

const open = (vfs: MemoryVfs): Promise<Database> => openOn(vfs, DIRECTORY, { checkpointBytesMin: 1 << 30 });

/** All rows, and what an index and a document say of them. */
async function read(db: Database): Promise<string> {
  const counted: unknown[] = [];
  for (const table of ['trees', 'runs']) {
    counted.push((await db.query(`select count(*) as n, sum(id) as sum, max(word) as word from ${table}`)).rows);
  }
  counted.push((await db.query(`select id from trees where word > 'w' order by word`)).rows.length);
  counted.push((await db.query('select count(*) as n from pg_class where relname like $1', ['made%'])).rows);
  counted.push(await db.collection<{ _id: number }>('papers').find({}).toArray());
  return JSON.stringify(counted, (_, value: unknown) => (typeof value === 'bigint' ? Number(value) : value));
}

function filesOf(vfs: MemoryVfs): Files {
  const nameOf = (path: string): string => path.slice(DIRECTORY.length + 1);
  return new Map(filesBelow(vfs, DIRECTORY).map((path) => [nameOf(path), vfs.readFile(path).slice()]));
}

function diskWith(files: Files): MemoryVfs {
  const vfs = new MemoryVfs({ losesPower: false });
  for (const directory of ['', '/btree', '/lsm', '/log']) vfs.makeDir(`${DIRECTORY}${directory}`);
  for (const [name, bytes] of files) {
    const file = vfs.open(`${DIRECTORY}/${name}`, { mode: 'create-new' });
    file.writeAt(0, bytes);
    file.close();
  }
  return vfs;
}

/** The history of a database: at each moment its process is killed, or closes it, and another one goes on. */
async function history(word: string): Promise<Moment[]> {
  let vfs = new MemoryVfs({ losesPower: false });
  const moments: Moment[] = [];
  let db = await open(vfs);
  db.exec(`create table trees (id int primary key, word text); create index on trees (word);
    create table runs (id int primary key, word text) with (engine = lsm)`);
  let id = 0;
  const write = async (): Promise<void> => {
    for (const table of ['trees', 'runs'])
      await db.query(`insert into ${table} values ($1, $2)`, [++id, `${word} ${id}`]);
    await db.collection<{ _id: number }>('papers').insertOne({ _id: id });
  };
  const note = async (name: string): Promise<void> => {
    moments.push({ name, files: filesOf(vfs), rows: await read(db) });
  };
  const goOn = async (closes: boolean): Promise<void> => {
    if (closes) await db.close();
    else vfs = vfs.killClone();
    db = await open(vfs);
  };
  await write();
  await db.checkpoint();
  await write();
  await note('begun');
  await write();
  await note('written');
  await goOn(false);
  await write();
  await note('killed');
  await goOn(true);
  await note('closed');
  db.exec('create table made (id int primary key); insert into made values (1)');
  await write();
  await note('defined');
  await db.checkpoint();
  await note('flushed');
  await write();
  await db.checkpoint();
  await goOn(true);
  await write();
  await note('later');
  await db.close();
  return moments;
}

/** Opens what was mixed. Gives the rows, or the error that names a file. */
async function outcome(files: Files): Promise<{ rows?: string; error?: string }> {
  const vfs = diskWith(files);
  let db: Database;
  try {
    db = await open(vfs);
  } catch (error) {
    if (!isPhantomError(error) || error.code !== 'XX001') throw error;
    expect(error.data).toHaveProperty('file');
    return { error: error.message };
  }
  try {
    const rows = await read(db);
    expect(await db.check()).toEqual([]);
    // A new table gets keys that are nobody's, and what was there stays.
    db.exec('create table new (id int primary key, word text); insert into new values (1, null)');
    expect((await db.query('select id from new')).rows).toEqual([{ id: 1 }]);
    expect(await read(db)).toBe(rows);
    return { rows };
  } finally {
    await db.close();
  }
}

/** Those of the first moment, with these parts from the second. */
function mixed(first: Moment, second: Moment, parts: readonly string[]): Files {
  const isTaken = (name: string): boolean => parts.some((part) => name.startsWith(part));
  const kept = [...first.files].filter(([name]) => !isTaken(name));
  return new Map([...kept, ...[...second.files].filter(([name]) => isTaken(name))]);
}

/** Each part of a directory alone. */
const SINGLE = PARTS.map((part) => [part]);

describe('files that do not belong together', () => {
  it('of two moments of one database are those of one moment, or refused', async () => {
    const moments = await history('word');
    const wrong: string[] = [];
    let refused = 0;
    for (let i = 3; i < moments.length; i++) {
      const [before, after] = [moments[i - 1] as Moment, moments[i] as Moment];
      for (const parts of SINGLE) {
        for (const [first, second] of [
          [before, after],
          [after, before],
        ] as const) {
          const { rows, error } = await outcome(mixed(first, second, parts));
          if (error !== undefined) refused++;
          else if (!moments.some((moment) => moment.rows === rows)) {
            wrong.push(`${first.name} with ${parts.join(' ')} of ${second.name}: ${rows}`);
          }
        }
      }
    }
    expect(wrong).toEqual([]);
    // Some parts of two moments are the same.
    expect(refused).toBeGreaterThan(15);
  });

  it('of two databases are refused, each by its name', async () => {
    const moment = (await history('word')).at(-1) as Moment;
    const other = (await history('other')).at(-1) as Moment;
    for (const parts of SINGLE) {
      const { error } = await outcome(mixed(moment, other, parts));
      expect([parts, error]).toEqual([parts, expect.stringContaining('does not belong to this store')]);
    }
    for (const [name, bytes] of other.files) {
      if (name.startsWith('.')) continue;
      const { rows, error } = await outcome(new Map([...moment.files, [name, bytes]]));
      expect([name, error !== undefined || rows === moment.rows]).toEqual([name, true]);
    }
  });
});
