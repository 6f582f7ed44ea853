/**
 * How the database of this format version was made that later versions have to open: both engines, a log that is in no file
 * yet, one record of a bulk load, rows of every kind, an index, documents, definitions and a prepared transaction. Kept so that
 * the next version's can be made alike.
 */
import { gunzipSync, gzipSync } from 'node:zlib';
import { filesBelow } from '@phantom/testkit';
import { MemoryVfs } from '@phantom/vfs/testing';
import { type Database, openOn } from '../src/index.js';

export const DIRECTORY = '/data/fixture';

export interface Fixture {
  /** By path within the directory: bytes of the file, and those up to its last that is not zero, as base64 of gzip. */
  readonly files: Readonly<Record<string, { readonly bytes: number; readonly content: string }>>;
  /** What each question of `ask` was answered, as JSON. */
  readonly answers: Readonly<Record<string, string>>;
}

const QUESTIONS = [
  'select id, note, length(wide) as length from moved where id < 6 order by id',
  `select sum(id) as sum from moved where note between 'note 1' and 'note 3'`,
  'select * from kinds order by small',
  `select small, label from kinds where label = 'seven'`,
  'select * from counted order by n',
  'select * from shown order by n',
  `select conname, contype from pg_constraint where conname like 'k%' order by conname`,
  'select gid from pg_prepared_xacts',
];

/** What the database says to questions about all that is in it. */
export async function ask(db: Database): Promise<Record<string, string>> {
  const answers: Record<string, string> = {};
  const text = (found: unknown): string =>
    JSON.stringify(found, (_, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
  for (const question of QUESTIONS) answers[question] = text((await db.query(question)).rows);
  const papers = db.collection('papers').find({ pages: { $gt: 1 } });
  answers['documents'] = text(await papers.toArray());
  return answers;
}

/** Runs a script in a session of its own. */
async function run(session: ReturnType<Database['createSession']>, script: string): Promise<void> {
  for (const parsed of session.parse(script)) {
    await session.portal(session.prepare(parsed, script), []).fetch(0, () => undefined);
    await session.sync();
  }
}

/** A database as a process left it that was killed. */
export async function makeFixture(): Promise<Fixture> {
  const vfs = new MemoryVfs({ losesPower: false });
  const db = await openOn(vfs, DIRECTORY, { timestamps: 'text' });
  db.exec(`
    create type mood as enum ('sad', 'ok', 'happy');
    create table kinds (
      small smallint primary key, large bigint, exact numeric(20, 4), real real, double double precision, truth boolean,
      label text constraint k_label unique, fixed char(5), bytes bytea, day date, hour time, moment timestamptz, span interval,
      id uuid, doc jsonb, list int[], felt mood, period int4range
    );
    insert into kinds values
      (7, 9007199254740993, 12.5, 1.5, 0.1, true, 'seven', 'ab', '\\x00ff', '2024-02-29', '12:34:56.789', '2024-02-29 12:00+00',
       '1 month 2 days 3 seconds', '12345678-1234-1234-1234-123456789abc', '{"a": [1, 2.50, "x"]}', '{1,null,3}', 'ok', '[1,5)'),
      (-1, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null);
    create table moved (id int primary key, note text, wide text);
    create index on moved (note);
    insert into moved select i, 'note ' || i, repeat('x', 20000) from generate_series(1, 30) i;
    create table counted (n int generated always as identity primary key, doubled int generated always as (1) stored)
      with (engine = lsm);
    create sequence numbers start 5;
    create view shown as select small as n from kinds;
  `);
  await db.query('alter table moved set (engine = lsm)');
  const papers = db.collection<{ _id: number; pages: number; tags: string[] }>('papers');
  await papers.createIndex({ pages: 1 });
  await papers.insertMany([1, 2, 3].map((_id) => ({ _id, pages: _id, tags: ['a', 'b'] })));
  await db.checkpoint();
  db.exec(`insert into counted default values; delete from moved where id = 3; select nextval('numbers')`);
  await papers.updateOne({ _id: 2 }, { $set: { pages: 20 } });
  const session = db.createSession({ database: 'phantom', user: 'phantom' });
  await run(session, `begin; insert into counted default values; prepare transaction 'pending'`);
  session.close();
  const answers = await ask(db);
  const disk = vfs.killClone();
  await db.close();
  return { files: filesOf(disk), answers };
}

/** What a database says to questions about documents whose keys are stored once. */
export async function askReadings(db: Database): Promise<Record<string, string>> {
  const documents = await db.collection('readings').find({}).sort({ _id: 1 }).toArray();
  const highest = `select max((doc->>'temperature_of_air')::int) as highest, count(doc->'place_of_it'->'latitude') from readings`;
  return { documents: JSON.stringify(documents), [highest]: JSON.stringify((await db.query(highest)).rows) };
}

/** The same of a database with such documents, in both engines, some of which are only in the log. */
export async function makeReadings(): Promise<Fixture> {
  const vfs = new MemoryVfs({ losesPower: false });
  const db = await openOn(vfs, DIRECTORY);
  const readings = db.collection('readings', { engine: 'lsm' });
  const remarks = db.collection('remarks');
  const readingOf = (_id: number): Record<string, unknown> => ({
    _id,
    temperature_of_air: _id % 30,
    place_of_it: { latitude: 1.5, longitude_of_it: -_id },
  });
  for (let i = 0; i < 90; i++) {
    await readings.insertOne(readingOf(i));
    await remarks.insertOne({ _id: i, text_of_remark: 'x', author_of_it: `author ${i}` });
    if (i === 80) await db.checkpoint();
  }
  const answers = await askReadings(db);
  const disk = vfs.killClone();
  await db.close();
  return { files: filesOf(disk), answers };
}

function filesOf(disk: MemoryVfs): Fixture['files'] {
  const files: Record<string, Fixture['files'][string]> = {};
  for (const path of filesBelow(disk, DIRECTORY)) {
    const content = disk.readFile(path);
    let end = content.length;
    while (end > 0 && content[end - 1] === 0) end--;
    const name = path.slice(DIRECTORY.length + 1);
    files[name] = { bytes: content.length, content: gzipSync(content.subarray(0, end)).toString('base64') };
  }
  return files;
}

/** A disk with the files of a fixture, durable. */
export function diskOf({ files }: Fixture, losesPower = false): MemoryVfs {
  const disk = new MemoryVfs({ losesPower });
  const made = new Set<string>();
  for (const [name, { bytes, content }] of Object.entries(files)) {
    const parts = `${DIRECTORY}/${name}`.split('/');
    for (let i = 2; i < parts.length; i++) {
      const path = parts.slice(0, i).join('/');
      if (!made.has(path)) disk.makeDir(path);
      made.add(path);
    }
    const file = disk.open(`${DIRECTORY}/${name}`, { mode: 'create-new' });
    const whole = new Uint8Array(bytes);
    whole.set(gunzipSync(Buffer.from(content, 'base64')));
    file.writeAt(0, whole);
    file.syncNow();
    file.close();
  }
  for (const directory of ['/', ...made]) disk.syncDir(directory);
  return disk;
}
