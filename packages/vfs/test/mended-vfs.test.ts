import { describe, expect, it } from 'vitest';
import { MendedVfs } from '../src/index.js';
import { MemoryVfs } from '../src/testing/index.js';

const PATH = '/data/file';

function diskWith(text: string): MemoryVfs {
  const vfs = new MemoryVfs();
  vfs.makeDir('/data');
  const file = vfs.open(PATH, { mode: 'create-new' });
  file.writeAt(0, new TextEncoder().encode(text));
  file.close();
  return vfs;
}

const says = (text: string) => (piece: Uint8Array) => new TextDecoder().decode(piece) === text;

describe('a mended disk', () => {
  it('shows a piece as it was once its bit has been found, to readers from before too', () => {
    const disk = diskWith('hello wprld');
    const vfs = new MendedVfs(disk);
    const file = vfs.open(PATH, { mode: 'read' });
    expect(vfs.mend(PATH, 6, 5, says('wqrld'))).toBe(7);
    const bytes = new Uint8Array(11);
    file.readAt(0, bytes);
    expect(new TextDecoder().decode(bytes)).toBe('hello wqrld');
    file.readAt(7, bytes, 1);
    expect(bytes[0]).toBe('q'.charCodeAt(0));
    expect(new TextDecoder().decode(disk.readFile(PATH))).toBe('hello wprld');
    expect([file.size(), file.isInPlace(), file.path]).toEqual([11, true, PATH]);
    file.prefetch(0, 4);
    // Of a second bit in the same file.
    expect(vfs.mend(PATH, 0, 5, says('hellz'))).toBeUndefined();
    expect(vfs.mend(PATH, 0, 5, says('iello'))).toBe(0);
    file.readAt(0, bytes);
    expect(new TextDecoder().decode(bytes)).toBe('iello wqrld');
    file.close();
  });

  it('does not try what is too long, or not there', () => {
    const vfs = new MendedVfs(diskWith('short'));
    expect(vfs.mend(PATH, 0, 100, () => true)).toBeUndefined();
    expect(vfs.mend(PATH, 0, 1 << 20, () => true)).toBeUndefined();
  });

  it('gives up where nothing can be mended', () => {
    const vfs = new MendedVfs(diskWith('xx'));
    let tries = 0;
    const never = (): boolean => ++tries < 0;
    for (let i = 0; i < 100; i++) vfs.mend(PATH, 0, 2, never);
    expect(tries).toBe(64 * 16);
  });

  it('is only read', async () => {
    const disk = diskWith('text');
    const vfs = new MendedVfs(disk);
    expect(vfs.exists(PATH)).toBe(true);
    expect(vfs.list('/data')).toEqual(['file']);
    const lock = await vfs.lock('/data', { pid: 1, description: 'a test' });
    await lock.release();
    const file = vfs.open(PATH, { mode: 'read' });
    const refused: (() => unknown)[] = [
      () => vfs.open(PATH, { mode: 'write' }),
      () => vfs.makeDir('/data/more'),
      () => vfs.rename(PATH),
      () => vfs.remove(PATH),
      () => vfs.syncDir('/data'),
      () => file.writeAt(0, new Uint8Array(1)),
      () => file.truncate(0),
      () => file.syncNow(),
      () => file.discard(PATH),
    ];
    for (const refuse of refused) expect(refuse).toThrow(expect.objectContaining({ code: '25006' }));
    for (const later of [vfs.syncDirLater('/data'), file.fill(0, 4096), file.sync()])
      await expect(later).rejects.toMatchObject({ code: '25006' });
  });
});
