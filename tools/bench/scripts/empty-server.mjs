/**
 * A server that looks nothing up: to each read it gives the same row. What its clients wait is what the machine, its scheduler and the
 * client itself take; no server asked by the same client on the same machine has less, so a latency is to be read beside this one.
 *
 * It understands what pgbench sends in prepared mode and no more: messages are told apart by their first byte, answered at Sync.
 *
 *   client  StartupMessage     Parse Sync     Bind Describe Execute Sync
 *   here    R S S Z            1 Z            2 T D C Z
 */
import { fork } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FILE = fileURLToPath(import.meta.url);
const LOOPBACK = '127.0.0.1';
/** First messages that ask for encryption: TLS, GSSAPI. Both are answered with N, no. */
const ENCRYPTION_REQUESTS = [80_877_103, 80_877_104];
const [PARSE, BIND, SYNC] = ['P', 'B', 'S'].map((type) => type.charCodeAt(0));

/** Starts one in a process of its own; with a directory, it listens on a Unix socket there. */
export async function startEmptyServer(socketDirectory) {
  const child = fork(FILE, socketDirectory === undefined ? [] : [socketDirectory]);
  const port = await new Promise((resolve, reject) => {
    child.once('message', resolve);
    child.once('exit', (code) => reject(new Error(`the empty server ended with ${code}`)));
  });
  return { host: socketDirectory ?? LOOPBACK, port, stop: () => child.kill() };
}

function message(type, ...parts) {
  const body = Buffer.concat(parts);
  const head = Buffer.alloc(5);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

const text = (value) => Buffer.from(`${value}\0`, 'latin1');
const int16 = (value) => Buffer.from([value >> 8, value]);
const int32 = (value) => Buffer.concat([int16(value >> 16), int16(value)]);

const READY = message('Z', Buffer.from('I'));
const WELCOME = Buffer.concat([
  message('R', int32(0)),
  message('S', text('client_encoding'), text('UTF8')),
  message('S', text('server_version'), text('15.0')),
  READY,
]);
const PARSED = Buffer.concat([message('1'), READY]);
/** One column, an int4, and one row of it. */
const ROW = Buffer.concat([
  message('2'),
  message('T', int16(1), text('abalance'), int32(0), int16(0), int32(23), int16(4), int32(-1), int16(0)),
  message('D', int16(1), int32(1), Buffer.from('0')),
  message('C', text('SELECT 1')),
  READY,
]);

/** Answers a connection. pgbench waits for each answer, so no message is ever cut by the end of what arrives. */
function serve(socket) {
  let isOpen = false;
  let answer = READY;
  socket.on('error', () => socket.destroy());
  socket.on('data', (bytes) => {
    if (!isOpen) {
      isOpen = !ENCRYPTION_REQUESTS.includes(bytes.readInt32BE(4));
      socket.write(isOpen ? WELCOME : 'N');
      return;
    }
    for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
      const type = bytes[at];
      if (type === PARSE) answer = PARSED;
      else if (type === BIND) answer = ROW;
      else if (type === SYNC) socket.write(answer);
    }
  });
}

if (process.send !== undefined && process.argv[1] === FILE) {
  const [, , socketDirectory] = process.argv;
  const server = createServer(serve).listen(0, LOOPBACK, () => {
    const { port } = server.address();
    if (socketDirectory === undefined) process.send(port);
    else createServer(serve).listen(join(socketDirectory, `.s.PGSQL.${port}`), () => process.send(port));
  });
  process.once('disconnect', () => process.exit());
}
