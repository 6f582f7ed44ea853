/**
 * Holding a directory for one process, in a way that `kill -9` undoes and that can be asked who.
 *
 * A pid file answers neither: the pid may have been given to somebody else, and removing a stale file races. So a directory
 * is held by a listening socket, named by the directory's device and inode and not by its path: the name is short whatever
 * the path (socket paths over 107 bytes are silently cut), and two paths to one directory are one name.
 *
 *   Linux    an abstract socket, `\0phantom-db/<device>-<inode>`: no file, and the kernel frees it when the process dies.
 *            Beside it an flock on `.phantom-lock` in the directory, because abstract names belong to a network namespace:
 *            two containers on one volume do not see each other's. Node has no flock call, so the `flock` program of
 *            util-linux or busybox is handed our descriptor; the lock belongs to the open file that both share, stays when
 *            the program has ended, and goes with our process. The file itself is never removed and says who holds it.
 *   Windows  a named pipe: created exclusively, freed by the kernel.
 *   others   a socket file under a short name in /tmp (socket-file-lock.ts).
 *
 * What is not promised: two containers on one volume where no `flock` program is installed (the log port of whoever cares
 * can be told: `guarded` is false); two machines on a network file system that has no flock; macOS containers whose /tmp
 * differ. Opening one directory from two of these at once is the operator's to prevent.
 */
import { spawn } from 'node:child_process';
import * as fs from 'node:fs';
import type { Server } from 'node:net';
import { randomBytes } from 'node:crypto';
import { PhantomError, SqlState } from '@phantom/base';
import { type Answer, type HolderAnswer, ask, closeServer, listenAt, lockError } from './lock-socket.js';
import { holdSocketFile } from './socket-file-lock.js';
import type { DirectoryLock, LockHolder } from './vfs.js';

/** The file that carries the flock; `Vfs.list` does not show it. */
export const LOCK_FILE_NAME = '.phantom-lock';

/** Where the flock program is looked for. Not in PATH: it is handed a descriptor of the database. */
const FLOCK_PROGRAMS = ['/usr/bin/flock', '/bin/flock'];

/** Pause before a name that was taken and then dead is tried again. */
const RETRY_MS = 5;

export interface DirectoryLockOptions {
  /** How long somebody who is there has for an answer. */
  readonly timeoutMs: number;
  /** `process.platform` unless a test says otherwise. */
  readonly platform?: string;
  /** Where flock may be; a test of a machine without it gives none. */
  readonly flockPrograms?: readonly string[];
}

/** Device and inode: what a directory is known by, whatever path names it. Throws the system's error where there is none. */
export function directoryIdentity(directory: string): string {
  const { dev, ino } = fs.statSync(directory, { bigint: true });
  return `${dev.toString(36)}-${ino.toString(36)}`;
}

/** Holds the directory, or throws 55006 with who does, or 58030 when the system refuses. */
export async function lockDirectory(
  directory: string,
  holder: LockHolder,
  options: DirectoryLockOptions,
): Promise<HeldDirectory> {
  const platform = options.platform ?? process.platform;
  let identity: string;
  try {
    identity = directoryIdentity(directory);
  } catch (error) {
    throw lockError(directory, error);
  }
  const held = new HeldDirectory(directory, holder);
  if (platform === 'linux' || platform === 'win32') {
    const name = platform === 'linux' ? `\0phantom-db/${identity}` : `\\\\.\\pipe\\phantom-db-${identity}`;
    held.server = await holdName(name, held, options.timeoutMs);
  } else {
    const result = await holdSocketFile('/tmp', `phantom-db-${identity}-`, () => held.holder, options.timeoutMs);
    if (result.server === undefined) throw inUse(directory, result.answer as Answer);
    held.server = result.server;
  }
  if (platform === 'linux') {
    try {
      held.descriptor = await holdFlock(held, options.flockPrograms ?? FLOCK_PROGRAMS);
    } catch (error) {
      await held.release();
      throw error;
    }
  }
  return held;
}

/** A directory held by this process. */
export class HeldDirectory implements DirectoryLock {
  readonly directory: string;
  holder: LockHolder;
  server: Server | undefined;
  /** Of the file that carries the flock. */
  descriptor: number | undefined;

  constructor(directory: string, holder: LockHolder) {
    this.directory = directory;
    this.holder = holder;
  }

  /** Whether processes in other network namespaces are kept out as well. */
  get guarded(): boolean {
    return this.descriptor !== undefined;
  }

  describe(holder: LockHolder): void {
    this.holder = holder;
    if (this.descriptor !== undefined) writeHolder(this.descriptor, holder);
  }

  async release(): Promise<void> {
    const { descriptor, server } = this;
    this.descriptor = undefined;
    this.server = undefined;
    // The inner lock goes first: whoever gets the name next finds the file free.
    if (descriptor !== undefined) {
      fs.ftruncateSync(descriptor, 0);
      fs.closeSync(descriptor);
    }
    if (server !== undefined) await closeServer(server);
  }
}

async function holdName(name: string, held: HeldDirectory, timeoutMs: number): Promise<Server> {
  const deadlineMs = performance.now() + timeoutMs;
  const id = randomBytes(6).toString('hex');
  for (;;) {
    const server = await listenAt(name, (): HolderAnswer => ({ ...held.holder, id, state: 'holding' }));
    if (server !== undefined) return server;
    const leftMs = deadlineMs - performance.now();
    if (leftMs <= 0) throw inUse(held.directory, { kind: 'silent' });
    const answer = await ask(name, leftMs);
    if (answer.kind === 'holder') throw inUse(held.directory, answer);
    // Taken and dead: it was between bind and listen, or has just died. Silent: it may be ending. Both may be tried again.
    await new Promise<void>((resolve) => {
      setTimeout(resolve, RETRY_MS * (0.5 + Math.random()));
    });
  }
}

/** The descriptor that carries the flock; undefined where there is no program or no way to take one. */
async function holdFlock(held: HeldDirectory, programs: readonly string[]): Promise<number | undefined> {
  const program = programs.find((path) => fs.existsSync(path));
  if (program === undefined) return undefined;
  const path = `${held.directory}/${LOCK_FILE_NAME}`;
  let descriptor: number;
  try {
    descriptor = fs.openSync(path, fs.constants.O_RDWR | fs.constants.O_CREAT, 0o600);
  } catch {
    // A directory that cannot be written to can still be held against this namespace.
    return undefined;
  }
  const status = await runFlock(program, descriptor);
  if (status === 'locked') {
    writeHolder(descriptor, held.holder);
    return descriptor;
  }
  const text = status === 'held' ? fs.readFileSync(path, 'utf8') : '';
  fs.closeSync(descriptor);
  if (status === 'unsupported') return undefined;
  throw inUse(held.directory, { kind: 'silent' }, text.trim());
}

/**
 * `flock --nonblock` exits with 1 and without a word when somebody else has the lock. Anything else (a file system without
 * flock, a program that is not what we took it for) means that it could not try; busybox exits with 1 then, too, but says why.
 */
function runFlock(program: string, descriptor: number): Promise<'locked' | 'held' | 'unsupported'> {
  return new Promise((resolve) => {
    const child = spawn(program, ['-x', '-n', '3'], { stdio: ['ignore', 'ignore', 'pipe', descriptor], env: {} });
    let complaint = '';
    child.stderr?.on('data', (chunk) => (complaint += String(chunk)));
    child.once('error', () => resolve('unsupported'));
    child.once('close', (code) => {
      if (code === 0) resolve('locked');
      else resolve(code === 1 && complaint === '' ? 'held' : 'unsupported');
    });
  });
}

function writeHolder(descriptor: number, holder: LockHolder): void {
  fs.ftruncateSync(descriptor, 0);
  fs.writeSync(descriptor, `${JSON.stringify(holder)}\n`, 0);
}

function inUse(directory: string, answer: Answer, elsewhere?: string): PhantomError {
  const message = `directory "${directory}" is in use`;
  if (answer.kind === 'holder') {
    const { pid, description, endpoints } = answer.holder;
    return new PhantomError(SqlState.ObjectInUse, message, {
      detail: `It is held by process ${pid} (${description}).`,
      data: { holder: { pid, description, ...(endpoints === undefined ? {} : { endpoints }) } },
    });
  }
  if (elsewhere !== undefined) {
    return new PhantomError(SqlState.ObjectInUse, message, {
      detail: `A process in another network namespace (a container?) holds it: ${elsewhere === '' ? 'unnamed' : elsewhere}.`,
    });
  }
  return new PhantomError(SqlState.ObjectInUse, message, {
    detail: 'Somebody holds it who did not answer in time: a process that is stopped, or busy in one long call.',
    hint: 'Silence is not taken for death. If that process is truly gone, its lock is gone with it; try again.',
  });
}
