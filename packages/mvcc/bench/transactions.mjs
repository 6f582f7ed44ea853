/**
 * What transactions cost over a store in memory: `node packages/mvcc/bench/transactions.mjs`   (after a build)
 */
import { EngineCode } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { createMvcc } from '@phantom/mvcc';
import { openStore } from '@phantom/store';
import { MemoryVfs } from '@phantom/vfs/testing';

const engines = [
  { code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine({ bytesMax: 2 ** 30 }) },
];
const value = new Uint8Array(100);
const key = new Uint8Array(16);
const slotKey = (i) => {
  key[12] = i >>> 24;
  key[13] = i >>> 16;
  key[14] = i >>> 8;
  key[15] = i;
};

async function withMvcc(run) {
  const vfs = new MemoryVfs({ losesPower: false });
  const store = await openStore('/bench', { vfs, engines, durability: 'memory' });
  const mvcc = createMvcc(store);
  await run(mvcc, store);
  await mvcc.close();
  await store.close({ checkpoint: false });
}

function report(name, count, elapsedMs) {
  const ns = (elapsedMs * 1e6) / count;
  console.log(
    `${name.padEnd(52)} ${ns.toFixed(0).padStart(7)} ns   ${Math.round(1e9 / ns)
      .toLocaleString('en')
      .padStart(11)} /s`,
  );
}

for (let round = 0; round < 3; round++) {
  await withMvcc(async (mvcc) => {
    const count = 500_000;
    let started = performance.now();
    for (let i = 0; i < count; i++) mvcc.begin().commitSync();
    report('begin and commit of nothing, sync', count, performance.now() - started);
    started = performance.now();
    for (let i = 0; i < count; i++) await mvcc.begin().commit();
    report('begin and commit of nothing, awaited', count, performance.now() - started);
    started = performance.now();
    for (let i = 0; i < count; i++) {
      const transaction = mvcc.begin({ readOnly: true });
      transaction.beginStatement();
      transaction.commitSync();
    }
    report('read-only snapshot', count, performance.now() - started);
  });
  await withMvcc(async (mvcc) => {
    const count = 200_000;
    const started = performance.now();
    for (let i = 0; i < count; i++) {
      slotKey(i);
      const transaction = mvcc.begin();
      transaction.put(key, 0, 16, value, 0, 100);
      transaction.commitSync();
    }
    report('begin, put, commitSync', count, performance.now() - started);
  });
  await withMvcc(async (mvcc) => {
    const count = 200_000;
    const callers = 64;
    let done = 0;
    const started = performance.now();
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (done < count) {
          slotKey(done++);
          const transaction = mvcc.begin();
          transaction.put(key, 0, 16, value, 0, 100);
          await transaction.commit();
        }
      }),
    );
    report('begin, put, commit, 64 callers', count, performance.now() - started);
  });
  await withMvcc(async (mvcc) => {
    const count = 200_000;
    const callers = 64;
    let done = 0;
    const started = performance.now();
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (done < count) {
          slotKey(done++);
          const transaction = mvcc.begin({ isolation: 'repeatable read' });
          transaction.beginStatement();
          transaction.put(key, 0, 16, value, 0, 100);
          await transaction.commit();
        }
      }),
    );
    report('the same with a snapshot, repeatable read', count, performance.now() - started);
  });
  await withMvcc(async (mvcc) => {
    const count = 500_000;
    const transaction = mvcc.begin();
    const started = performance.now();
    for (let i = 0; i < count; i++) {
      slotKey(i);
      transaction.put(key, 0, 16, value, 0, 100);
    }
    const written = performance.now();
    transaction.commitSync();
    const committed = performance.now();
    report('put, 500,000 ascending in one transaction', count, written - started);
    report('  with its commit', count, committed - started);
  });
  await withMvcc(async (mvcc) => {
    const count = 500_000;
    const transaction = mvcc.begin();
    const started = performance.now();
    for (let i = 0; i < count; i++) {
      slotKey(Math.imul(i, 0x9e3779b1));
      transaction.put(key, 0, 16, value, 0, 100);
    }
    const written = performance.now();
    await transaction.commit();
    const committed = performance.now();
    report('put, 500,000 random in one transaction', count, written - started);
    report('  with its commit, awaited', count, committed - started);
  });
}
