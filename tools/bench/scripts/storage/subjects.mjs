/**
 * What is measured, each behind the same few calls. Writes are in batches, unsynced (`load`) or durable one by one from many
 * callers (`durable`); `get` is synchronous where the library has it. `settle` brings a tree into its best form for reading:
 * whole compactions of the LSM-trees, a merge of the B+tree's runs. One configuration for all figures: see CONFIGURATION.
 */
import { join } from 'node:path';
import { peer } from '../peers.mjs';

const MIB = 1024 * 1024;
export const CONFIGURATION = { cacheBytes: 64 * MIB, writeBufferBytes: 64 * MIB };
const { cacheBytes, writeBufferBytes } = CONFIGURATION;

function phantom(open) {
  return async (directory, engineOf) => {
    const db = await open(directory, { cacheBytes, deltaBytesMax: writeBufferBytes, durability: 'fsync' });
    const unsynced = { durability: 'os' };
    return {
      load: async (keys, values, from, to) => {
        const batch = db.batch();
        for (let i = from; i < to; i++) batch.put(keys.at(i), values(i));
        await db.write(batch, unsynced);
      },
      put: (key, value) => db.put(key, value, unsynced),
      get: (key) => db.get(key),
      scan: () => {
        let count = 0;
        for (const { value } of db.scan()) count += value.length > 0 ? 1 : 0;
        return count;
      },
      durable: (key, value) => db.put(key, value),
      syncs: () => db.stats().syncs,
      settle: async () => {
        await db.flush();
        await engineOf(db);
      },
      notes: () => {
        const engine = db.stats().engines[0];
        const {
          writeAmplification,
          spaceAmplification,
          readAmplification,
          workerJobs,
          runs,
          bytesFlushed,
          bytesMerged,
          fileBytes,
        } = engine;
        const written = bytesFlushed === 0 ? 0 : (bytesFlushed + bytesMerged) / bytesFlushed;
        return {
          written: writeAmplification ?? written,
          spaceAmplification,
          readAmplification,
          runs,
          workerJobs,
          fileMb: fileBytes / 1e6,
        };
      },
      close: () => db.close(),
    };
  };
}

async function lsm(directory) {
  const { openLsm } = await import('@phantom/lsm');
  return phantom(openLsm)(directory, (db) => db.store.engine(1)?.compact?.() ?? db.store.engine(2)?.compact?.());
}

async function btree(directory) {
  const { openBtree } = await import('@phantom/btree');
  return phantom(openBtree)(directory, (db) => db.store.engine(1)?.merge?.() ?? db.store.engine(2)?.merge?.());
}

async function classicLevel(directory) {
  const { ClassicLevel } = peer('classic-level');
  const encodings = { keyEncoding: 'buffer', valueEncoding: 'buffer' };
  const db = new ClassicLevel(directory, {
    ...encodings,
    cacheSize: cacheBytes,
    writeBufferSize: writeBufferBytes / 2,
  });
  await db.open();
  return {
    load: async (keys, values, from, to) => {
      const batch = db.batch();
      for (let i = from; i < to; i++) batch.put(keys.at(i), values(i));
      await batch.write();
    },
    put: (key, value) => db.put(key, value),
    get: (key) => db.getSync(key),
    scan: async () => {
      let count = 0;
      const iterator = db.iterator();
      for (let entries = await iterator.nextv(1000); entries.length > 0; entries = await iterator.nextv(1000)) {
        for (const [, value] of entries) count += value.length > 0 ? 1 : 0;
      }
      await iterator.close();
      return count;
    },
    durable: (key, value) => db.put(key, value, { sync: true }),
    settle: () => db.compactRange(Buffer.alloc(1), Buffer.alloc(17, 255)),
    close: () => db.close(),
  };
}

async function rocksdb(directory) {
  const RocksDB = peer('rocksdb-native');
  const db = new RocksDB(directory);
  await db.ready();
  const read = async (keys) => {
    const batch = db.read();
    const found = keys.map((key) => batch.get(key));
    await batch.flush();
    batch.destroy();
    return Promise.all(found);
  };
  const write = async (fill) => {
    const batch = db.write({ autoDestroy: true });
    fill(batch);
    await batch.flush();
  };
  return {
    load: (keys, values, from, to) =>
      write((batch) => {
        for (let i = from; i < to; i++) void batch.put(keys.at(i), values(i));
      }),
    put: (key, value) => write((batch) => void batch.put(key, value)),
    getMany: read,
    scan: async () => {
      let count = 0;
      for await (const { value } of db.iterator({ gte: Buffer.alloc(1), lt: Buffer.alloc(17, 255) })) {
        count += value.length > 0 ? 1 : 0;
      }
      return count;
    },
    settle: () => db.flush(),
    close: () => db.close(),
  };
}

/** With `noSync` its transactions are not synced; opened again without it for the durable ones. */
async function lmdb(directory) {
  const { open } = peer('lmdb');
  const settings = { path: directory, keyEncoding: 'binary', encoding: 'binary', compression: false };
  const unsynced = open({ ...settings, noSync: true, noMetaSync: true });
  let durable;
  return {
    load: (keys, values, from, to) =>
      unsynced.transaction(() => {
        for (let i = from; i < to; i++) void unsynced.put(keys.at(i), values(i));
      }),
    put: (key, value) => unsynced.put(key, value),
    get: (key) => unsynced.getBinary(key),
    scan: () => {
      let count = 0;
      for (const { value } of unsynced.getRange({})) count += value.length > 0 ? 1 : 0;
      return count;
    },
    beforeDurable: async () => {
      await unsynced.close();
      durable = open(settings);
    },
    durable: (key, value) => durable.put(key, value),
    settle: () => unsynced.flushed,
    close: () => (durable ?? unsynced).close(),
  };
}

async function sqlite(directory) {
  const Database = peer('better-sqlite3');
  const db = new Database(join(directory, 'kv.db'));
  db.pragma('journal_mode = WAL');
  db.pragma(`cache_size = ${-cacheBytes / 1024}`);
  db.pragma('synchronous = OFF');
  db.exec('create table kv (k blob primary key, v blob) without rowid');
  const put = db.prepare('insert or replace into kv values (?, ?)');
  const get = db.prepare('select v from kv where k = ?').pluck();
  const all = db.prepare('select k, v from kv order by k').raw();
  return {
    load: db.transaction((keys, values, from, to) => {
      for (let i = from; i < to; i++) put.run(keys.at(i), values(i));
    }),
    put: async (key, value) => put.run(key, value),
    get: (key) => get.get(key),
    scan: () => {
      let count = 0;
      for (const [, value] of all.iterate()) count += value.length > 0 ? 1 : 0;
      return count;
    },
    beforeDurable: () => db.pragma('synchronous = FULL'),
    durable: async (key, value) => put.run(key, value),
    settle: () => db.pragma('wal_checkpoint(TRUNCATE)'),
    close: () => db.close(),
  };
}

export const SUBJECTS = {
  lsm,
  btree,
  'classic-level': classicLevel,
  'rocksdb-native': rocksdb,
  lmdb,
  'better-sqlite3': sqlite,
};
