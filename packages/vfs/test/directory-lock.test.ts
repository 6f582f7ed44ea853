import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import * as fs from 'node:fs';
import { type Server, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from '../src/directory-lock.js';
import { ask, closeServer, listenAt } from '../src/lock-socket.js';
import { holdSocketFile } from '../src/socket-file-lock.js';
import { createNodeVfs } from '../src/index.js';
import { type Bundle, bundleProgram } from './bundle.js';

/** Takes the lock of its argument, says so, and holds it until it is killed; or says who has it. */
const STARTER = `
  import { createNodeVfs } from '@phantom/vfs';
  createNodeVfs({ lockTimeoutMs: 5000 }).lock(process.argv[2], { pid: process.pid, description: 'starter' }).then(
    () => { console.log('held'); setInterval(() => undefined, 1000); },
    (error) => console.log(error.code + ' ' + error.detail),
  );`;

/** Starts a program in a network namespace of its own, where the system lets us. */
const UNSHARE = '/usr/bin/unshare';

let starter: Bundle;
let directory: string;
const children: ChildProcess[] = [];

beforeAll(async () => {
  starter = await bundleProgram(STARTER);
});
afterAll(() => starter.dispose());
beforeEach(() => {
  directory = fs.mkdtempSync(`${tmpdir()}/phantom-lock-`);
});
afterEach(() => {
  for (const child of children.splice(0)) child.kill('SIGKILL');
  fs.rmSync(directory, { recursive: true });
});

function start(
  path: string,
  before: readonly string[] = [],
): { readonly child: ChildProcess; readonly said: Promise<string> } {
  const [program, ...rest] = [...before, process.execPath, starter.path, path];
  const child = spawn(program as string, rest, { stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  const said = new Promise<string>((resolve) => child.stdout?.once('data', (line) => resolve(String(line).trim())));
  return { child, said };
}

const me = { pid: process.pid, description: 'me' };
const inUse = (detail: RegExp): object => ({ code: '55006', detail: expect.stringMatching(detail) as string });

describe('holding a directory', () => {
  it('is won by exactly one of 20 that start at once', async () => {
    const said = await Promise.all(Array.from({ length: 20 }, () => start(directory).said));
    const refused = said.filter((line) => line !== 'held');
    expect(refused.length).toBe(19);
    for (const line of refused) expect(line).toMatch(/^55006 It is held by process \d+ \(starter\)\.$/);
  }, 60_000);

  it('goes to the next at once after kill -9, whatever the length of the path', async () => {
    const long = `${directory}/${'d'.repeat(100)}/${'e'.repeat(100)}`;
    fs.mkdirSync(long, { recursive: true });
    const { child, said } = start(long);
    expect(await said).toBe('held');
    const vfs = createNodeVfs();
    await expect(vfs.lock(long, me)).rejects.toMatchObject(inUse(new RegExp(`process ${child.pid} `)));
    // The same directory by another path is the same directory.
    fs.symlinkSync(long, `${directory}/short`);
    await expect(vfs.lock(`${directory}/short`, me)).rejects.toMatchObject(inUse(/starter/));
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    const lock = await vfs.lock(long, me);
    await lock.release();
  });

  it('does not keep a process alive, and its release is waited for', async () => {
    const program = await bundleProgram(`
      import { createNodeVfs } from '@phantom/vfs';
      (async () => {
        const vfs = createNodeVfs();
        const lock = await vfs.lock(process.argv[2], { pid: 1, description: '' });
        await vfs.lock(process.argv[2], { pid: 2, description: '' }).catch((error) => console.log(error.code));
        await lock.release();
        await vfs.lock(process.argv[2], { pid: 3, description: '' });
        console.log('end');
      })();`);
    const result = spawnSync(process.execPath, [program.path, directory], { encoding: 'utf8', timeout: 15_000 });
    program.dispose();
    expect(result).toMatchObject({ status: 0, stdout: '55006\nend\n', stderr: '' });
  });

  it('takes silence for a holder: one that is stopped is not overrun', async () => {
    const { child, said } = start(directory);
    expect(await said).toBe('held');
    child.kill('SIGSTOP');
    const refused = createNodeVfs({ lockTimeoutMs: 200 }).lock(directory, me);
    await expect(refused).rejects.toMatchObject({
      ...inUse(/did not answer in time/),
      hint: expect.stringMatching(/Silence/) as string,
    });
    child.kill('SIGCONT');
    await expect(createNodeVfs().lock(directory, me)).rejects.toMatchObject(inUse(/starter/));
  });

  it('keeps out processes of another network namespace, where flock is installed', async (context) => {
    const able = process.platform === 'linux' && spawnSync(UNSHARE, ['--net', 'true']).status === 0;
    if (!able) return context.skip();
    const { said } = start(directory);
    expect(await said).toBe('held');
    expect(await start(directory, [UNSHARE, '--net']).said).toMatch(
      /^55006 A process in another network namespace .*"starter"/,
    );
    for (const child of children) child.kill('SIGKILL');
  });

  it('works without the flock program, and says that it is not guarded', async () => {
    const options = { timeoutMs: 1000, flockPrograms: ['/nowhere/flock'] };
    const lock = await lockDirectory(directory, me, options);
    expect(lock.guarded).toBe(false);
    lock.describe({ ...me, description: 'me again' });
    await expect(lockDirectory(directory, me, options)).rejects.toMatchObject(inUse(/me again/));
    await lock.release();
    const refusing = await lockDirectory(directory, me, { timeoutMs: 1000, flockPrograms: ['/bin/ls'] });
    expect(refusing.guarded).toBe(false);
    await refusing.release();
    const broken = await lockDirectory(directory, me, { timeoutMs: 1000, flockPrograms: [directory] });
    expect(broken.guarded).toBe(false);
    await broken.release();
    const guarded = await lockDirectory(directory, me, { timeoutMs: 1000 });
    expect(guarded.guarded).toBe(fs.existsSync('/usr/bin/flock') || fs.existsSync('/bin/flock'));
    guarded.describe({ ...me, description: 'guarded' });
    await guarded.release();
  });

  it('gives the name back when the guard is held by somebody else', async () => {
    const busy = ['/bin/false'];
    await expect(lockDirectory(directory, me, { timeoutMs: 1000, flockPrograms: busy })).rejects.toMatchObject(
      inUse(/another network namespace/),
    );
    await (await lockDirectory(directory, me, { timeoutMs: 1000, flockPrograms: [] })).release();
  });

  it('with socket files, as on macOS, is exclusive and forgets the dead', async () => {
    const options = { timeoutMs: 1000, platform: 'darwin' };
    const lock = await lockDirectory(directory, me, options);
    await expect(lockDirectory(directory, me, options)).rejects.toMatchObject(inUse(/\(me\)/));
    await lock.release();
    await (await lockDirectory(directory, me, options)).release();
  });
});

describe('socket files', () => {
  const holder = () => me;
  const closing: Server[] = [];
  afterEach(async () => {
    for (const server of closing.splice(0)) await closeServer(server);
  });

  it('are won by at most one of many, and by one in the end', async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => holdSocketFile(directory, 'x-', holder, 2000)));
    const winners = results.filter((result) => result.server !== undefined);
    for (const { server } of winners) closing.push(server as Server);
    expect(winners.length).toBe(1);
    expect(fs.readdirSync(directory).length).toBe(1);
  });

  it('of the dead are removed, those of the silent respected', async () => {
    const dead = spawnSync(process.execPath, [
      '-e',
      `require('net').createServer().listen(${JSON.stringify(`${directory}/x-dead`)}, () => process.kill(process.pid, 'SIGKILL'))`,
    ]);
    expect(dead.signal).toBe('SIGKILL');
    expect(fs.readdirSync(directory)).toEqual(['x-dead']);
    const first = await holdSocketFile(directory, 'x-', holder, 1000);
    closing.push(first.server as Server);
    expect(fs.readdirSync(directory)).not.toContain('x-dead');
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(`${directory}/y-silent`, resolve));
    closing.push(silent);
    const refused = await holdSocketFile(directory, 'y-', holder, 100);
    expect(refused).toMatchObject({ server: undefined, answer: { kind: 'silent' } });
  });

  it('of a starter with a smaller id are waited for, and win when they hold', async () => {
    let state: 'starting' | 'holding' = 'starting';
    const other = await listenAt(`${directory}/x-other`, () => ({ ...me, id: 'zzz', state }));
    closing.push(other as Server);
    const waiting = holdSocketFile(directory, 'x-', holder, 5000);
    setTimeout(() => (state = 'holding'), 30);
    expect(await waiting).toMatchObject({ server: undefined, answer: { kind: 'holder' } });
    state = 'starting';
    expect(await holdSocketFile(directory, 'x-', holder, 50)).toMatchObject({ answer: { kind: 'silent' } });
    expect(await listenAt(`${directory}/x-other`, () => ({ ...me, id: 'a', state }))).toBeUndefined();
  });

  it('that are removed under their starter are made anew', async () => {
    const sweeper = setInterval(() => {
      for (const name of fs.readdirSync(directory)) fs.rmSync(`${directory}/${name}`, { force: true });
    }, 0);
    const swept = await holdSocketFile(directory, 'x-', holder, 60);
    clearInterval(sweeper);
    if (swept.server !== undefined) closing.push(swept.server);
    const result = await holdSocketFile(directory, 'z-', holder, 1000);
    closing.push(result.server as Server);
    expect(fs.readdirSync(directory).some((name) => name.startsWith('z-'))).toBe(true);
  });
});

describe('asking', () => {
  it('tells dead, silent and foreign apart', async () => {
    expect(await ask(`${directory}/nobody`, 100)).toEqual({ kind: 'dead' });
    for (const reply of ['not json\n', '{"id":1}\n', 'x'.repeat(70_000)]) {
      const server = createServer((socket) => {
        socket.on('error', () => undefined);
        socket.end(reply);
      });
      const path = `${directory}/foreign${reply.length}`;
      await new Promise<void>((resolve) => server.listen(path, resolve));
      expect(await ask(path, 1000)).toEqual({ kind: 'silent' });
      await closeServer(server);
    }
    const hangsUp = createServer((socket) => socket.destroy());
    await new Promise<void>((resolve) => hangsUp.listen(`${directory}/hangs-up`, resolve));
    expect(await ask(`${directory}/hangs-up`, 1000)).toEqual({ kind: 'silent' });
    await closeServer(hangsUp);
    await expect(
      listenAt(`${directory}/no/such/directory`, () => ({ ...me, id: 'a', state: 'holding' })),
    ).rejects.toMatchObject({
      code: expect.stringMatching(/^58/) as string,
    });
  });
});
