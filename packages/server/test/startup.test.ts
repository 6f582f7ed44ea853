import { afterEach, describe, expect, it } from 'vitest';
import { FREE_FAILURES } from '../src/auth/failed-logins.js';
import { parseOptions } from '../src/pg/startup.js';
import { StartupCode } from '../src/pg/protocol.js';
import { type FakeServer, startFake } from './support/fake-server.js';
import { ScramClient, makeVerifier } from './support/scram-client.js';
import {
  WireClient,
  cstring,
  frame,
  int32,
  query,
  reportFields,
  request,
  shape,
  startup,
  sync,
  terminate,
} from './support/wire-client.js';

let server: FakeServer;
const start = async (options = {}): Promise<FakeServer> =>
  (server = await startFake({ drainTimeoutMs: 50, ...options }));
afterEach(() => server.listener.close());

const lastError = (messages: { type: string; body: Buffer }[]): Record<string, string> =>
  reportFields(messages.findLast((message) => message.type === 'E') as never);

describe('start-up', () => {
  it('tells settings, key and readiness', async () => {
    const { port, database } = await start();
    const client = await WireClient.open(port);
    client.send(
      startup({
        user: 'phantom',
        database: 'shop',
        application_name: 'test',
        options: '-c search_path=a,b --DateStyle=iso',
      }),
    );
    const messages = await client.ready();
    expect(shape(messages)).toBe('RSSKZ');
    expect(messages[0]?.body.readInt32BE(0)).toBe(0);
    expect(messages[1]?.body.toString()).toBe('server_version\u000015.0\0');
    expect(messages[4]?.body.toString()).toBe('I');
    expect(database.sessions[0]?.request).toMatchObject({
      database: 'shop',
      user: 'phantom',
      settings: { application_name: 'test', search_path: 'a,b', DateStyle: 'iso' },
    });
    client.end();
  });

  it('takes the user for the database when none is named', async () => {
    const { port, database } = await start();
    const client = await WireClient.open(port);
    client.send(startup({ user: 'phantom' }));
    await client.ready();
    expect(database.sessions[0]?.request.database).toBe('phantom');
    client.end();
  });

  it('answers N to requests for encryption, once each', async () => {
    const { port } = await start();
    const client = await WireClient.open(port);
    expect(await client.letter(StartupCode.GssEncryptionRequest)).toBe('N');
    expect(await client.letter(StartupCode.SslRequest)).toBe('N');
    client.send(request(StartupCode.SslRequest));
    expect(lastError(await client.rest())).toMatchObject({ S: 'FATAL', C: '0A000' });
  });

  it('negotiates a newer minor version and unknown options', async () => {
    const { port } = await start();
    const client = await WireClient.open(port);
    client.send(startup({ user: 'phantom', '_pq_.novelty': '1' }, StartupCode.Version3 + 2));
    const messages = await client.ready();
    expect(shape(messages)).toBe('vRSSKZ');
    expect(messages[0]?.body).toEqual(Buffer.concat([int32(0), int32(1), cstring('_pq_.novelty')]));
    client.end();
  });

  it.each([
    ['protocol 2', startup({ user: 'phantom' }, 2 << 16), '0A000'],
    ['no user', startup({ database: 'phantom' }), '28000'],
    ['an unknown role', startup({ user: 'nobody' }), '28000'],
    ['an unknown database', startup({ user: 'phantom', database: 'nowhere' }), '3D000'],
    ['an unknown setting', startup({ user: 'phantom', no_such_setting: '1' }), '42704'],
    ['replication', startup({ user: 'phantom', replication: 'database' }), '0A000'],
    ['bad options', startup({ user: 'phantom', options: 'nonsense' }), '42601'],
    ['text that is not UTF-8', request(StartupCode.Version3, Buffer.from('user\0\xff\0\0', 'latin1')), '22021'],
    ['a body that ends early', request(StartupCode.Version3, Buffer.from('user\0phantom\0')), '08P01'],
    ['a request with a body', request(StartupCode.SslRequest, Buffer.from('x')), '08P01'],
    ['a short cancel request', request(StartupCode.CancelRequest, int32(1)), '08P01'],
  ])('ends with FATAL on %s', async (_, hello, code) => {
    const { port, listener } = await start();
    const client = await WireClient.open(port);
    client.send(hello);
    const messages = await client.rest();
    expect(lastError(messages)).toMatchObject({ S: 'FATAL', V: 'FATAL', C: code });
    expect(listener.admission.connections).toBe(0);
  });

  it('reads options with backslashes', () => {
    expect({ ...parseOptions('-c a=1  -cb=x\\ y --some-name=3 \\-c c=4') }).toEqual({
      a: '1',
      b: 'x y',
      some_name: '3',
      c: '4',
    });
    expect(() => parseOptions('-c')).toThrowError('invalid command-line argument');
    expect(() => parseOptions('--noequals')).toThrowError('invalid command-line argument');
  });

  it('ends without a word whoever speaks another protocol, or says goodbye before hello', async () => {
    const { port } = await start();
    for (const bytes of [Buffer.from('GET / HTTP/1.1\r\n\r\n'), terminate()]) {
      const client = await WireClient.open(port);
      client.send(bytes);
      expect(await client.rest()).toEqual([]);
    }
  });

  it('ends a client that does not say who it is', async () => {
    const { port } = await start({ authenticationTimeoutMs: 30 });
    const client = await WireClient.open(port);
    expect(lastError(await client.rest())).toMatchObject({ C: '57014' });
  });
});

describe('authentication', () => {
  const sasl = (message: { body: Buffer } | undefined): string => message?.body.toString('utf8', 4) ?? '';
  const initial = (text: string, mechanism = 'SCRAM-SHA-256'): Buffer =>
    frame('p', cstring(mechanism), int32(text.length), Buffer.from(text));

  async function knock(
    password: string,
    user = 'owner',
  ): Promise<{ client: WireClient; accepts: boolean; shape: string; code: string | undefined }> {
    const client = await WireClient.open(server.port);
    const scram = new ScramClient(password);
    client.send(startup({ user, database: 'phantom' }));
    const [offer] = await client.take('R');
    expect(offer?.body).toEqual(Buffer.concat([int32(10), cstring('SCRAM-SHA-256'), Buffer.from([0])]));
    client.send(initial(scram.first));
    const [challenge] = await client.take('R');
    client.send(frame('p', Buffer.from(scram.last(sasl(challenge)))));
    const messages = await client.ready();
    return {
      client,
      accepts: scram.accepts(sasl(messages[0])),
      shape: shape(messages),
      code: messages[0]?.type === 'E' ? reportFields(messages[0]).C : undefined,
    };
  }

  it('asks a role with a password to prove it', async () => {
    await start();
    server.database.roles.set('owner', { name: 'owner', superuser: true, passwordVerifier: makeVerifier('sesame') });
    const right = await knock('sesame');
    expect(right).toMatchObject({ accepts: true, shape: 'RRSSKZ' });
    right.client.end();
    expect(await knock('simsim')).toMatchObject({ shape: 'E', code: '28P01' });
    expect(server.database.sessions).toHaveLength(1);
  });

  it('hears a user who keeps failing ever later, and is not kept from others by it', async () => {
    const { database, listener } = await start();
    database.roles.set('owner', { name: 'owner', superuser: true, passwordVerifier: makeVerifier('sesame') });
    const { failedLogins } = listener;
    const waits: number[] = [];
    const waitMs = failedLogins.waitMs.bind(failedLogins);
    failedLogins.waitMs = (user, address, nowMs) => {
      // As if the last one had been this very moment; nobody sleeps for it here.
      const turnsMs = [waitMs(user, address, nowMs), waitMs(user, address, nowMs)];
      waits.push(Math.max(...turnsMs));
      return Math.min(...waits.slice(-1), 20);
    };
    for (let i = 0; i < FREE_FAILURES; i++) expect((await knock('simsim')).code).toBe('28P01');
    expect(waits.every((ms) => ms === 0)).toBe(true);
    expect((await knock('simsim')).code).toBe('28P01');
    expect(waits.at(-1)).toBeGreaterThan(0);
    // Who gives up waiting leaves nothing behind.
    const gone = await WireClient.open(server.port);
    gone.send(startup({ user: 'owner' }));
    gone.end();
    (await WireClient.start(server.port, { user: 'guest' })).end();
    expect(waits.at(-1)).toBe(0);
    (await knock('sesame')).client.end();
    expect((await knock('simsim')).code).toBe('28P01');
    expect((await knock('simsim')).code).toBe('28P01');
    expect(waits.at(-1)).toBe(0);
  });

  it('ends an exchange that is none', async () => {
    await start();
    server.database.roles.set('owner', { name: 'owner', superuser: true, passwordVerifier: makeVerifier('sesame') });
    const attempts: Buffer[] = [
      initial('n,,n=,r=abc', 'PLAIN'),
      initial('rubbish'),
      query('select 1'),
      frame('p', Buffer.from('SCRAM-SHA-256')),
    ];
    for (const attempt of attempts) {
      const client = await WireClient.open(server.port);
      client.send(startup({ user: 'owner' }));
      await client.take('R');
      client.send(attempt);
      expect(lastError(await client.rest())).toMatchObject({ S: 'FATAL', C: '08P01' });
    }
    expect(server.database.sessions).toHaveLength(0);
  });

  it('takes no long message before the proof', async () => {
    await start();
    server.database.roles.set('owner', { name: 'owner', superuser: true, passwordVerifier: makeVerifier('sesame') });
    const client = await WireClient.open(server.port);
    client.send(startup({ user: 'owner' }));
    await client.take('R');
    client.send(Buffer.concat([Buffer.from('p'), int32(1 << 20)]));
    expect(lastError(await client.rest())).toMatchObject({ C: '08P01' });
  });
});

describe('admission', () => {
  it('says 53300 when all places are taken, and keeps the last ones for superusers', async () => {
    const { port, database, listener } = await start({ connectionsMax: 3, connectionsReserved: 1 });
    database.roles.set('guest', { name: 'guest', superuser: false });
    const first = await WireClient.start(port, { user: 'guest' });
    const second = await WireClient.start(port, { user: 'guest' });
    const refused = await WireClient.open(port);
    refused.send(startup({ user: 'guest' }));
    expect(lastError(await refused.rest())).toMatchObject({
      C: '53300',
      M: 'remaining connection slots are reserved for superusers',
    });
    const third = await WireClient.start(port);
    const late = await WireClient.open(port);
    late.send(startup({ user: 'phantom' }));
    expect(lastError(await late.rest())).toMatchObject({ C: '53300', M: 'sorry, too many clients already' });
    expect(listener.admission.connections).toBe(3);
    second.send(terminate());
    await second.rest();
    const again = await WireClient.start(port);
    for (const client of [first, third, again]) client.end();
  });

  it('keeps to the limit of a role', async () => {
    const { port } = await start();
    const clients = [await WireClient.start(port, { user: 'guest' }), await WireClient.start(port, { user: 'guest' })];
    const refused = await WireClient.open(port);
    refused.send(startup({ user: 'guest' }));
    expect(lastError(await refused.rest())).toMatchObject({ C: '53300' });
    for (const client of clients) client.end();
  });

  it('does not hear more sockets than it could ever let in', async () => {
    const { port, listener } = await start({ connectionsMax: 0 });
    const silent = await Promise.all(Array.from({ length: 128 }, () => WireClient.open(port)));
    const beyond = await WireClient.open(port);
    await Promise.race(silent.map((client) => client.rest()));
    expect(silent.filter(({ closed }) => closed)).toHaveLength(1);
    expect([beyond.closed, listener.waitingAtDoor]).toEqual([false, 128]);
    for (const client of [beyond, ...silent]) client.end();
  });
});

describe('cancel requests', () => {
  it('stop what runs when the key is right', async () => {
    const { port, listener } = await start();
    const client = await WireClient.open(port);
    client.send(startup({ user: 'phantom' }));
    const key = (await client.ready()).find((message) => message.type === 'K')?.body as Buffer;
    client.send(query('wait'));
    const wrong = Buffer.from(key);
    wrong[7] = (wrong[7] as number) ^ 1;
    for (const shown of [wrong, Buffer.concat([int32(99), key.subarray(4)]), Buffer.concat([key, int32(0)])]) {
      const stranger = await WireClient.open(port);
      stranger.send(request(StartupCode.CancelRequest, shown));
      expect(await stranger.rest()).toEqual([]);
    }
    expect(listener.cancels.value).toBe(0);
    const friend = await WireClient.open(port);
    friend.send(request(StartupCode.CancelRequest, key));
    expect(await friend.rest()).toEqual([]);
    expect(lastError(await client.ready())).toMatchObject({ S: 'ERROR', C: '57014' });
    expect(listener.cancels.value).toBe(1);
    // One that comes when nothing runs stops nothing.
    const late = await WireClient.open(port);
    late.send(request(StartupCode.CancelRequest, key));
    await late.rest();
    expect(shape(await client.ask(query('rows 1')))).toBe('TDCZ');
    client.end();
  });
});

describe('ends', () => {
  it('frees what a client held when it goes, also in the middle of a statement', async () => {
    const { port, database, listener } = await start();
    const client = await WireClient.start(port);
    client.send(query('wait'));
    await expect.poll(() => database.sessions[0]?.cancelled).toBeDefined();
    client.end();
    await expect.poll(() => database.sessions[0]?.closed).toBe(true);
    expect(listener.admission.connections).toBe(0);
  });

  it('ends resting clients at once when it stops, and running ones after their time', async () => {
    const { port, listener, database } = await start();
    const resting = await WireClient.start(port);
    const running = await WireClient.start(port);
    const busy = await WireClient.start(port);
    running.send(query('wait'));
    busy.send(query('later; later'));
    await expect.poll(() => database.sessions[1]?.cancelled).toBeDefined();
    const closed = listener.close();
    expect(lastError(await resting.rest())).toMatchObject({ S: 'FATAL', C: '57P01' });
    expect(shape(await busy.rest())).toMatch(/^TDCTDCZE$/);
    const told = await running.rest();
    expect(lastError(told)).toMatchObject({ S: 'FATAL', C: '57P01' });
    await closed;
    expect(database.sessions.every((session) => session.closed)).toBe(true);
  });

  it('ends clients that idle, when they asked for it', async () => {
    const { port } = await start();
    const client = await WireClient.start(port, { idle_session_timeout: '40' });
    expect(lastError(await client.rest())).toMatchObject({ C: '57P05' });
  });

  it('ends clients that idle in a transaction, when they asked for it', async () => {
    const { port } = await start();
    const client = await WireClient.start(port, { idle_in_transaction_session_timeout: '40' });
    await client.ask(query('begin'));
    expect(lastError(await client.rest())).toMatchObject({ C: '25P03' });
  });

  it('needs no farewell', async () => {
    const { port } = await start();
    const client = await WireClient.start(port);
    client.send(query('rows 1'), sync(), terminate());
    expect(shape(await client.rest())).toBe('TDCZZ');
  });
});
