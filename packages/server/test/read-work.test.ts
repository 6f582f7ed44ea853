/** What need not be done anew for each answer: work is counted here, and that nothing but work is spared. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IdleLimits } from '../src/pg/idle-limits.js';
import { MessageReader } from '../src/pg/message-reader.js';
import { Outbox } from '../src/pg/outbox.js';
import { BufferPool, Output, type OutputSocket } from '../src/pg/output.js';
import { cstring } from './support/wire-client.js';

class FakeSocket {
  readonly writes: Uint8Array[] = [];
  writable = true;
  writableLength = 0;
  writableNeedDrain = false;

  write(bytes: Uint8Array): boolean {
    this.writes.push(bytes);
    return true;
  }
}

function outputTo(socket: FakeSocket): Output {
  const patience = { limitMs: 0, spent: () => undefined };
  return new Output(socket as unknown as OutputSocket, new BufferPool(), new Outbox(), patience);
}

function answer(output: Output, ...bytes: number[]): void {
  output.open();
  for (const byte of bytes) output.messages.u8(byte);
  output.flush();
}

describe('what a socket is shown', () => {
  it('is the same object for answers of one length, with the bytes of each', () => {
    const socket = new FakeSocket();
    const output = outputTo(socket);
    const seen: number[][] = [];
    for (const bytes of [[1, 2], [3, 4], [5], [6], [7, 8, 9]]) {
      answer(output, ...bytes);
      seen.push([...(socket.writes.at(-1) as Uint8Array)]);
    }
    expect(seen).toEqual([[1, 2], [3, 4], [5], [6], [7, 8, 9]]);
    expect(new Set(socket.writes).size).toBe(3);
    expect(output.sentBytes).toBe(9);
  });

  it('is the whole of an answer that has outgrown its buffer', () => {
    const socket = new FakeSocket();
    const output = outputTo(socket);
    const large = Array.from({ length: 40_000 }, (_, i) => i & 255);
    answer(output, ...large);
    answer(output, ...large.toReversed());
    expect(Buffer.from(socket.writes[1] as Uint8Array)).toEqual(Buffer.from(large.toReversed()));
    expect(socket.writes[1]).toBe(socket.writes[0]);
  });

  it('is not written over while the socket keeps it', () => {
    const socket = new FakeSocket();
    const output = outputTo(socket);
    socket.writableLength = 2;
    answer(output, 1, 2);
    answer(output, 3, 4);
    expect(socket.writes.map((bytes) => [...bytes])).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });

  it('is nothing where nothing is sent', () => {
    const socket = new FakeSocket();
    const output = outputTo(socket);
    output.open();
    output.flush();
    socket.writable = false;
    answer(output, 1);
    socket.writable = true;
    answer(output, 2);
    expect(socket.writes.map((bytes) => [...bytes])).toEqual([[2]]);
  });
});

describe('a name that is expected', () => {
  const read = (bytes: Buffer, end: number, expected?: string): unknown => {
    const reader = new MessageReader();
    reader.aim(bytes, 0, end);
    try {
      return [reader.string(expected), reader.at];
    } catch (error) {
      return (error as Error).message;
    }
  };

  it('is given itself, and read as any other where it is another', () => {
    const character = fc.constantFrom('a', 'b', '\0', '\x7f', 'é', '€');
    const text = fc.oneof(
      fc.string({ unit: character, maxLength: 4 }),
      fc.constantFrom('x'.repeat(48), 'x'.repeat(60)),
    );
    fc.assert(
      fc.property(text, text, fc.nat(3), fc.boolean(), (expected, sent, cut, isSame) => {
        const bytes = cstring(isSame ? expected : sent);
        const end = Math.max(0, bytes.length - cut);
        expect(read(bytes, end, expected)).toEqual(read(bytes, end));
      }),
      { seed: 20 },
    );
  });

  it('is not looked for beyond the message', () => {
    expect(read(cstring('ab'), 2, 'ab')).toBe('invalid string in message');
  });
});

it('reads what an idle client is held to again when a setting has changed, and only then', () => {
  let reads = 0;
  const values = { version: 1, get: () => '', integer: () => ++reads, reported: () => [] };
  const limits = new IdleLimits();
  for (let i = 0; i < 3; i++) limits.renew(values);
  expect([limits.outsideMs, limits.withinMs, limits.keepAliveMs]).toEqual([1, 2, 3000]);
  values.version++;
  for (let i = 0; i < 3; i++) limits.renew(values);
  expect([limits.outsideMs, limits.withinMs, limits.keepAliveMs]).toEqual([4, 5, 6000]);
});
