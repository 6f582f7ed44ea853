/**
 * Reads all plain sockets into one buffer that is kept. Node makes a buffer of 64 KiB for each read, cuts it to what has come and
 * leaves the rest to the allocator and the collector, which takes longer than most messages take to answer: they have 50 bytes.
 *
 *   system ──read──► the kept buffer ──copy of what has come──► 'data'
 *
 * The copy is what makes it safe: whoever is given it may keep it, and nothing that is read later shows in it.
 *
 * Node offers this for sockets that connect (`onread`), and not for those that are accepted. So an accepted one hands its handle
 * over to a socket that is made with the option. That goes by names which Node does not document; where they are not found the
 * accepted socket is used as it is.
 */
import { Socket, type SocketConstructorOpts } from 'node:net';

/** Longest piece that is read at once; Node's own is as long. */
const READ_BYTES = 64 * 1024;

/** What is known of an accepted socket beyond its documentation. */
interface Insides {
  _handle?: { useUserBuffer?: unknown } | null;
  _server?: unknown;
}

let kept: Buffer | undefined;

/** The connection as a socket that reads in this way; the accepted one is of no more use then. Before anything is read of it. */
export function readKept(accepted: Socket): Socket {
  const from: Insides = accepted as unknown as Insides;
  const handle = from._handle;
  if (typeof handle?.useUserBuffer !== 'function') return accepted;
  kept ??= Buffer.allocUnsafeSlow(READ_BYTES);
  const options = {
    handle,
    writableHighWaterMark: accepted.writableHighWaterMark,
    onread: {
      buffer: kept,
      callback: (bytes: number, buffer: Uint8Array): boolean => {
        socket.emit('data', copyOf(buffer, bytes));
        return true;
      },
    },
  };
  const socket = new Socket(options as SocketConstructorOpts);
  const into: Insides = socket as unknown as Insides;
  // The server counts its connections by what it finds here when they close.
  into._server = from._server;
  from._server = null;
  from._handle = null;
  return socket;
}

function copyOf(buffer: Uint8Array, bytes: number): Buffer {
  const copy = Buffer.allocUnsafe(bytes);
  copy.set(bytes === buffer.length ? buffer : buffer.subarray(0, bytes));
  return copy;
}
