import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, it } from 'vitest';
import { createNodeVfs } from '../src/index.js';
import { FaultyVfs, MemoryVfs, counting, vfsConformance } from '../src/testing/index.js';

describe('the real disk', () => {
  vfsConformance({
    test: it,
    makeDisk() {
      const directory = mkdtempSync(`${tmpdir()}/phantom-vfs-`);
      return { vfs: createNodeVfs(), directory, dispose: () => rmSync(directory, { recursive: true, force: true }) };
    },
  });
});

describe.each([0, 2])('the disk in memory, syncs of %i turns', (syncTurns) => {
  vfsConformance({
    test: it,
    makeDisk() {
      const vfs = new MemoryVfs({ syncTurns });
      vfs.makeDir('/data');
      return { vfs, directory: '/data', dispose: () => undefined };
    },
  });
});

describe('the disk in memory that keeps its power, without directory syncs', () => {
  vfsConformance({
    test: it,
    makeDisk() {
      const capabilities = { directorySync: false, renameOverOpen: false, fullSync: false };
      const vfs = new MemoryVfs({ losesPower: false, capabilities });
      vfs.makeDir('data');
      return { vfs, directory: 'data', dispose: () => undefined };
    },
  });
});

describe('the faulty disk without faults', () => {
  vfsConformance({
    test: it,
    makeDisk() {
      const inner = new MemoryVfs();
      inner.makeDir('/data');
      return { vfs: new FaultyVfs(inner, counting()), directory: '/data', dispose: () => undefined };
    },
  });
});
