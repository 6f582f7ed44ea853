import { Random } from '@phantom/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VfsFile } from '../src/index.js';
import { FaultyVfs, MemoryVfs, anyOf, failAt, onOperation } from '../src/testing/index.js';

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');

/** Every content that a file has after a power cut, over many seeds; `-` when its name is gone. */
function outcomes(disk: MemoryVfs, path: string, seeds = 300): Set<string> {
  const seen = new Set<string>();
  for (let seed = 0; seed < seeds; seed++) {
    const clone = disk.crashClone(seed);
    seen.add(clone.exists(path) ? text(clone.readFile(path)) : '-');
  }
  return seen;
}

function durableFile(disk: MemoryVfs, path: string, content: string | Uint8Array): VfsFile {
  const file = disk.open(path, { mode: 'create' });
  file.writeAt(0, Buffer.from(content));
  file.syncNow();
  disk.syncDir('/');
  return file;
}

describe('a power cut', () => {
  it('keeps what was synced, whatever else happens', () => {
    const disk = new MemoryVfs();
    durableFile(disk, '/a', 'kept');
    expect(outcomes(disk, '/a')).toEqual(new Set(['kept']));
  });

  it('may take or keep any unsynced write, whole sectors at a time', () => {
    const disk = new MemoryVfs();
    const file = durableFile(disk, '/a', 'o'.repeat(1024));
    file.writeAt(0, Buffer.from('n'.repeat(1024)));
    const [o, n] = ['o'.repeat(512), 'n'.repeat(512)];
    expect(outcomes(disk, '/a')).toEqual(new Set([o + o, o + n, n + o, n + n]));
  });

  it('loses writes in any order, across files too', () => {
    const disk = new MemoryVfs();
    const a = durableFile(disk, '/a', '0');
    const b = durableFile(disk, '/b', '0');
    a.writeAt(0, Buffer.from('1'));
    b.writeAt(0, Buffer.from('1'));
    const seen = new Set<string>();
    for (let seed = 0; seed < 200; seed++) {
      const clone = disk.crashClone(seed);
      seen.add(text(clone.readFile('/a')) + text(clone.readFile('/b')));
    }
    expect(seen).toEqual(new Set(['00', '01', '10', '11']));
  });

  it('never shows a later write of a sector without an earlier one', () => {
    const disk = new MemoryVfs();
    const file = durableFile(disk, '/a', '....');
    file.writeAt(0, Buffer.from('1'));
    file.writeAt(1, Buffer.from('2'));
    file.writeAt(2, Buffer.from('3'));
    expect(outcomes(disk, '/a')).toEqual(new Set(['....', '1...', '12..', '123.']));
  });

  it('extends files with zeros, and shows what a recycled file held before', () => {
    const disk = new MemoryVfs();
    const file = durableFile(disk, '/a', 'x'.repeat(512));
    file.writeAt(512, Buffer.from('y'.repeat(512)));
    expect(outcomes(disk, '/a')).toContain('x'.repeat(512) + '\0'.repeat(512));
    const recycled = durableFile(disk, '/b', 'old1'.repeat(128) + 'old2'.repeat(128));
    recycled.writeAt(0, Buffer.from('new1'.repeat(128) + 'new2'.repeat(128)));
    expect(outcomes(disk, '/b')).toContain('old1'.repeat(128) + 'new2'.repeat(128));
  });

  it('takes truncations as a whole', () => {
    const disk = new MemoryVfs();
    const file = durableFile(disk, '/a', 'x'.repeat(100));
    file.truncate(10);
    file.truncate(20);
    const [short, again, whole] = ['x'.repeat(10), 'x'.repeat(10) + '\0'.repeat(10), 'x'.repeat(100)];
    expect(outcomes(disk, '/a')).toEqual(new Set([short, again, whole]));
  });

  it('covers by an awaited sync what was written before the call, not after it', async () => {
    const disk = new MemoryVfs({ syncTurns: 1 });
    const file = durableFile(disk, '/a', 'a');
    file.writeAt(0, Buffer.from('b'));
    const synced = file.sync();
    file.writeAt(0, Buffer.from('c'));
    expect(outcomes(disk, '/a')).toEqual(new Set(['a', 'b', 'c']));
    await synced;
    expect(outcomes(disk, '/a')).toEqual(new Set(['b', 'c']));
  });

  it('takes names without syncDir, and renames as one', () => {
    const disk = new MemoryVfs();
    durableFile(disk, '/a', 'a');
    const fresh = disk.open('/b', { mode: 'create' });
    fresh.writeAt(0, Buffer.from('b'));
    fresh.syncNow();
    expect(outcomes(disk, '/b')).toEqual(new Set(['-', 'b']));
    disk.syncDir('/');
    disk.rename('/b', '/a');
    const seen = new Set<string>();
    for (let seed = 0; seed < 100; seed++) {
      const clone = disk.crashClone(seed);
      seen.add(
        clone
          .list('/')
          .map((name) => name + text(clone.readFile(name)))
          .join(),
      );
    }
    expect(seen).toEqual(new Set(['aa,bb', 'ab']));
    disk.syncDir('/');
    expect(outcomes(disk, '/a')).toEqual(new Set(['b']));
  });

  it('takes removals and directories as well, and keeps changes that rest on each other in order', () => {
    const disk = new MemoryVfs();
    durableFile(disk, '/a', 'a');
    disk.remove('/a');
    expect(outcomes(disk, '/a')).toEqual(new Set(['-', 'a']));
    disk.makeDir('/d/e');
    const file = disk.open('/d/e/f', { mode: 'create' });
    file.syncNow();
    disk.syncDir('/d/e');
    expect(outcomes(disk, '/d/e/f')).toContain('-');
    disk.syncDir('/d');
    disk.syncDir('/');
    expect(outcomes(disk, '/d/e/f')).toEqual(new Set(['']));
    disk.rename('/d/e/f', '/g');
    disk.rename('/g', '/h');
    disk.syncDir('/');
    expect(outcomes(disk, '/h')).toEqual(new Set(['']));
    expect(outcomes(disk, '/d/e/f')).toEqual(new Set(['-']));
  });

  it('gives the same disk for the same seed, and leaves the original alone', () => {
    const disk = new MemoryVfs();
    const file = durableFile(disk, '/a', 'x'.repeat(5000));
    const random = new Random(1);
    for (let i = 0; i < 50; i++) file.writeAt(random.below(6000), random.bytes(random.below(900)));
    const before = text(disk.readFile('/a'));
    for (let seed = 0; seed < 30; seed++) {
      const clone = disk.crashClone(seed);
      expect(text(clone.readFile('/a'))).toBe(text(disk.crashClone(seed).readFile('/a')));
      clone.open('/a', { mode: 'write' }).writeAt(0, Buffer.alloc(6000, 'z'));
    }
    expect(text(disk.readFile('/a'))).toBe(before);
  });
});

describe('a failed sync', () => {
  it('leaves data that reads fine, that no later sync writes, and that a crash takes', () => {
    const disk = new MemoryVfs();
    const faulty = new FaultyVfs(disk, anyOf());
    durableFile(disk, '/a', 'o'.repeat(1024));
    const file = faulty.open('/a', { mode: 'write' });
    file.writeAt(0, Buffer.from('n'.repeat(1024)));
    faulty.injector = onOperation('sync', failAt(0, 'EIO'));
    expect(() => file.syncNow()).toThrow('EIO');
    expect(() => file.syncNow()).toThrow('EIO');
    expect(text(disk.readFile('/a'))).toBe('n'.repeat(1024));
    const other = disk.open('/a', { mode: 'write' });
    other.syncNow();
    expect(text(disk.killClone().readFile('/a'))).toBe('n'.repeat(1024));
    expect(outcomes(disk.killClone(), '/a')).toContain('o'.repeat(1024));
    expect(outcomes(disk, '/a')).toContain('o'.repeat(1024));
    // Writing the sector again makes all of it dirty again.
    other.writeAt(0, Buffer.from('!'));
    other.syncNow();
    const first = `!${'n'.repeat(511)}`;
    expect(outcomes(disk, '/a')).toEqual(new Set([first + 'o'.repeat(512), first + 'n'.repeat(512)]));
    other.truncate(512);
    other.syncNow();
    expect(outcomes(disk, '/a')).toEqual(new Set([first]));
  });

  it('takes an extension of the file with it', async () => {
    const disk = new MemoryVfs({ syncTurns: 1 });
    const faulty = new FaultyVfs(disk, anyOf());
    durableFile(disk, '/a', 'x');
    const file = faulty.open('/a', { mode: 'write' });
    file.writeAt(0, Buffer.alloc(700, 'y'));
    const earlier = file.sync();
    faulty.injector = onOperation('sync', failAt(0, 'EIO'));
    await expect(file.sync()).rejects.toThrow('EIO');
    await expect(earlier).rejects.toThrow('EIO');
    await expect(file.sync()).rejects.toThrow('EIO');
    expect(outcomes(disk, '/a')).toContain('x');
    file.close();
  });
});

describe('the disk', () => {
  it('counts operations and shows each to the hook after its effect', async () => {
    const disk = new MemoryVfs();
    const seen: string[] = [];
    disk.onOperation = (op) => seen.push(`${op.operation} ${op.path} ${op.offset ?? ''} ${op.bytes ?? ''}`.trim());
    const file = disk.open('/a', { mode: 'create' });
    file.writeAt(3, Buffer.from('abc'));
    file.readAt(0, new Uint8Array(10));
    await file.sync();
    file.close();
    expect(seen).toEqual(['open /a', 'write /a 3 3', 'read /a 0 6', 'sync /a', 'close /a']);
    expect(disk.operations).toBe(5);
    expect(disk.counts.get('write')).toBe(1);
  });

  it('is full at its capacity, and has room again after removals', () => {
    const disk = new MemoryVfs({ capacityBytes: 1000 });
    const file = disk.open('/a', { mode: 'create' });
    file.writeAt(0, new Uint8Array(900));
    expect(() => file.writeAt(850, new Uint8Array(200))).toThrow(expect.objectContaining({ code: '53100' }) as Error);
    expect(() => file.truncate(2000)).toThrow(expect.objectContaining({ code: '53100' }) as Error);
    file.writeAt(0, new Uint8Array(900));
    const other = disk.open('/b', { mode: 'create' });
    expect(() => other.writeAt(0, new Uint8Array(101))).toThrow('no space left');
    file.truncate(100);
    other.writeAt(0, new Uint8Array(101));
    disk.rename('/b', '/a');
    expect(disk.crashClone(1).capacityBytes).toBe(1000);
    other.writeAt(0, new Uint8Array(1000));
    disk.remove('/a');
    disk.open('/c', { mode: 'create' }).writeAt(0, new Uint8Array(1000));
  });

  it('changes bytes behind everybody, and says so when there are none', () => {
    const disk = new MemoryVfs();
    durableFile(disk, '/a', 'abc');
    disk.corrupt('/a', 1, Buffer.from('X'));
    expect(text(disk.readFile('/a'))).toBe('aXc');
    expect(outcomes(disk, '/a')).toEqual(new Set(['aXc']));
    expect(() => disk.corrupt('/b', 0, Buffer.from('X'))).toThrow('no such file');
    expect(() => disk.readFile('/b')).toThrow('no such file');
    const steady = new MemoryVfs({ losesPower: false });
    durableFile(steady, '/a', 'abc');
    steady.open('/a', { mode: 'write' }).writeAt(0, Buffer.from('Z'));
    steady.corrupt('/a', 1, Buffer.from('X'));
    expect(outcomes(steady, '/a')).toEqual(new Set(['ZXc']));
  });

  it('reports what a path is not', () => {
    const disk = new MemoryVfs();
    disk.makeDir('/d');
    disk.makeDir('/e');
    disk.open('/f', { mode: 'create' }).close();
    expect(() => disk.open('/', { mode: 'create' })).toThrow('EISDIR');
    expect(() => disk.open('/f/x', { mode: 'create' })).toThrow('ENOTDIR');
    expect(() => disk.list('/f')).toThrow('ENOTDIR');
    expect(() => disk.remove('/d')).toThrow('EISDIR');
    expect(() => disk.rename('/f', '/d')).toThrow('ENOTEMPTY');
    expect(() => disk.exists('/f/x/y')).not.toThrow();
    disk.rename('/f', '/d/../d/./g');
    expect(disk.list('d')).toEqual(['g']);
    const windows = new MemoryVfs({ capabilities: { directorySync: false, renameOverOpen: false, fullSync: true } });
    windows.open('/a', { mode: 'create' });
    windows.open('/b', { mode: 'create' }).close();
    expect(() => windows.rename('/b', '/a')).toThrow('EPERM');
    expect(windows.crashClone(0).list('/')).toEqual(['a', 'b']);
  });

  it('reads and writes as a plain array of bytes would, through crashes that lose nothing', () => {
    const change = fc.record({
      kind: fc.constantFrom('write', 'zeros', 'truncate', 'sync', 'kill', 'clone'),
      at: fc.nat(9000),
      bytes: fc.nat(5000),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 40 }), (changes) => {
        let disk = new MemoryVfs();
        let file = disk.open('/a', { mode: 'create' });
        let model = new Uint8Array(0);
        const resize = (size: number): void => {
          const next = new Uint8Array(size);
          next.set(model.subarray(0, size));
          model = next;
        };
        for (const { kind, at, bytes } of changes) {
          if (kind === 'write' || kind === 'zeros') {
            const content = kind === 'zeros' ? new Uint8Array(bytes) : new Random(at + bytes).bytes(bytes);
            file.writeAt(at, content);
            if (bytes > 0 && at + bytes > model.length) resize(at + bytes);
            model.set(content, bytes > 0 ? at : 0);
          } else if (kind === 'truncate') {
            file.truncate(at);
            resize(at);
          } else if (kind === 'sync') {
            file.syncNow();
            disk.syncDir('/');
          } else {
            if (kind === 'clone') {
              file.syncNow();
              disk.syncDir('/');
            }
            disk = kind === 'clone' ? disk.crashClone(at) : disk.killClone();
            file = disk.open('/a', { mode: 'write' });
          }
          expect(Buffer.compare(disk.readFile('/a'), model)).toBe(0);
        }
      }),
      { seed: 7, numRuns: 60 },
    );
  });
});
