// Times the arena tree: node packages/kv/bench/arena-tree.mjs [entries]   (after a build of the package)
import { ArenaTree, ArenaTreeCursor, ByteArena } from '../dist/index.js';

const entries = Number(process.argv[2] ?? 1_000_000);
const keyBytes = 16;

function report(name, count, run) {
  globalThis.gc?.();
  const before = process.cpuUsage();
  run();
  const used = process.cpuUsage(before);
  console.log(`${name.padEnd(24)} ${(((used.user + used.system) * 1000) / count).toFixed(0).padStart(6)} ns`);
}

function randomKeys(seed) {
  const arena = new ByteArena(entries * keyBytes, true);
  let state = seed;
  for (let i = 0; i < entries * keyBytes; i += 4) {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    const mixed = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
    arena.buffer[i] = 1;
    if (i % keyBytes !== 0) for (let b = 0; b < 4; b++) arena.buffer[i + b] = mixed >>> (b * 8);
    else arena.buffer.fill(1, i, i + 4);
  }
  arena.length = entries * keyBytes;
  return arena;
}

for (let round = 0; round < 3; round++) {
  const arena = randomKeys(7 + round);
  const tree = new ArenaTree(arena.buffer, { shared: true });
  report('random insert', entries, () => {
    for (let i = 0; i < entries; i++) tree.insert(i * keyBytes, keyBytes);
  });
  const probe = arena.buffer.slice();
  report('random get', entries, () => {
    let found = 0;
    for (let i = 0, at = 0; i < entries; i++) {
      if (tree.find(probe, at * keyBytes, (at + 1) * keyBytes) >= 0) found++;
      at = (at + 514229) % entries;
    }
    if (found !== entries) throw new Error(`only ${found} found`);
  });
  const cursor = new ArenaTreeCursor(tree);
  report('scan', entries, () => {
    let seen = 0;
    for (let more = cursor.first(); more; more = cursor.next()) seen += tree.keyEnd(cursor.entry) > 0 ? 1 : 0;
    if (seen !== tree.count) throw new Error(`only ${seen} seen`);
  });
  console.log(`bytes per entry beside the key ${(tree.bytes / tree.count).toFixed(1)}, height ${tree.height}`);
  const ascending = new ByteArena(entries * keyBytes, true);
  ascending.length = entries * keyBytes;
  const view = new DataView(ascending.buffer.buffer);
  for (let i = 0; i < entries; i++) view.setUint32(i * keyBytes + 12, i);
  const sorted = new ArenaTree(ascending.buffer, { shared: true });
  report('ascending insert', entries, () => {
    for (let i = 0; i < entries; i++) sorted.insert(i * keyBytes, keyBytes);
  });
  console.log(`bytes per entry beside the key ${(sorted.bytes / sorted.count).toFixed(1)}, height ${sorted.height}`);
}
