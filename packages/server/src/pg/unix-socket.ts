/**
 * A socket in the file system, by which clients of this machine come in without the network: cheaper for both (a message costs the
 * kernel half), and guarded by the permissions of a file. It has the name for which libpq looks: DIRECTORY/.s.PGSQL.PORT.
 *
 *   private directory ──bind──► DIRECTORY/.s.XXXXXX/s ──chmod, rename──► DIRECTORY/.s.PGSQL.5433
 *
 * 1. Nobody can connect before the permissions are set: until then the socket lies where only its owner can go.
 * 2. A name that somebody answers to is not taken; one that a killed server left behind is replaced in one step, and anything that is
 *    no socket is left alone. The port of TCP is held by then, so two servers on one address do not come here at once.
 * 3. Who closes removes the name only while it still is its own.
 *
 * Left out: names in the abstract space of Linux, which have no permissions, and `peer` authentication, for which Node would have
 * to say who is at the other end.
 */
import { chmodSync, lstatSync, mkdtempSync, renameSync, rmSync, unlinkSync } from 'node:fs';
import { type Server, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { PhantomError, ioError } from '@phantom/base';

/** What the kernel keeps of a name (sun_path), less its closing zero: Linux, and the others. */
const PATH_BYTES_MAX = process.platform === 'linux' ? 107 : 103;
/** How long whoever has the name may take to accept. */
const PROBE_TIMEOUT_MS = 2000;

/** Where the socket of a port lies. */
export function unixSocketPath(directory: string, port: number): string {
  return join(directory, `.s.PGSQL.${port}`);
}

export class UnixSocket {
  readonly path: string;
  private readonly identity: string | undefined;

  private constructor(path: string) {
    this.path = path;
    this.identity = identityOf(path);
  }

  /**
   * Lets `server` listen on the path with the permissions (of a file: 0o700). Rejects with 55006 where somebody else does already,
   * 42602 for a path that is too long, 0A000 on Windows, and with what the system said of the directory.
   */
  static async listen(server: Server, path: string, permissions: number, backlog: number): Promise<UnixSocket> {
    if (process.platform === 'win32') throw new PhantomError('0A000', 'there are no Unix sockets on Windows');
    const home = join(dirname(path), '.s.');
    // The name it is bound to has six random letters and `/s` more than its home.
    const bytes = Math.max(Buffer.byteLength(path), Buffer.byteLength(home) + 8);
    if (bytes > PATH_BYTES_MAX) {
      throw new PhantomError('42602', `the Unix socket "${path}" has too long a name: ${bytes} bytes`, {
        hint: `The system takes ${PATH_BYTES_MAX}. Choose a shorter directory.`,
      });
    }
    await refuseTaken(path);
    let room: string;
    try {
      room = mkdtempSync(home);
    } catch (error) {
      throw ioError('make a socket in', dirname(path), error);
    }
    try {
      const bound = join(room, 's');
      await listening(server, bound, backlog);
      chmodSync(bound, permissions);
      renameSync(bound, path);
    } catch (error) {
      server.close();
      throw ioError('make the socket', path, error);
    } finally {
      rmSync(room, { recursive: true, force: true });
    }
    return new UnixSocket(path);
  }

  /** Takes the name away, unless somebody else has it by now. The server that listens is closed by whoever gave it. */
  remove(): void {
    if (this.identity === undefined || identityOf(this.path) !== this.identity) return;
    try {
      unlinkSync(this.path);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw ioError('remove the socket', this.path, error);
    }
  }
}

function listening(server: Server, path: string, backlog: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Device, inode and birth of what has the name; undefined when nothing has. */
function identityOf(path: string): string | undefined {
  const found = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}:${found.birthtimeNs}`;
}

/** 55006 when somebody listens there, or it is no socket. */
async function refuseTaken(path: string): Promise<void> {
  let found: ReturnType<typeof lstatSync>;
  try {
    found = lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw ioError('look at the socket', path, error);
  }
  if (found === undefined) return;
  if (!found.isSocket()) throw new PhantomError('55006', `"${path}" is there and is no socket`);
  if (await answers(path)) {
    throw new PhantomError('55006', `another server listens on "${path}"`, {
      hint: 'Choose another port or another directory for the socket.',
    });
  }
}

/** Whether anybody listens; silence and a refusal for want of rights count as somebody. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    const done = (isThere: boolean): void => {
      clearTimeout(timer);
      probe.destroy();
      resolve(isThere);
    };
    const timer = setTimeout(() => done(true), PROBE_TIMEOUT_MS);
    probe.once('connect', () => done(true));
    probe.once('error', ({ code }: NodeJS.ErrnoException) => done(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}
