import { PhantomError } from '@phantom/base';
import { describe, expect, it } from 'vitest';
import {
  FaultyVfs,
  MemoryVfs,
  anyOf,
  counting,
  failAt,
  failFrom,
  onOperation,
  pathMatch,
} from '../src/testing/index.js';

const code = (wanted: string): Error => expect.objectContaining({ code: wanted }) as Error;

describe('injectors', () => {
  it('print themselves as they were written', () => {
    const own = new PhantomError('XX001', 'rot');
    const injector = onOperation(
      ['write', 'sync'],
      pathMatch(/\.wal$/, anyOf(failAt(3, 'ENOSPC'), failFrom(7, own), counting())),
    );
    expect(injector.toString()).toBe(
      'onOperation(write|sync, pathMatch(/\\.wal$/, anyOf(failAt(3, ENOSPC), failFrom(7, XX001), counting())))',
    );
    expect(pathMatch('log', failAt(0, 'EIO')).toString()).toBe('pathMatch(log, failAt(0, EIO))');
  });

  it('fail the nth operation they are asked about, once or from then on', () => {
    const disk = new MemoryVfs();
    const once = failAt(1, 'EIO');
    const forever = failFrom(1, 'EIO');
    const faulty = new FaultyVfs(disk, pathMatch('b', onOperation('open', anyOf(once))));
    const open = (path: string): void => faulty.open(path, { mode: 'create' }).close();
    open('/a');
    open('/b');
    expect(once.fired).toBe(false);
    expect(() => open('/b')).toThrow(code('58030'));
    open('/b');
    expect(once).toMatchObject({ count: 3, fired: true });
    faulty.injector = forever;
    expect(faulty.exists('/b')).toBe(true);
    for (let i = 0; i < 3; i++) expect(() => faulty.exists('/b')).toThrow('EIO');
  });

  it('ask every part of anyOf, and show what they saw', () => {
    const seen: string[] = [];
    const counter = counting((op) => seen.push(op.operation));
    const faulty = new FaultyVfs(new MemoryVfs(), anyOf(failAt(1, 'ENOSPC'), counter));
    const file = faulty.open('/a', { mode: 'create' });
    expect(() => file.writeAt(0, new Uint8Array(10))).toThrow(code('53100'));
    expect(seen).toEqual(['open', 'write']);
    expect(counter.count).toBe(2);
    expect(file.size()).toBe(0);
  });
});

describe('the faulty disk', () => {
  it('fails each operation without effect, but for writes that are short', async () => {
    const disk = new MemoryVfs();
    disk.makeDir('/d');
    const faulty = new FaultyVfs(disk, anyOf());
    const file = faulty.open('/d/a', { mode: 'create' });
    file.writeAt(0, Buffer.from('abcd'));
    const own = new PhantomError('58030', 'broken');
    faulty.injector = failFrom(0, own);
    expect(() => file.writeAt(0, Buffer.from('xxxx'))).toThrow(own);
    expect(() => file.readAt(0, new Uint8Array(4))).toThrow(own);
    expect(() => file.size()).toThrow(own);
    expect(() => file.truncate(0)).toThrow(own);
    expect(() => faulty.list('/d')).toThrow(own);
    expect(() => faulty.makeDir('/e')).toThrow(own);
    expect(() => faulty.rename('/d/a', '/d/b')).toThrow(own);
    expect(() => faulty.remove('/d/a')).toThrow(own);
    expect(() => faulty.syncDir('/d')).toThrow(own);
    expect(() => faulty.open('/d/b', { mode: 'create' })).toThrow(own);
    await expect(faulty.lock('/d', { pid: 1, description: '' })).rejects.toBe(own);
    file.prefetch(0, 4);
    expect(disk.list('/')).toEqual(['d']);
    expect(disk.list('/d')).toEqual(['a']);
    faulty.injector = failAt(0, 'short-write');
    expect(() => file.writeAt(0, Buffer.from('WXYZ'))).toThrow(code('53100'));
    expect(Buffer.from(disk.readFile('/d/a')).toString()).toBe('WXcd');
    faulty.injector = failFrom(0, 'short-write');
    expect(() => file.size()).toThrow(code('53100'));
    expect(() => file.close()).toThrow(code('53100'));
    faulty.injector = anyOf();
    expect(() => file.size()).toThrow(code('55000'));
  });

  it('passes a failed sync on where the inner disk cannot lose data', () => {
    const steady = new MemoryVfs({ losesPower: false });
    const nested = new FaultyVfs(new FaultyVfs(steady, anyOf()), onOperation('sync', failAt(0, 'EIO')));
    const file = nested.open('/a', { mode: 'create' });
    expect(nested.capabilities.fullSync).toBe(true);
    file.writeAt(0, Buffer.from('x'));
    expect(() => file.syncNow()).toThrow('EIO');
    expect(() => file.syncNow()).toThrow('EIO');
    expect(Buffer.from(steady.crashClone(1).readFile('/a')).toString()).toBe('x');
  });
});
