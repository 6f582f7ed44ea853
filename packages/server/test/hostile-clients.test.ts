/** Clients that take their time, take places, or take nothing: each of them ends alone, and the others are served meanwhile. */
import { Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FORGOTTEN_AFTER_MS, FREE_FAILURES, FailedLogins, HEARD_EVERY_MS } from '../src/auth/failed-logins.js';
import type { ServerOptions } from '../src/options.js';
import { type FakeServer, startFake } from './support/fake-server.js';
import { WireClient, query, reportFields, shape, startup } from './support/wire-client.js';

const servers: FakeServer[] = [];
afterEach(async () => {
  await Promise.all(servers.splice(0).map(({ listener }) => listener.close()));
});

async function start(options: ServerOptions): Promise<FakeServer> {
  const server = await startFake({ drainTimeoutMs: 20, ...options });
  servers.push(server);
  return server;
}

/** Sends bytes one at a time until the other side has had enough. */
async function drip(client: WireClient, bytes: Buffer): Promise<number> {
  let sent = 0;
  for (; sent < bytes.length && !client.closed; sent++) {
    client.send(bytes.subarray(sent, sent + 1));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return sent;
}

describe('failed logins', () => {
  const waits = (logins: FailedLogins, user: string, address: string, times: readonly number[]): number[] =>
    times.map((nowMs) => logins.waitMs(user, address, nowMs));

  it('put those that follow in a row, of the same user from the same address', () => {
    const logins = new FailedLogins();
    for (let i = 0; i < FREE_FAILURES; i++) {
      expect(logins.waitMs('ada', '10.0.0.1', 1000)).toBe(0);
      logins.failed('ada', '10.0.0.1', 1000);
    }
    expect(waits(logins, 'ada', '10.0.0.1', [1000, 1000, 1100, 9000])).toEqual([
      0,
      HEARD_EVERY_MS,
      2 * HEARD_EVERY_MS - 100,
      0,
    ]);
    expect(waits(logins, 'ada', '10.0.0.2', [1000, 1000])).toEqual([0, 0]);
    expect(waits(logins, 'grace', '10.0.0.1', [1000, 1000])).toEqual([0, 0]);
  });

  it('are forgotten with the next success, and after a while', () => {
    const logins = new FailedLogins();
    const fail = (user: string, nowMs: number): void => {
      for (let i = 0; i < FREE_FAILURES; i++) logins.failed(user, undefined, nowMs);
    };
    fail('ada', 0);
    logins.succeeded('ada', undefined);
    fail('grace', 0);
    const later = FORGOTTEN_AFTER_MS + 1;
    expect([...waits(logins, 'ada', '', [0, 0]), ...waits(logins, 'grace', '', [later, later])]).toEqual([0, 0, 0, 0]);
  });

  it('of more users than are remembered cost the oldest', () => {
    const logins = new FailedLogins();
    for (let i = 0; i < FREE_FAILURES; i++) logins.failed('first', '', 0);
    for (let i = 0; i < 10_000; i++) logins.failed(`user ${i}`, '', 0);
    expect(waits(logins, 'first', '', [0, 0])).toEqual([0, 0]);
  });
});

describe('a client', () => {
  it('that sends its start-up message byte by byte has as long as any other to be let in', async () => {
    const { port } = await start({ authenticationTimeoutMs: 60 });
    const other = await WireClient.start(port);
    const slow = await WireClient.open(port);
    const hello = startup({ user: 'phantom', database: 'phantom', application_name: 'x'.repeat(200) });
    expect(await drip(slow, hello)).toBeLessThan(hello.length);
    expect((await slow.rest()).map((message) => reportFields(message).C)).toEqual(['57014']);
    expect(shape(await other.ask(query('rows 1')))).toBe('TDCZ');
    other.end();
  });

  it('that says nothing keeps nobody out: who has stood at the door for longest makes room', async () => {
    const { port, listener } = await start({ connectionsMax: 2, connectionsReserved: 0 });
    const silent: WireClient[] = [];
    for (let i = 0; i < 130; i++) silent.push(await WireClient.open(port));
    await expect.poll(() => listener.waitingAtDoor).toBe(130);
    const client = await WireClient.start(port);
    expect(await (silent[0] as WireClient).rest()).toEqual([]);
    expect([silent[1]?.closed, listener.waitingAtDoor]).toEqual([false, 129]);
    expect(shape(await client.ask(query('rows 1')))).toBe('TDCZ');
    // Who has been let in stays, whoever comes.
    for (let i = 0; i < 5; i++) silent.push(await WireClient.open(port));
    await expect.poll(() => silent[4]?.closed).toBe(true);
    expect(shape(await client.ask(query('rows 1')))).toBe('TDCZ');
    for (const one of [client, ...silent]) one.end();
  });

  it('that never finishes a message is idle', async () => {
    const { port, listener } = await start({});
    const slow = await WireClient.start(port, { idle_session_timeout: '60' });
    slow.send(query('rows 1').subarray(0, 7));
    expect((await slow.rest()).map((message) => reportFields(message).C)).toEqual(['57P05']);
    await expect.poll(() => listener.admission.connections).toBe(0);
  });

  it('that has sent half a message when the server stops is told so, and not waited for', async () => {
    const { port, listener } = await start({ drainTimeoutMs: 60_000 });
    const half = await WireClient.start(port);
    const atTheDoor = await WireClient.open(port);
    half.send(query('rows 1').subarray(0, 7));
    atTheDoor.send(startup({ user: 'phantom', database: 'phantom' }).subarray(0, 5));
    await expect.poll(() => listener.admission.connections).toBe(1);
    const told = Promise.all([half.rest(), atTheDoor.rest()]);
    await listener.close();
    for (const messages of await told) expect(messages.map((message) => reportFields(message).C)).toEqual(['57P01']);
  });

  it('that takes nothing of its result has as long as it has asked for', async () => {
    const { port, database, listener } = await start({});
    const patient = await WireClient.start(port, { tcp_user_timeout: '60000' });
    const gone = await WireClient.start(port, { tcp_user_timeout: '100' });
    for (const client of [patient, gone]) {
      client.socket.pause();
      client.send(query('rows 30000 1000'));
    }
    await expect.poll(() => listener.admission.connections, { timeout: 10_000 }).toBe(1);
    expect(database.sessions.map(({ closed }) => closed)).toEqual([false, true]);
    patient.socket.resume();
    expect((await patient.ready()).filter(({ type }) => type === 'D')).toHaveLength(30_000);
    patient.end();
  });

  it('has the system ask after it as it was told, once it rests', async () => {
    const { port } = await start({});
    const asked: unknown[] = [];
    const original = Socket.prototype.setKeepAlive;
    Socket.prototype.setKeepAlive = function (this: Socket, ...given) {
      asked.push(given);
      return original.apply(this, given);
    };
    try {
      const client = await WireClient.start(port, { tcp_keepalives_idle: '7' });
      await client.ask(query('rows 1'));
      await client.ask(query('rows 1'));
      client.end();
    } finally {
      Socket.prototype.setKeepAlive = original;
    }
    expect(asked).toEqual([
      [true, 60_000],
      [true, 7000],
    ]);
  });

  it('is one of five hundred that come at once, ask at once and go at once', async () => {
    const { port, listener } = await start({});
    const clients = await Promise.all(Array.from({ length: 500 }, () => WireClient.start(port)));
    expect(listener.admission.connections).toBe(500);
    const answers = await Promise.all(clients.map((client) => client.ask(query('rows 2'))));
    expect(new Set(answers.map(shape))).toEqual(new Set(['TDDCZ']));
    for (const client of clients) client.end();
    await expect.poll(() => listener.admission.connections).toBe(0);
  });
});
