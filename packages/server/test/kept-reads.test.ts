import { once } from 'node:events';
import { type Server, type Socket, connect, createServer } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readKept } from '../src/pg/kept-reads.js';

let server: Server;
let port: number;
const accepted: ((pair: { plain: Socket; socket: Socket }) => void)[] = [];

beforeAll(async () => {
  server = createServer((plain) => {
    const socket = readKept(plain);
    socket.on('error', () => undefined);
    accepted.shift()?.({ plain, socket });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  port = (server.address() as { port: number }).port;
});
afterAll(() => new Promise((resolve) => server.close(resolve)));

async function pair(): Promise<{ client: Socket; plain: Socket; socket: Socket }> {
  const arrival = new Promise<{ plain: Socket; socket: Socket }>((resolve) => accepted.push(resolve));
  const client = connect(port, '127.0.0.1');
  await once(client, 'connect');
  return { client, ...(await arrival) };
}

async function gathered(socket: Socket, bytes: number): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  let length = 0;
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if ((length += chunk.length) >= bytes) resolve();
    });
  });
  return chunks;
}

describe('reads into a kept buffer', () => {
  it('are made by every Node that this runs on', async () => {
    const { client, plain, socket } = await pair();
    expect(socket).not.toBe(plain);
    expect(socket.remoteAddress).toBe('127.0.0.1');
    client.destroy();
    await once(socket, 'close');
  });

  it('give bytes away that later ones do not change', async () => {
    const { client, socket } = await pair();
    const [small, large] = [
      Buffer.from('a few bytes'),
      Buffer.from(Array.from({ length: 200_000 }, (_, i) => i % 251)),
    ];
    const first = gathered(socket, small.length);
    client.write(small);
    const [kept] = await first;
    const rest = gathered(socket, large.length);
    client.write(large);
    expect(Buffer.concat(await rest).equals(large)).toBe(true);
    expect(kept?.toString()).toBe('a few bytes');
    client.destroy();
  });

  it('rest while the socket is paused, and answers are sent meanwhile', async () => {
    const { client, socket } = await pair();
    const chunks: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => chunks.push(chunk));
    socket.pause();
    client.write('early');
    const answer = once(client, 'data');
    socket.write('answer');
    expect(String((await answer)[0])).toBe('answer');
    expect(chunks).toEqual([]);
    socket.resume();
    await once(socket, 'data');
    expect(Buffer.concat(chunks).toString()).toBe('early');
    client.destroy();
  });

  it('end with the client, and the server counts its connections as before', async () => {
    const { client, socket } = await pair();
    socket.resume();
    client.end();
    await once(socket, 'close');
    const count = await new Promise((resolve) => server.getConnections((_, number) => resolve(number)));
    expect(count).toBe(0);
  });
});

describe('a socket without the insides that are wanted', () => {
  it('is used as it is', () => {
    const strange = { _handle: {} } as unknown as Socket;
    expect(readKept(strange)).toBe(strange);
  });
});
