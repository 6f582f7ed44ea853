/** Whatever one connection sends, it ends alone: the others go on, and memory stays where it was. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FakeServer, startFake } from './support/fake-server.js';
import {
  WireClient,
  bind,
  describe as describeNamed,
  execute,
  flush,
  frame,
  int32,
  parse,
  query,
  shape,
  startup,
  sync,
  terminate,
} from './support/wire-client.js';

let server: FakeServer;
let witness: WireClient;
beforeAll(async () => {
  server = await startFake({ drainTimeoutMs: 20, frameBytesMax: 100_000 });
  witness = await WireClient.start(server.port);
});
afterAll(() => {
  witness.end();
  return server.listener.close();
});

const conversation = Buffer.concat([
  startup({ user: 'phantom' }),
  parse('echo int4 text', 's'),
  describeNamed('S', 's'),
  bind(['1', 'two'], { statement: 's', results: [1, 0] }),
  execute(),
  sync(),
  query('rows 3; rows 2'),
]);
const helloBytes = startup({ user: 'phantom' }).length;

async function throwAt(bytes: Buffer): Promise<void> {
  const client = await WireClient.open(server.port);
  client.socket.end(bytes);
  await client.rest();
}

/** What somebody else's connection answers meanwhile. */
const everybodyElse = async (): Promise<string> => shape(await witness.ask(query('rows 1')));
const WELL = 'TDCZ';

const bytes = (maxLength: number): fc.Arbitrary<Buffer> =>
  fc.uint8Array({ maxLength }).map((array) => Buffer.from(array));

describe('protocol fuzzing', () => {
  it('random bytes, before and after the start', async () => {
    await fc.assert(
      fc.asyncProperty(bytes(200), fc.boolean(), async (noise, hello) => {
        await throwAt(hello ? Buffer.concat([startup({ user: 'phantom' }), noise]) : noise);
      }),
      { seed: 3, numRuns: 150 },
    );
    expect(await everybodyElse()).toBe(WELL);
  });

  it('a good conversation, cut off anywhere', async () => {
    for (let end = 0; end < conversation.length; end += 3) await throwAt(conversation.subarray(0, end));
    expect(await everybodyElse()).toBe(WELL);
  });

  it('a good conversation with bytes changed', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.tuple(fc.integer({ min: helloBytes, max: conversation.length - 1 }), fc.integer({ min: 0, max: 255 })),
          { minLength: 1, maxLength: 4 },
        ),
        async (changes) => {
          const changed = Buffer.from(conversation);
          for (const [at, value] of changes) changed[at] = value;
          await throwAt(changed);
        },
      ),
      { seed: 4, numRuns: 150 },
    );
    expect(await everybodyElse()).toBe(WELL);
  });

  it('messages of known types with random bodies', async () => {
    const message = fc.tuple(fc.constantFrom(...'BCDEFHPQScdfp'), bytes(60)).map(([type, body]) => {
      const head = Buffer.alloc(5);
      head.write(type);
      head.writeInt32BE(body.length + 4, 1);
      return Buffer.concat([head, body]);
    });
    await fc.assert(
      fc.asyncProperty(fc.array(message, { maxLength: 8 }), async (messages) => {
        await throwAt(Buffer.concat([startup({ user: 'phantom' }), ...messages, sync()]));
      }),
      { seed: 5, numRuns: 150 },
    );
    expect(await everybodyElse()).toBe(WELL);
  });

  it('good messages in any order, some of them twice', async () => {
    const messages = [
      parse('echo int4 text', 's'),
      describeNamed('S', 's'),
      describeNamed('P'),
      bind(['1', 'two'], { statement: 's' }),
      execute(),
      execute(1),
      sync(),
      query('rows 3'),
      flush(),
      terminate(),
      frame('c'),
      frame('d', Buffer.from('1\n')),
    ];
    await fc.assert(
      fc.asyncProperty(fc.array(fc.constantFrom(...messages), { minLength: 2, maxLength: 20 }), async (order) => {
        await throwAt(Buffer.concat([startup({ user: 'phantom' }), ...order]));
      }),
      { seed: 6, numRuns: 150 },
    );
    expect(await everybodyElse()).toBe(WELL);
  });

  it('lengths beyond every limit, without a byte of memory for them', async () => {
    const before = process.memoryUsage().arrayBuffers;
    const announced = (type: string, length: number): Buffer => Buffer.concat([Buffer.from(type), int32(length)]);
    for (const type of 'BCDEFHPQScdfpX') {
      for (const length of [-1, 0, 3, 200_000, 0x7fff_ffff])
        await throwAt(Buffer.concat([startup({ user: 'phantom' }), announced(type, length), Buffer.alloc(20)]));
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(32 * 1024 * 1024);
    expect(await everybodyElse()).toBe(WELL);
  });

  it('leaves nobody behind', async () => {
    await expect.poll(() => server.listener.admission.connections).toBe(1);
    expect(server.database.sessions.slice(1).every((session) => session.closed)).toBe(true);
  });
});
