import { type LogFields, type Logger, loadChecksums, writeU32 } from '@phantom/base';
import { FaultyVfs, MemoryVfs, failAt, onOperation, pathMatch } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { openStore } from '../src/index.js';
import { commit, commitNow, optionsOf, readNow, rejection, twoEngines, withStore } from './support.js';

describe('opening', () => {
  it('makes a store, and finds everything again', async () => {
    const vfs = new MemoryVfs();
    let store = await openStore('/data/db', optionsOf(vfs));
    expect(vfs.list('/data/db')).toEqual(['left', 'log', 'right', 'superblock']);
    expect(store.visibleSeq).toBe(0);
    await commit(store, { 'left a': '1', 'right a': '2' });
    await commit(store, { 'left a': undefined, 'right b': '3' });
    for (const checkpoint of [false, true]) {
      await store.close({ checkpoint });
      store = await openStore('/data/db', optionsOf(vfs));
      expect(store.visibleSeq).toBe(2);
      expect(['left a', 'right a', 'right b'].map((key) => readNow(store, key))).toEqual([undefined, '2', '3']);
    }
    expect(await commit(store, { 'left c': '1' })).toBe(3);
    await store.close();
  });

  it('does not wait for what only writers need, and writers do', async () => {
    const vfs = new MemoryVfs();
    await (await openStore('/data/db', optionsOf(vfs))).close();
    const faulty = new FaultyVfs(vfs, pathMatch(/superblock/, onOperation('write', failAt(0, 'EIO'))));
    const store = await openStore('/data/db', optionsOf(faulty));
    expect(readNow(store, 'left a')).toBeUndefined();
    expect(await rejection(commit(store, { 'left a': '1' }))).toMatchObject({ code: '58030' });
    expect(store.failure).toBeUndefined();
    // The next writer tries again, on either thread.
    expect(await commit(store, { 'left a': '2' })).toBe(1);
    await store.close();

    const now = await openStore('/data/db', optionsOf(vfs));
    expect(commitNow(now, { 'left a': '3' })).toBe(2);
    await now.close();
  });

  it('is refused while somebody has the directory, who is named', async () => {
    await withStore(
      async (store, vfs) => {
        const error = await rejection(openStore('/data/db', optionsOf(vfs)));
        expect(error).toMatchObject({ code: '55006' });
        expect(error.detail).toContain('process 7 (the tests)');
        store.describeHolder({ pid: 8, description: 'a daemon' });
        expect((await rejection(openStore('/data/db', optionsOf(vfs)))).detail).toContain('process 8 (a daemon)');
        expect(await commit(store, { 'left a': '1' })).toBe(1);
      },
      { holder: { pid: 7, description: 'the tests' } },
    );
  });

  it('of a newer format is refused and changes nothing', async () => {
    const vfs = new MemoryVfs();
    await (await openStore('/data/db', optionsOf(vfs))).close();
    const head = vfs.readFile('/data/db/superblock').slice(0, 16);
    writeU32(head, 8, 9);
    writeU32(head, 12, (await loadChecksums()).h32(head, 0, 12));
    vfs.corrupt('/data/db/superblock', 0, head);
    vfs.corrupt('/data/db/superblock', 4096, head);
    const writes = vfs.counts.get('write');
    const error = await rejection(openStore('/data/db', optionsOf(vfs)));
    expect(error).toMatchObject({ code: '0A000', data: { format: 9 } });
    expect(vfs.counts.get('write')).toBe(writes);
    // And the lock is free again.
    expect((await rejection(openStore('/data/db', optionsOf(vfs)))).code).toBe('0A000');
  });

  it('does not take a directory of something else for a new store', async () => {
    const vfs = new MemoryVfs();
    vfs.makeDir('/files');
    vfs.open('/files/thesis.txt', { mode: 'create' }).close();
    const error = await rejection(openStore('/files', optionsOf(vfs)));
    expect(error).toMatchObject({ code: '22023', detail: 'It has "thesis.txt".' });
    expect(vfs.list('/files')).toEqual(['thesis.txt']);
    vfs.makeDir('/mount/lost+found');
    vfs.open('/mount/.hidden', { mode: 'create' }).close();
    await (await openStore('/mount', optionsOf(vfs))).close();
  });

  it('does not make one when it was told not to', async () => {
    const vfs = new MemoryVfs();
    for (const more of [{ create: false }, { readOnly: true }]) {
      expect((await rejection(openStore('/data/db', optionsOf(vfs, more)))).code).toBe('58P01');
    }
    expect(vfs.exists('/data')).toBe(false);
    vfs.makeDir('/data/db');
    for (const more of [{ create: false }, { readOnly: true }]) {
      expect((await rejection(openStore('/data/db', optionsOf(vfs, more)))).code).toBe('58P01');
    }
    expect(vfs.list('/data/db')).toEqual([]);
  });

  it('goes on where the making of a store was cut off', async () => {
    const vfs = new MemoryVfs();
    const clones: MemoryVfs[] = [];
    vfs.onOperation = () => clones.push(vfs.killClone(), vfs.crashClone(clones.length));
    await (await openStore('/data/db', optionsOf(vfs))).close();
    for (const clone of clones) {
      const store = await openStore('/data/db', optionsOf(clone));
      expect(commitNow(store, { 'left a': '1' })).toBe(1);
      await store.close();
    }
  });

  it('says when a part is gone', async () => {
    const made = async (): Promise<MemoryVfs> => {
      const vfs = new MemoryVfs();
      const store = await openStore('/data/db', optionsOf(vfs));
      await commit(store, { 'left a': '1', 'right a': '1' });
      await store.close();
      return vfs;
    };
    let vfs = await made();
    vfs.remove('/data/db/superblock');
    expect(await rejection(openStore('/data/db', optionsOf(vfs)))).toMatchObject({ code: 'XX001' });
    vfs = await made();
    for (const name of vfs.list('/data/db/log')) vfs.remove(`/data/db/log/${name}`);
    expect(await rejection(openStore('/data/db', optionsOf(vfs)))).toMatchObject({ code: 'XX001' });
    vfs = await made();
    vfs.remove('/data/db/left/snapshot');
    expect(await rejection(openStore('/data/db', optionsOf(vfs)))).toMatchObject({ code: 'XX001' });
    vfs = await made();
    expect(
      await rejection(openStore('/data/db', optionsOf(vfs, { engines: [twoEngines()[0] as never] }))),
    ).toMatchObject({
      code: '22023',
      message: 'the store has data of engine "right" (2), which it was not opened with',
    });
  });

  it('never steps back to older files of an engine', async () => {
    const vfs = new MemoryVfs();
    let store = await openStore('/data/db', optionsOf(vfs));
    await commit(store, { 'left a': '1' });
    await store.checkpoint();
    const old = vfs.readFile('/data/db/left/snapshot');
    await commit(store, { 'left a': '2' });
    await store.close();
    vfs.open('/data/db/left/snapshot', { mode: 'write' }).truncate(0);
    vfs.corrupt('/data/db/left/snapshot', 0, old);
    expect(await rejection(openStore('/data/db', optionsOf(vfs)))).toMatchObject({
      code: 'XX001',
      data: { expected: 2, found: 1 },
    });
    vfs.remove('/data/db/left/snapshot');
    store = await openStore('/other', optionsOf(vfs));
    await store.close();
  });

  it('takes an engine in later', async () => {
    const vfs = new MemoryVfs();
    const engines = twoEngines();
    let store = await openStore('/db', optionsOf(vfs, { engines: engines.slice(0, 1) }));
    await commit(store, { 'left a': '1' });
    expect((await rejection(commit(store, { 'right a': '1' }))).code).toBe('22023');
    await store.close({ checkpoint: false });
    store = await openStore('/db', optionsOf(vfs));
    await commit(store, { 'right a': '1' });
    await store.close({ checkpoint: false });
    store = await openStore('/db', optionsOf(vfs));
    expect([readNow(store, 'left a'), readNow(store, 'right a')]).toEqual(['1', '1']);
    await store.close();
  });

  it('warns of a damaged slot and goes on with the other one', async () => {
    const warnings: [string, LogFields | undefined][] = [];
    const ignore = (): void => undefined;
    const logger: Logger = {
      debug: ignore,
      info: ignore,
      error: ignore,
      warn: (text, fields) => warnings.push([text, fields]),
    };
    const vfs = new MemoryVfs();
    await (await openStore('/db', optionsOf(vfs))).close();
    vfs.corrupt('/db/superblock', 100, new Uint8Array([1]));
    const store = await openStore('/db', optionsOf(vfs, { logger }));
    expect(warnings[0]?.[0]).toContain('damaged');
    const findings = [];
    for await (const finding of store.check()) findings.push(finding);
    expect(findings).toMatchObject([
      { severity: 'note', file: '/db/superblock', message: expect.stringContaining('half written') },
    ]);
    await store.close();
  });
});
