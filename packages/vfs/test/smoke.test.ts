import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { describe, expect, it } from 'vitest';
import { createNodeVfs, replaceFile } from '../src/index.js';
import { MemoryVfs } from '../src/testing/index.js';

describe.each(['node', 'memory'])('%s', (kind) => {
  it('writes, syncs both ways, reads back and locks', async () => {
    const dir = kind === 'node' ? mkdtempSync(`${tmpdir()}/vfs-`) : '/d';
    const vfs = kind === 'node' ? createNodeVfs() : new MemoryVfs();
    vfs.makeDir(dir);
    const file = vfs.open(`${dir}/a`, { mode: 'create' });
    file.writeAt(3, Buffer.from('hello'));
    file.syncNow();
    await Promise.all([file.sync(), file.sync(), file.sync()]);
    const into = new Uint8Array(10);
    expect(file.readAt(0, into)).toBe(8);
    expect(Buffer.from(into).toString()).toBe('\0\0\0hello\0\0');
    await replaceFile(vfs, `${dir}/b`, Buffer.from('x'));
    expect(vfs.list(dir)).toEqual(['a', 'b']);
    const lock = await vfs.lock(dir, { pid: process.pid, description: 'me' });
    await expect(vfs.lock(dir, { pid: 1, description: 'other' })).rejects.toMatchObject({
      code: '55006',
      detail: expect.stringContaining('(me)'),
    });
    await lock.release();
    await (await vfs.lock(dir, { pid: 1, description: 'other' })).release();
    file.close();
    if (kind === 'node') rmSync(dir, { recursive: true });
  });
});

it('loses what was not synced', async () => {
  const vfs = new MemoryVfs();
  const file = vfs.open('/a', { mode: 'create' });
  file.writeAt(0, Buffer.from('one'));
  await file.sync();
  vfs.syncDir('/');
  file.writeAt(0, Buffer.from('two'));
  const seen = new Set<string>();
  for (let seed = 0; seed < 50; seed++) seen.add(Buffer.from(vfs.crashClone(seed).readFile('/a')).toString());
  expect([...seen].sort()).toEqual(['one', 'two']);
});
