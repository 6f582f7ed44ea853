/**
 * Collections against better-sqlite3 with JSON and expression indexes (WAL, synchronous = FULL) and nedb (a file that it does not sync):
 * many inserts, documents by `_id` and by an indexed field (a hundred that have a value, and one), updates by `_id`, a $group over all.
 *
 * All are given the same objects, made before any clock runs, and give objects back. What is inserted or updated is one transaction with
 * one sync, of nedb as many lines of its file. Each peer meets a database of its own durability; nedb's inserts meet one that syncs, too,
 * in a line without a target. Ratios are medians of warm rounds in turns; `first` is that of the round before them, when little code is
 * compiled (none of ours against the first peer) and nothing was read.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { open } from '@phantom/db';
import { contest, measure } from '../contest.mjs';
import { peer } from '../peers.mjs';

const CITIES = 1000;
/** After so many the median is that of compiled code, here and there: our merging threads still compile in the second and third. */
const INSERT_ROUNDS = 7;
const CACHE_BYTES = 256 * 1024 * 1024;

/** About 300 bytes. */
const documentOf = (i) => ({
  _id: `d${i}`,
  name: `person ${i}`,
  age: 18 + (i % 60),
  city: `city ${i % CITIES}`,
  email: `${i}@example.org`,
  active: i % 3 === 0,
  score: (i * 7919) % 100_000,
  tags: ['a', 'b', `t${i % 10}`],
  address: { street: `${i} Long Street`, zip: 10_000 + (i % 9000), country: 'Nowhere' },
  note: 'x'.repeat(92),
});

export async function documentsSuite({ quick, directory, only }) {
  const count = quick ? 20_000 : 100_000;
  const home = mkdtempSync(join(directory ?? tmpdir(), 'phantom-bench-'));
  const documents = Array.from({ length: count }, (_, i) => documentOf(i));
  const isWanted = (subject) => subject !== undefined && (only?.includes(subject.name) ?? true);
  const peers = [sqlite(home), nedb(home)].filter(isWanted);
  console.log(`documents ${count} of ${JSON.stringify(documents[0]).length} bytes as JSON`);
  try {
    for (const other of peers) {
      const compareWith = async (durability, work) => {
        const phantom = await ours(home, durability);
        try {
          await work(phantom);
        } finally {
          await phantom.close();
        }
      };
      await compareWith(other.durability, (phantom) => compare(phantom, other, documents, quick));
      if (other.durability !== 'fsync')
        await compareWith('fsync', (phantom) => compareInserts(phantom, other, documents));
    }
  } finally {
    for (const other of peers) await other.close();
    rmSync(home, { recursive: true, force: true });
  }
}

/** One line: the same work done by both, which have to be as durable as one another for the peer's target to count. */
const lineOf = (phantom, other, name, operations, work, rounds = 3) =>
  contest({
    name,
    durability: `${phantom.durability} / ${other.durability}`,
    target: phantom.durability === other.durability ? other.target : undefined,
    rounds,
    cold: true,
    ours: () => measure(operations, () => work(phantom)),
    theirs: () => measure(operations, () => work(other)),
    peerName: other.name,
  });

const compareInserts = (phantom, other, documents) =>
  lineOf(phantom, other, 'insertMany', documents.length, (subject) => subject.insert(documents), INSERT_ROUNDS);

async function compare(phantom, other, documents, quick) {
  const count = documents.length;
  const lookups = quick ? 10_000 : 50_000;
  const some = Array.from({ length: lookups }, (_, i) => `d${(i * 7919) % count}`);
  const emails = Array.from({ length: lookups }, (_, i) => `${(i * 7919) % count}@example.org`);
  const cities = Array.from({ length: lookups / 20 }, (_, i) => `city ${(i * 31) % CITIES}`);
  const expected = count / CITIES;
  const line = (...named) => lineOf(phantom, other, ...named);
  await compareInserts(phantom, other, documents);
  await line('find by _id', lookups, async (subject) => check(await subject.byId(some), lookups));
  await line('find by an indexed field', cities.length, async (subject) =>
    check(await subject.byCity(cities), cities.length * expected),
  );
  for (const subject of [phantom, other]) await subject.indexEmails();
  await line('find one by an indexed field', lookups, async (subject) => check(await subject.byEmail(emails), lookups));
  await line('update by _id, one transaction', lookups, (subject) => subject.update(some));
  await line('$group over all', 3, async (subject) => {
    for (let i = 0; i < 3; i++) check(await subject.group(), 60);
  });
}

function check(found, expected) {
  if (Math.round(expected) !== found) throw new Error(`found ${found} of ${expected}`);
}

async function ours(home, durability) {
  const db = await open(mkdtempSync(join(home, 'phantom-')), { cacheBytes: CACHE_BYTES, durability });
  let round = 0;
  let people;
  return {
    name: 'phantom',
    durability,
    async insert(documents) {
      people = db.collection(`people${round++}`);
      await people.createIndex({ city: 1 });
      await people.insertMany(documents);
    },
    async byId(ids) {
      let found = 0;
      for (const _id of ids) if ((await people.findOne({ _id })) !== null) found++;
      return found;
    },
    async byCity(cities) {
      let found = 0;
      for (const city of cities) found += (await people.find({ city }).toArray()).length;
      return found;
    },
    indexEmails: () => people.createIndex({ email: 1 }),
    async byEmail(emails) {
      let found = 0;
      for (const email of emails) found += (await people.find({ email }).toArray()).length;
      return found;
    },
    async update(ids) {
      await db.transaction(async (tx) => {
        for (const _id of ids) await people.updateOne({ _id }, { $inc: { score: 1 } }, { tx });
      });
    },
    async group() {
      const pipeline = [{ $group: { _id: '$age', people: { $sum: 1 }, score: { $avg: '$score' } } }];
      return (await people.aggregate(pipeline).toArray()).length;
    },
    close: () => db.close(),
  };
}

function sqlite(home) {
  const Sqlite = peer('better-sqlite3');
  if (Sqlite === undefined) return undefined;
  const lite = new Sqlite(join(home, 'sqlite.db'));
  lite.pragma('journal_mode = WAL');
  lite.pragma('synchronous = FULL');
  lite.pragma(`cache_size = -${CACHE_BYTES / 1024}`);
  let round = 0;
  let table;
  return {
    name: 'better-sqlite3',
    durability: 'fsync',
    target: '>= 1.0',
    insert(documents) {
      table = `people${round++}`;
      lite.exec(`create table ${table} (id text primary key, doc text);
        create index ${table}_city on ${table} (doc ->> '$.city')`);
      const insert = lite.prepare(`insert into ${table} values (?, ?)`);
      lite.transaction(() => {
        for (const document of documents) insert.run(document._id, JSON.stringify(document));
      })();
    },
    byId(ids) {
      const select = lite.prepare(`select doc from ${table} where id = ?`);
      let found = 0;
      for (const id of ids) if (JSON.parse(select.get(id).doc)._id === id) found++;
      return found;
    },
    byCity(cities) {
      const select = lite.prepare(`select doc from ${table} where doc ->> '$.city' = ?`);
      let found = 0;
      for (const city of cities) found += select.all(city).map(({ doc }) => JSON.parse(doc)).length;
      return found;
    },
    indexEmails: () => lite.exec(`create index ${table}_email on ${table} (doc ->> '$.email')`),
    byEmail(emails) {
      const select = lite.prepare(`select doc from ${table} where doc ->> '$.email' = ?`);
      let found = 0;
      for (const email of emails) found += select.all(email).map(({ doc }) => JSON.parse(doc)).length;
      return found;
    },
    update(ids) {
      const update = lite.prepare(
        `update ${table} set doc = json_set(doc, '$.score', (doc ->> '$.score') + 1) where id = ?`,
      );
      lite.transaction(() => {
        for (const id of ids) update.run(id);
      })();
    },
    group: () =>
      lite.prepare(`select doc ->> '$.age' as age, count(*), avg(doc ->> '$.score') from ${table} group by 1`).all()
        .length,
    close: () => lite.close(),
  };
}

function nedb(home) {
  const Datastore = peer('@seald-io/nedb');
  if (Datastore === undefined) return undefined;
  let round = 0;
  let people;
  return {
    name: 'nedb',
    durability: 'os',
    target: '>= 3.0',
    async insert(documents) {
      people = new Datastore({ filename: join(home, `nedb${round++}`), autoload: true });
      await people.ensureIndexAsync({ fieldName: 'city' });
      await people.insertAsync(documents);
    },
    async byId(ids) {
      let found = 0;
      for (const _id of ids) if ((await people.findOneAsync({ _id })) !== null) found++;
      return found;
    },
    async byCity(cities) {
      let found = 0;
      for (const city of cities) found += (await people.findAsync({ city })).length;
      return found;
    },
    indexEmails: () => people.ensureIndexAsync({ fieldName: 'email' }),
    async byEmail(emails) {
      let found = 0;
      for (const email of emails) found += (await people.findAsync({ email })).length;
      return found;
    },
    async update(ids) {
      for (const _id of ids) await people.updateAsync({ _id }, { $inc: { score: 1 } });
    },
    async group() {
      const groups = new Map();
      for (const { age, score } of await people.findAsync({})) {
        const group = groups.get(age) ?? { people: 0, score: 0 };
        group.people++;
        group.score += score;
        groups.set(age, group);
      }
      return groups.size;
    },
    close: () => undefined,
  };
}
