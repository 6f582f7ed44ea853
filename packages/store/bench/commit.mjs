/**
 * Commits a second through the store: a batch of 100 bytes, one after the other on this thread (`sync`), and by callers
 * that each wait for theirs (`async`).
 *
 *   node packages/store/bench/commit.mjs [directory] [seconds]     (after a build; without a directory everything is in memory)
 */
import * as fs from 'node:fs';
import { EngineCode, WriteBatch } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { openStore } from '@phantom/store';
import { createNodeVfs } from '@phantom/vfs';
import { MemoryVfs } from '@phantom/vfs/testing';

const parent = process.argv[2];
const seconds = Number(process.argv[3] ?? 1);
const directory = parent === undefined ? '/bench' : fs.mkdtempSync(`${parent}/store-bench-`);
const engines = [{ code: EngineCode.Memory, name: 'memory', open: async () => new MemoryEngine() }];
const vfs = parent === undefined ? new MemoryVfs({ losesPower: false }) : createNodeVfs();

const key = new Uint8Array(16);
const value = new Uint8Array(75);

function nextBatch(batch, i) {
  key[15] = i;
  key[14] = i >> 8;
  key[13] = i >> 16;
  batch.reset();
  batch.put(key, 0, 16, value, 0, 75);
}

async function measure(durability, callers) {
  const store = await openStore(`${directory}/${durability}-${callers}`, { vfs, engines, durability });
  const batch = new WriteBatch();
  let commits = 0;
  let unknown;
  const started = performance.now();
  const endMs = started + seconds * 1000;
  if (callers === 0) {
    const listener = {
      published() {},
      unknown(error) {
        unknown = error;
      },
    };
    while (commits % 256 !== 0 || performance.now() < endMs) {
      nextBatch(batch, commits & 0xffff);
      store.admitNow(batch);
      store.submit(batch, listener);
      store.drainNow();
      commits++;
    }
  } else {
    await Promise.all(
      Array.from({ length: callers }, async () => {
        while (performance.now() < endMs) {
          nextBatch(batch, commits & 0xffff);
          const room = store.admit(batch);
          if (room !== undefined) await room;
          await new Promise((published, rejected) => store.submit(batch, { published, unknown: rejected }));
          commits++;
        }
      }),
    );
  }
  if (unknown !== undefined) throw unknown;
  const elapsed = (performance.now() - started) / 1000;
  const { wal } = store.stats();
  const name = callers === 0 ? 'sync' : `async, ${callers} callers`;
  console.log(
    `${durability.padEnd(7)} ${name.padEnd(20)} ${Math.round(commits / elapsed)
      .toLocaleString('en')
      .padStart(9)} commits/s` + `  ${(commits / Math.max(wal.syncs, 1)).toFixed(1).padStart(8)} commits/sync`,
  );
  await store.close();
}

for (let round = 0; round < 2; round++) {
  for (const callers of [0, 1, 64, 256]) {
    for (const durability of ['memory', 'os', 'fsync']) {
      if (parent === undefined && durability === 'fsync') continue;
      await measure(durability, callers);
    }
  }
}
if (parent !== undefined) fs.rmSync(directory, { recursive: true });
