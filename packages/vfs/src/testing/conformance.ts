/**
 * What every disk does, as a suite: run on the real one, on the one in memory and on one that fails, and open to whoever
 * writes another. It knows no test framework: it is handed `test(name, body)`, and each body throws when a promise of
 * `vfs.ts` is broken.
 *
 * What a power cut takes cannot be seen from outside; MemoryVfs is tested for that apart.
 */
import assert from 'node:assert/strict';
import { isPhantomError } from '@phantom/base';
import { makeDirectoryDurable } from '../make-directory.js';
import { replaceFile, replaceFileNow } from '../replace-file.js';
import { type Vfs, type VfsFile, joinPath } from '../vfs.js';

/** A disk to test, with an empty directory on it. */
export interface ConformanceDisk {
  readonly vfs: Vfs;
  readonly directory: string;
  dispose(): void | Promise<void>;
}

export interface ConformanceSuite {
  test(name: string, body: () => Promise<void>): void;
  makeDisk(): ConformanceDisk | Promise<ConformanceDisk>;
}

type Body = (vfs: Vfs, directory: string) => void | Promise<void>;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function contentOf(file: VfsFile): string {
  const into = new Uint8Array(file.size());
  assert.equal(file.readAt(0, into), into.length);
  return Buffer.from(into).toString('latin1');
}

function withCode(code: string): (error: unknown) => boolean {
  return (error) => {
    assert.ok(isPhantomError(error), `a PhantomError was expected, not ${String(error)}`);
    assert.equal(error.code, code);
    return true;
  };
}

const FILES: Readonly<Record<string, Body>> = {
  'writes at offsets, reads back through every handle, and fills gaps with zeros'(vfs, directory) {
    const path = joinPath(directory, 'a');
    const file = vfs.open(path, { mode: 'create' });
    file.writeAt(4, bytes('world'));
    const other = vfs.open(path, { mode: 'read' });
    assert.equal(contentOf(other), '\0\0\0\0world');
    file.writeAt(0, bytes('hell'));
    file.writeAt(20, bytes('!'));
    assert.equal(contentOf(other), `hellworld${'\0'.repeat(11)}!`);
    assert.equal(file.size(), 21);
    assert.equal(file.path, path);
    file.close();
    other.close();
  },

  'reads as far as the file goes, also into shared memory'(vfs, directory) {
    const file = vfs.open(joinPath(directory, 'a'), { mode: 'create' });
    file.writeAt(0, bytes('abcdef'));
    const shared = new Uint8Array(new SharedArrayBuffer(8));
    assert.equal(file.readAt(2, shared), 4);
    assert.equal(Buffer.from(shared.slice()).toString('latin1'), 'cdef\0\0\0\0');
    assert.equal(file.readAt(6, shared), 0);
    assert.equal(file.readAt(600, shared), 0);
    assert.equal(file.readAt(0, new Uint8Array(0)), 0);
    const part = new Uint8Array(8);
    assert.equal(file.readAt(1, part, 3), 3);
    assert.equal(Buffer.from(part).toString('latin1'), 'bcd\0\0\0\0\0');
    assert.equal(file.readAt(5, part, 3), 1);
    file.prefetch(0, 4);
    file.prefetch(1_000_000, 4);
    file.close();
  },

  'truncates, and what comes back after an extension is zeros'(vfs, directory) {
    const file = vfs.open(joinPath(directory, 'a'), { mode: 'create' });
    file.writeAt(0, new Uint8Array(10_000).fill(7));
    file.truncate(5000);
    assert.equal(file.size(), 5000);
    file.truncate(9000);
    const into = new Uint8Array(4000).fill(1);
    assert.equal(file.readAt(5000, into), 4000);
    assert.ok(into.every((byte) => byte === 0));
    file.truncate(0);
    assert.equal(file.size(), 0);
    file.close();
  },

  'tells whether its path still leads to it'(vfs, directory) {
    const path = joinPath(directory, 'a');
    const file = vfs.open(path, { mode: 'create' });
    assert.ok(file.isInPlace());
    if (vfs.capabilities.renameOverOpen) {
      vfs.remove(path);
      assert.ok(!file.isInPlace());
      vfs.open(path, { mode: 'create-new' }).close();
      assert.ok(!file.isInPlace());
    }
    file.close();
  },

  'writes nothing for no bytes'(vfs, directory) {
    const file = vfs.open(joinPath(directory, 'a'), { mode: 'create' });
    file.writeAt(100, new Uint8Array(0));
    assert.equal(file.size(), 0);
    file.close();
  },

  'keeps large writes whole across any block size'(vfs, directory) {
    const file = vfs.open(joinPath(directory, 'a'), { mode: 'create' });
    const large = new Uint8Array(300_001);
    for (let i = 0; i < large.length; i++) large[i] = (i * 7) % 251;
    file.writeAt(4095, large);
    file.writeAt(8192, large.subarray(0, 4096));
    const into = new Uint8Array(large.length);
    assert.equal(file.readAt(4095, into), large.length);
    large.copyWithin(4097, 0, 4096);
    assert.equal(Buffer.compare(into, large), 0);
    file.close();
  },

  'opens in each mode as it says'(vfs, directory) {
    const path = joinPath(directory, 'a');
    assert.throws(() => vfs.open(path, { mode: 'read' }), withCode('58P01'));
    assert.throws(() => vfs.open(path, { mode: 'write' }), withCode('58P01'));
    vfs.open(path, { mode: 'create-new' }).close();
    assert.throws(() => vfs.open(path, { mode: 'create-new' }), withCode('58030'));
    const file = vfs.open(path, { mode: 'write', syncLane: 'log' });
    file.writeAt(0, bytes('kept'));
    file.close();
    const again = vfs.open(path, { mode: 'create' });
    assert.equal(contentOf(again), 'kept');
    again.close();
    const reader = vfs.open(path, { mode: 'read' });
    assert.throws(() => reader.writeAt(0, bytes('x')), withCode('58030'));
    reader.close();
    assert.throws(() => vfs.open(joinPath(directory, 'missing', 'a'), { mode: 'create' }), withCode('58P01'));
    assert.throws(() => vfs.open(directory, { mode: 'create' }), withCode('58030'));
  },

  async 'refuses the use of a closed file'(vfs, directory) {
    const file = vfs.open(joinPath(directory, 'a'), { mode: 'create' });
    file.close();
    file.close();
    const into = new Uint8Array(1);
    assert.throws(() => file.readAt(0, into), withCode('55000'));
    assert.throws(() => file.writeAt(0, into), withCode('55000'));
    assert.throws(() => file.size(), withCode('55000'));
    assert.throws(() => file.truncate(0), withCode('55000'));
    assert.throws(() => file.syncNow(), withCode('55000'));
    await assert.rejects(file.sync(), withCode('55000'));
    file.prefetch(0, 1);
  },
};

const SYNCS: Readonly<Record<string, Body>> = {
  async 'syncs, awaited and at once, in any mixture'(vfs, directory) {
    const file = vfs.open(joinPath(directory, 'a'), { mode: 'create' });
    file.syncNow();
    for (let round = 0; round < 3; round++) {
      file.writeAt(round, bytes('x'));
      const awaited = [file.sync(), file.sync(), file.sync()];
      file.writeAt(round, bytes('y'));
      file.syncNow();
      awaited.push(file.sync());
      await Promise.all(awaited);
    }
    file.close();
  },

  async 'syncs many files at a time on both lanes'(vfs, directory) {
    const files = Array.from({ length: 40 }, (_, i) => {
      const file = vfs.open(joinPath(directory, `f${i}`), { mode: 'create', syncLane: i % 2 === 0 ? 'log' : 'data' });
      file.writeAt(0, bytes(String(i)));
      return file;
    });
    const awaited = files.flatMap((file) => [file.sync(), file.sync()]);
    (files[7] as VfsFile).syncNow();
    await Promise.all(awaited);
    for (const file of files) file.close();
  },

  async 'lets a sync under way end when the file is closed behind it'(vfs, directory) {
    const file = vfs.open(joinPath(directory, 'a'), { mode: 'create' });
    file.writeAt(0, bytes('x'));
    const awaited = [file.sync(), file.sync()];
    file.close();
    await Promise.all(awaited);
  },

  async 'fills with zeros beside other work'(vfs, directory) {
    const file = vfs.open(joinPath(directory, 'a'), { mode: 'create' });
    file.writeAt(0, new Uint8Array(10_000).fill(1));
    const filling = [file.fill(4096, 300_000), file.fill(1_048_576, 5000), file.sync()];
    await Promise.all(filling);
    await file.sync();
    assert.equal(file.size(), 1_053_576);
    const into = new Uint8Array(1_053_576).fill(7);
    assert.equal(file.readAt(0, into), into.length);
    assert.equal(
      into.subarray(0, 4096).every((byte) => byte === 1),
      true,
    );
    assert.equal(
      into.subarray(4096).every((byte) => byte === 0),
      true,
    );
    const last = file.fill(0, 4096);
    file.close();
    await last;
    await assert.rejects(file.fill(0, 1), withCode('55000'));
    const read = vfs.open(joinPath(directory, 'a'), { mode: 'read' });
    await assert.rejects(read.fill(0, 1), withCode('58030'));
    read.close();
  },
};

const NAMES: Readonly<Record<string, Body>> = {
  async 'lists, renames and removes'(vfs, directory) {
    for (const name of ['b', 'a', 'c']) vfs.open(joinPath(directory, name), { mode: 'create' }).close();
    assert.deepEqual(vfs.list(directory), ['a', 'b', 'c']);
    vfs.rename(joinPath(directory, 'a'), joinPath(directory, 'd'));
    assert.deepEqual(vfs.list(directory), ['b', 'c', 'd']);
    vfs.rename(joinPath(directory, 'b'), joinPath(directory, 'b'));
    vfs.remove(joinPath(directory, 'c'));
    vfs.remove(joinPath(directory, 'c'));
    assert.deepEqual(vfs.list(directory), ['b', 'd']);
    assert.equal(vfs.exists(joinPath(directory, 'd')), true);
    assert.equal(vfs.exists(joinPath(directory, 'a')), false);
    assert.throws(() => vfs.rename(joinPath(directory, 'a'), joinPath(directory, 'e')), withCode('58P01'));
    assert.throws(() => vfs.list(joinPath(directory, 'nothing')), withCode('58P01'));
    assert.throws(() => vfs.list(joinPath(directory, 'd')), withCode('58030'));
    vfs.syncDir(directory);
    await vfs.syncDirLater(directory);
    await assert.rejects(vfs.syncDirLater(joinPath(directory, 'nothing')), withCode('58P01'));
  },

  async 'removes a file that is open, whatever its name is by then'(vfs, directory) {
    const path = joinPath(directory, 'a');
    const renamed = joinPath(directory, 'b');
    const file = vfs.open(path, { mode: 'create' });
    file.writeAt(0, bytes('content'));
    const synced = file.sync();
    if (vfs.capabilities.renameOverOpen) vfs.rename(path, renamed);
    else await synced;
    file.discard(vfs.capabilities.renameOverOpen ? renamed : path);
    assert.deepEqual(vfs.list(directory), []);
    assert.throws(() => file.readAt(0, new Uint8Array(1)), withCode('55000'));
    await synced;
    file.close();
    // Its room is given back behind our back; nothing else is.
    const next = vfs.open(path, { mode: 'create' });
    next.writeAt(0, bytes('next'));
    await next.sync();
    assert.equal(contentOf(next), 'next');
    next.close();
  },

  'renames over a file'(vfs, directory) {
    const path = joinPath(directory, 'a');
    const old = vfs.open(path, { mode: 'create' });
    old.writeAt(0, bytes('old'));
    const fresh = vfs.open(joinPath(directory, 'b'), { mode: 'create' });
    fresh.writeAt(0, bytes('new'));
    fresh.close();
    if (!vfs.capabilities.renameOverOpen) old.close();
    vfs.rename(joinPath(directory, 'b'), path);
    // Whoever has the old file open goes on reading it.
    if (vfs.capabilities.renameOverOpen) assert.equal(contentOf(old), 'old');
    old.close();
    const after = vfs.open(path, { mode: 'read' });
    assert.equal(contentOf(after), 'new');
    after.close();
  },

  async 'makes directories with their parents'(vfs, directory) {
    const deep = joinPath(directory, 'x', 'y', 'z');
    vfs.makeDir(deep);
    vfs.makeDir(deep);
    assert.deepEqual(vfs.list(joinPath(directory, 'x')), ['y']);
    await makeDirectoryDurable(vfs, joinPath(deep, 'more', 'still'));
    await makeDirectoryDurable(vfs, joinPath(deep, 'more', 'still'));
    assert.equal(vfs.exists(joinPath(deep, 'more', 'still')), true);
    vfs.open(joinPath(deep, 'file'), { mode: 'create' }).close();
    assert.throws(() => vfs.makeDir(joinPath(deep, 'file', 'q')), withCode('58030'));
    vfs.rename(joinPath(directory, 'x'), joinPath(directory, 'w'));
    assert.equal(vfs.exists(joinPath(directory, 'w', 'y', 'z', 'file')), true);
  },

  async 'replaces a file whole'(vfs, directory) {
    const path = joinPath(directory, 'a');
    await replaceFile(vfs, path, bytes('one'));
    await replaceFile(vfs, path, bytes('three'));
    const file = vfs.open(path, { mode: 'read' });
    assert.equal(contentOf(file), 'three');
    file.close();
    replaceFileNow(vfs, path, bytes('four'));
    const replaced = vfs.open(path, { mode: 'read' });
    assert.equal(contentOf(replaced), 'four');
    replaced.close();
    assert.deepEqual(vfs.list(directory), ['a']);
  },

  async 'holds a directory once, and says who does'(vfs, directory) {
    const lock = await vfs.lock(directory, { pid: process.pid, description: 'first' });
    assert.equal(lock.directory, directory);
    assert.deepEqual(vfs.list(directory), []);
    const refused = async (detail: RegExp): Promise<void> => {
      await assert.rejects(vfs.lock(directory, { pid: 1, description: 'second' }), (error: unknown) => {
        withCode('55006')(error);
        assert.match(String(isPhantomError(error) ? error.detail : ''), detail);
        return true;
      });
    };
    await refused(/\(first\)/);
    lock.describe({ pid: process.pid, description: 'first, listening', endpoints: { pg: 'localhost:1' } });
    await refused(/\(first, listening\)/);
    const below = joinPath(directory, 'below');
    vfs.makeDir(below);
    await (await vfs.lock(below, { pid: 1, description: 'another' })).release();
    await lock.release();
    await lock.release();
    const again = await vfs.lock(directory, { pid: process.pid, description: 'again' });
    await again.release();
    await assert.rejects(vfs.lock(joinPath(directory, 'nothing'), { pid: 1, description: '' }), withCode('58P01'));
  },
};

/** Registers the suite: one test for each promise, each on a fresh disk. */
export function vfsConformance(suite: ConformanceSuite): void {
  for (const [name, body] of Object.entries({ ...FILES, ...SYNCS, ...NAMES })) {
    suite.test(name, async () => {
      const disk = await suite.makeDisk();
      try {
        await body(disk.vfs, disk.directory);
      } finally {
        await disk.dispose();
      }
    });
  }
}
