// Times the arena tree: node packages/kv/bench/arena-tree.mjs [entries]   (after a build of the package)
import { ArenaTree, ArenaTreeCursor, ByteArena } from '../dist/index.js';

const entries = Number(process.argv[2] ?? 1_000_000);
const keyBytes = 16;

function report(name, count, run) {
  globalThis.gc?.();
  const before = process.cpuUsage();
  run();
  const used = process.cpuUsage(before);
  print(name, used.user + used.system, count);
}

function print(name, cpuUs, count) {
  console.log(`${name.padEnd(24)} ${((cpuUs * 1000) / count).toFixed(0).padStart(6)} ns`);
}

function randomKeys(seed) {
  const arena = new ByteArena(entries * keyBytes);
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
  const tree = new ArenaTree(arena.buffer);
  report('random insert', entries, () => {
    for (let i = 0; i < entries; i++) tree.insert(i * keyBytes, keyBytes);
  });
  // The probes of a block lie together, as those of a caller would: only what the tree itself touches is timed.
  const block = 1000;
  const probe = new Uint8Array(block * keyBytes);
  let position = 0;
  let found = 0;
  let cpuUs = 0;
  for (let start = 0; start < entries; start += block) {
    for (let i = 0; i < block; i++) {
      probe.set(arena.buffer.subarray(position * keyBytes, (position + 1) * keyBytes), i * keyBytes);
      position = (position + 514229) % entries;
    }
    const before = process.cpuUsage();
    for (let i = 0; i < block; i++) if (tree.find(probe, i * keyBytes, (i + 1) * keyBytes) >= 0) found++;
    const used = process.cpuUsage(before);
    cpuUs += used.user + used.system;
  }
  if (found !== entries) throw new Error(`only ${found} found`);
  print('random get', cpuUs, entries);
  const cursor = new ArenaTreeCursor(tree);
  report('random scan with keys', entries, () => {
    let sum = 0;
    for (let more = cursor.first(); more; more = cursor.next()) sum += tree.keys[tree.keyEnd(cursor.entry) - 1];
    if (sum < 0) throw new Error('impossible');
  });
  console.log(`bytes per entry beside the key ${(tree.bytes / tree.count).toFixed(1)}, height ${tree.height}`);
  const ascending = new ByteArena(entries * keyBytes);
  ascending.length = entries * keyBytes;
  const view = new DataView(ascending.buffer.buffer);
  for (let i = 0; i < entries; i++) view.setUint32(i * keyBytes + 12, i);
  const sorted = new ArenaTree(ascending.buffer);
  report('ascending insert', entries, () => {
    for (let i = 0; i < entries; i++) sorted.insert(i * keyBytes, keyBytes);
  });
  const inOrder = new ArenaTreeCursor(sorted);
  report('ascending scan with keys', entries, () => {
    let sum = 0;
    for (let more = inOrder.first(); more; more = inOrder.next()) sum += sorted.keys[sorted.keyEnd(inOrder.entry) - 1];
    if (sum < 0) throw new Error('impossible');
  });
  console.log(`bytes per entry beside the key ${(sorted.bytes / sorted.count).toFixed(1)}, height ${sorted.height}`);
}
