/** Copies of a store in use: whole, of one moment, read back; and at no moment of their making a store that anybody would open. */
import { isPhantomError } from '@phantom/base';
import { EngineCode } from '@phantom/kv';
import { MemoryEngine } from '@phantom/kv/memory';
import { FaultyVfs, MemoryVfs, failAt } from '@phantom/vfs/testing';
import { describe, expect, it } from 'vitest';
import { type CopyProgress, type EngineFactory, type Store, copyStore, openStore } from '../src/index.js';
import { commit, commitNow, optionsOf, readNow, rejection, twoEngines, volatileEngine } from './support.js';

const ENTRIES = 300;

/** A store with entries in both engines, `left k0` to `left k299` among them. */
async function original(vfs = new MemoryVfs()): Promise<Store> {
  const store = await openStore('/original', optionsOf(vfs, { engines: [...twoEngines(), volatileEngine] }));
  for (let i = 0; i < ENTRIES; i += 100) {
    const entries: Record<string, string> = { 'right x': `${i}` };
    for (let k = i; k < i + 100; k++) entries[`left k${k}`] = `value ${k}`;
    await commit(store, entries);
  }
  await commit(store, { 'memory temporary': 'gone with the process' });
  return store;
}

const openCopy = (vfs: MemoryVfs, directory = '/copy'): Promise<Store> =>
  openStore(directory, { ...optionsOf(vfs), create: false });

describe('a copy of a store', () => {
  it('has everything of the moment at which it was begun, and goes on from there', async () => {
    const vfs = new MemoryVfs();
    const store = await original(vfs);
    const numbers = [store.allocateSpaceNumber(), store.allocateSpaceNumber()];
    const seq = store.visibleSeq;
    const copying = copyStore(store, '/copy', { vfs, engines: twoEngines() });
    commitNow(store, { 'left later': '1', 'right x': 'changed' });
    expect(await copying).toMatchObject({ seq, entries: ENTRIES + 1 });
    await store.close();

    const copy = await openCopy(vfs);
    expect(copy.visibleSeq).toBe(seq);
    expect([readNow(copy, 'left k0'), readNow(copy, 'left k299'), readNow(copy, 'right x')]).toEqual([
      'value 0',
      'value 299',
      '200',
    ]);
    expect(readNow(copy, 'left later')).toBeUndefined();
    expect(numbers).not.toContain(copy.allocateSpaceNumber());
    expect(commitNow(copy, { 'left own': '1' })).toBe(seq + 1);
    for await (const finding of copy.check()) expect(finding.severity).not.toBe('corruption');
    await copy.close();
    const again = await openCopy(vfs);
    expect(readNow(again, 'left own')).toBe('1');
    await again.close();
    expect(vfs.list('/copy')).toEqual(['left', 'log', 'right', 'superblock']);
  });

  it('is made of an empty store, and of one that may only be read, too', async () => {
    const vfs = new MemoryVfs();
    const empty = await openStore('/original', optionsOf(vfs));
    expect(await copyStore(empty, '/empty', { vfs, engines: twoEngines() })).toEqual({ seq: 0, entries: 0, bytes: 0 });
    commitNow(empty, { 'left a': '1' });
    await empty.close();
    const reading = await openStore('/original', optionsOf(vfs, { readOnly: true }));
    expect(await copyStore(reading, '/copy', { vfs, engines: twoEngines() })).toMatchObject({ seq: 1, entries: 1 });
    await reading.close();
    for (const directory of ['/empty', '/copy']) await (await openCopy(vfs, directory)).close();
  });

  it('tells how far it is, and ends with what is thrown there', async () => {
    const vfs = new MemoryVfs();
    const store = await original(vfs);
    const told: CopyProgress[] = [];
    await copyStore(store, '/copy', { vfs, engines: twoEngines(), onProgress: (progress) => told.push(progress) });
    expect(told.at(-1)).toMatchObject({ phase: 'verify', entries: ENTRIES + 1, entriesExpected: ENTRIES + 1 });
    expect(told[0]).toMatchObject({ phase: 'copy' });
    for (const phase of ['copy', 'verify'] as const) {
      const onProgress = (progress: CopyProgress): void => {
        if (progress.phase === phase) throw new Error('enough');
      };
      const ended = copyStore(store, '/ended', { vfs, engines: twoEngines(), onProgress });
      expect((await rejection(ended)).message).toBe('enough');
      expect(vfs.list('/ended').flatMap((name) => vfs.list(`/ended/${name}`))).toEqual([]);
    }
    // To anybody else the empty folders are what is left of a store, and no place for a new one.
    expect((await rejection(openStore('/ended', optionsOf(vfs)))).code).toBe('XX001');
    await copyStore(store, '/ended', { vfs, engines: twoEngines() });
    await (await openCopy(vfs, '/ended')).close();
    await store.close();
  });

  it('is not put where something else is', async () => {
    const vfs = new MemoryVfs();
    const store = await original(vfs);
    vfs.makeDir('/files');
    vfs.open('/files/thesis.txt', { mode: 'create' }).close();
    await copyStore(store, '/copy', { vfs, engines: twoEngines() });
    for (const directory of ['/files', '/copy']) {
      const before = vfs.list(directory);
      expect((await rejection(copyStore(store, directory, { vfs, engines: twoEngines() }))).code).toBe('22023');
      expect(vfs.list(directory)).toEqual(before);
    }
    // Nor where the store itself lies.
    expect((await rejection(copyStore(store, '/original', { vfs, engines: twoEngines() }))).code).toBe('55006');
    expect(readNow(store, 'left k0')).toBe('value 0');
    await store.close();
  });

  it('is refused while it is being made, and by a second maker', async () => {
    const vfs = new MemoryVfs();
    const store = await original(vfs);
    const codes: Promise<string>[] = [];
    const onProgress = (): void => {
      if (codes.length > 0) return;
      codes.push(rejection(openCopy(vfs)).then(({ code }) => code));
      codes.push(rejection(copyStore(store, '/copy', { vfs, engines: twoEngines() })).then(({ code }) => code));
    };
    await copyStore(store, '/copy', { vfs, engines: twoEngines(), onProgress });
    expect(await Promise.all(codes)).toEqual(['55006', '55006']);
    await (await openCopy(vfs)).close();
    await store.close();
  });

  it('is refused by name when its maker was killed, and made anew', async () => {
    const vfs = new MemoryVfs();
    const store = await original(vfs);
    let killed: MemoryVfs | undefined;
    await copyStore(store, '/copy', { vfs, engines: twoEngines(), onProgress: () => (killed ??= vfs.killClone()) });
    const clone = killed as MemoryVfs;
    for (const create of [false, true]) {
      expect(await rejection(openStore('/copy', { ...optionsOf(clone), create }))).toMatchObject({
        code: '55000',
        message: '"/copy" holds a copy that was not finished',
      });
    }
    await copyStore(store, '/copy', { vfs: clone, engines: twoEngines() });
    await (await openCopy(clone)).close();
    await store.close();
  });

  it('does not count when it reads otherwise than it was written', async () => {
    const vfs = new MemoryVfs();
    const store = await original(vfs);
    const forgetful = twoEngines().map((engine): EngineFactory => ({
      code: engine.code,
      name: engine.name,
      open: async (context) => {
        const opened = await engine.open(context);
        return context.readOnly && engine.code === EngineCode.Lsm ? emptyAt(opened.appliedSeq) : opened;
      },
    }));
    const error = await rejection(copyStore(store, '/copy', { vfs, engines: forgetful }));
    expect(error).toMatchObject({ code: 'XX001', message: 'the copy does not read as it was written' });
    expect(vfs.list('/copy')).not.toContain('superblock');
    await store.close();
  });

  it('is whole or no store after a crash at any operation, and can be made again', async () => {
    const source = await original();
    const vfs = new MemoryVfs();
    const clones: MemoryVfs[] = [];
    vfs.onOperation = () => clones.push(clones.length % 3 === 0 ? vfs.killClone() : vfs.crashClone(clones.length));
    await copyStore(source, '/copy', { vfs, engines: twoEngines() });
    clones.push(vfs.crashClone(0));
    let whole = 0;
    for (const clone of clones) {
      const copy = await openCopy(clone).catch((error: unknown) => {
        if (!isPhantomError(error)) throw error;
        return undefined;
      });
      if (copy === undefined) {
        await copyStore(source, '/copy', { vfs: clone, engines: twoEngines() });
        continue;
      }
      whole++;
      expect([readNow(copy, 'left k299'), readNow(copy, 'right x')]).toEqual(['value 299', '200']);
      await copy.close();
    }
    expect(whole).toBeGreaterThan(0);
    await source.close();
  });

  it('ends in a typed error when any operation of its disk fails, and can be made again', async () => {
    const source = await original();
    let runs = 0;
    for (let fired = true; fired; runs++) {
      const fault = failAt(runs, runs % 2 === 0 ? 'EIO' : 'ENOSPC');
      const vfs = new MemoryVfs();
      const faulty = new FaultyVfs(vfs, fault);
      const made = await copyStore(source, '/copy', { vfs: faulty, engines: twoEngines() }).catch((error: unknown) => {
        if (!isPhantomError(error)) throw error;
        return undefined;
      });
      fired = fault.fired;
      if (made === undefined) await copyStore(source, '/copy', { vfs, engines: twoEngines() });
      const copy = await openStore('/copy', { ...optionsOf(vfs), create: false });
      expect(readNow(copy, 'left k299')).toBe('value 299');
      await copy.close();
    }
    expect(runs).toBeGreaterThan(40);
    await source.close();
  });
});

function emptyAt(seq: number): MemoryEngine {
  const engine = new MemoryEngine();
  engine.advance(seq);
  return engine;
}
