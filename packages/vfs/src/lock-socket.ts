/**
 * A listening socket that answers who holds something, and the question to it.
 *
 * Whoever connects gets one line of JSON, `{"id":...,"state":"starting"|"holding","pid":...,"description":...}`, and the
 * end. There are three answers to a question, and the difference matters: nobody listens (dead: the kernel refused the
 * connection), somebody said who, and silence. Silence is never taken for death: a process that is stopped, or busy for a
 * minute in one synchronous call, accepts connections (the kernel does) and says nothing.
 */
import { type Server, type Socket, connect, createServer } from 'node:net';
import { type PhantomError, ioError } from '@phantom/base';
import type { LockHolder } from './vfs.js';

export interface HolderAnswer extends LockHolder {
  /** Random, unique for each attempt to hold. */
  readonly id: string;
  readonly state: 'starting' | 'holding';
}

export type Answer =
  | { readonly kind: 'dead' }
  | { readonly kind: 'silent' }
  | { readonly kind: 'holder'; readonly holder: HolderAnswer };

/** Event by which a server is told to hang up. */
const STOPPING = 'phantom-stopping';

/** Bytes of an answer that are read at most. */
const ANSWER_BYTES_MAX = 64 * 1024;

/** Listens at the address and answers each question with what `answer` says then; undefined when the address is taken. */
export function listenAt(address: string, answer: () => HolderAnswer): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
      socket.on('error', () => undefined);
      socket.unref();
      socket.end(`${JSON.stringify(answer())}\n`);
    });
    // Somebody who asks as we stop gets no answer, asks again, and finds the address free.
    server.once(STOPPING, () => {
      for (const socket of sockets) socket.destroy();
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(lockError(address, error));
    });
    // Exclusive: in a cluster worker the primary would otherwise listen in our place, and outlive us.
    server.listen({ path: address, exclusive: true }, () => {
      // A held directory does not keep a process alive.
      server.unref();
      resolve(server);
    });
  });
}

/** Stops listening; resolves when the address is free. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Whoever waits for the release must not find the process gone meanwhile.
    server.ref();
    server.close(() => resolve());
    server.emit(STOPPING);
  });
}

/** Asks whoever listens at the address. */
export function ask(address: string, timeoutMs: number): Promise<Answer> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect({ path: address });
    const finish = (answer: Answer): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(answer);
    };
    const timer = setTimeout(() => finish({ kind: 'silent' }), timeoutMs);
    socket.setEncoding('utf8');
    socket.on('error', (error: NodeJS.ErrnoException) => {
      finish({ kind: error.code === 'ECONNREFUSED' || error.code === 'ENOENT' ? 'dead' : 'silent' });
    });
    socket.on('data', (chunk: string) => {
      text += chunk;
      if (text.includes('\n') || text.length > ANSWER_BYTES_MAX) finish(parseAnswer(text));
    });
    // An end without a line: it accepted and then died or released. Not proof of either; the caller asks again.
    socket.on('end', () => finish({ kind: 'silent' }));
  });
}

function parseAnswer(text: string): Answer {
  try {
    const holder: unknown = JSON.parse(text.slice(0, text.indexOf('\n')));
    if (typeof holder === 'object' && holder !== null && 'id' in holder && 'pid' in holder && 'state' in holder) {
      return { kind: 'holder', holder: holder as HolderAnswer };
    }
  } catch {
    // Somebody else's protocol: alive, and not one of ours.
  }
  return { kind: 'silent' };
}

export function lockError(path: string, cause: unknown): PhantomError {
  return ioError('lock', path.replace('\0', '@'), cause);
}
