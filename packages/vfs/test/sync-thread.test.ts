import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, mkdtempSync, openSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { createNodeVfs } from '../src/index.js';
import { LaneRequest, SyncLane, syncLane } from '../src/sync-thread.js';
import { bundleProgram } from './bundle.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(`${tmpdir()}/phantom-sync-`);
});
afterAll(() => rmSync(directory, { recursive: true }));

const EINVAL = -22;

describe('concurrent syncs of one file', () => {
  it('share the call that begins after the last of them', async () => {
    const file = createNodeVfs().open(`${directory}/a`, { mode: 'create' });
    const submit = vi.spyOn(syncLane('data'), 'submit');
    await Promise.all(Array.from({ length: 50 }, () => file.sync()));
    // The first began at once; the other 49 share one that began behind it.
    expect(submit).toHaveBeenCalledTimes(2);
    await Promise.all([file.sync(), file.sync()]);
    expect(submit).toHaveBeenCalledTimes(4);
    submit.mockRestore();
    file.close();
  });
});

describe('a sync that is waited for', () => {
  it('is done by the caller, unless the lane has a request for the file', async () => {
    const file = createNodeVfs().open(`${directory}/here`, { mode: 'create' });
    const lane = vi.spyOn(syncLane('data'), 'submitAndWait');
    file.writeAt(0, Uint8Array.of(1));
    file.syncNow();
    expect(lane).toHaveBeenCalledTimes(0);
    const underWay = file.sync();
    file.syncNow();
    expect(lane).toHaveBeenCalledTimes(1);
    await underWay;
    file.syncNow();
    expect(lane).toHaveBeenCalledTimes(1);
    lane.mockRestore();
    file.close();
  });

  it('and fails is told, and final', async () => {
    const file = createNodeVfs().open('/dev/null', { mode: 'write' });
    expect(() => file.syncNow()).toThrow('EINVAL');
    await expect(file.sync()).rejects.toMatchObject({ code: '58030', data: { errno: 'EINVAL' } });
    expect(() => file.syncNow()).toThrow('EINVAL');
    file.close();
  });
});

describe('a failed sync of a real file', () => {
  // The null device can be opened and written to, and refuses fdatasync.
  const open = () => createNodeVfs().open('/dev/null', { mode: 'write' });

  it('is told to everyone who waited, and is final', async () => {
    const file = open();
    const first = file.sync();
    const second = file.sync();
    await expect(first).rejects.toMatchObject({ code: '58030', data: { errno: 'EINVAL' } });
    await expect(second).rejects.toBe(await first.catch((error: unknown) => error));
    await expect(file.sync()).rejects.toMatchObject({ code: '58030' });
    expect(() => file.syncNow()).toThrow('EINVAL');
    file.close();
  });

  it('through syncNow is told to the sync under way as well', async () => {
    const file = open();
    const underWay = file.sync();
    const queued = file.sync();
    expect(() => file.syncNow()).toThrow('EINVAL');
    file.close();
    await expect(underWay).rejects.toMatchObject({ code: '58030' });
    await expect(queued).rejects.toMatchObject({ code: '58030' });
  });
});

describe('a file that is removed', () => {
  const directory = mkdtempSync(`${tmpdir()}/phantom-removed-`);
  afterAll(() => rmSync(directory, { recursive: true, force: true }));

  it('has no name any more, and a large one is given back by the sync thread', async () => {
    const vfs = createNodeVfs();
    const submit = vi.spyOn(syncLane('data'), 'submit');
    for (const [mebibytes, requests] of [
      [15, 0],
      [17, 1],
    ] as const) {
      const path = `${directory}/${mebibytes}`;
      writeFileSync(path, '');
      truncateSync(path, mebibytes * 1024 * 1024);
      submit.mockClear();
      vfs.remove(path);
      expect(vfs.exists(path)).toBe(false);
      expect(submit).toHaveBeenCalledTimes(requests);
    }
    const [descriptor, , request] = submit.mock.calls[0] as [number, unknown, LaneRequest];
    expect(request).toBe(LaneRequest.Close);
    await vi.waitFor(() => expect(() => fstatSync(descriptor)).toThrow('EBADF'));
    vfs.remove(`${directory}/17`);
    submit.mockRestore();
  });
});

describe('a lane', () => {
  it('serves more requests than its ring holds, in order', async () => {
    const lane = new SyncLane('test');
    const descriptor = openSync(`${directory}/b`, 'w+');
    const order: number[] = [];
    for (let i = 0; i < 700; i++) lane.submit(descriptor, () => order.push(i));
    lane.submitAndWait(descriptor, (errno) => order.push(errno + 700));
    expect(order).toEqual(Array.from({ length: 701 }, (_, i) => i));
    await new Promise<void>((resolve) => lane.submit(descriptor, () => resolve()));
    closeSync(descriptor);
    await lane.terminate();
  });

  it('gives up what it had not finished when its thread ends, and starts anew', async () => {
    const lane = new SyncLane('test');
    const descriptor = openSync(`${directory}/c`, 'w+');
    await lane.terminate();
    lane.submitAndWait(descriptor, (errno) => expect(errno).toBe(0));
    const results: number[] = [];
    const abandoned = new Promise<void>((resolve) => {
      for (let i = 0; i < 600; i++) {
        lane.submit(descriptor, (errno) => {
          results.push(errno);
          if (results.length === 600) resolve();
        });
      }
    });
    await lane.terminate();
    await abandoned;
    expect(new Set(results)).toContain(-5);
    lane.submitAndWait(descriptor, (errno) => expect(errno).toBe(0));
    const refused = await new Promise<number>((resolve) => lane.submit(openSync('/dev/null', 'w'), resolve));
    expect(refused).toBe(EINVAL);
    closeSync(descriptor);
    await lane.terminate();
  });
});

describe('a process', () => {
  it.each(['esm', 'cjs'] as const)(
    'starts the thread from a bundle (%s), and ends when syncs have ended',
    async (format) => {
      const program = await bundleProgram(
        `import { createNodeVfs } from '@phantom/vfs';
       const file = createNodeVfs().open(process.argv[2] + '/file', { mode: 'create' });
       file.writeAt(0, new Uint8Array(100));
       file.syncNow();
       file.sync().then(() => console.log('synced'));`,
        format,
      );
      const result = spawnSync(process.execPath, [program.path, program.directory], {
        encoding: 'utf8',
        timeout: 15_000,
      });
      program.dispose();
      expect(result).toMatchObject({ status: 0, stdout: 'synced\n', stderr: '' });
    },
  );
});
