import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameDecoder, SMALL_FRAME_BYTES_MAX, STARTUP_BYTES_MAX } from '../src/pg/frames.js';
import { Frontend } from '../src/pg/protocol.js';
import { frame, int32, startup, sync } from './support/wire-client.js';

const TYPES = Object.values(Frontend).map((code) => String.fromCharCode(code));

interface Seen {
  readonly type: string;
  readonly body: string;
}

/** `isGreedy`: asks for another message of the same type after each. */
function readAll(decoder: FrameDecoder, isGreedy = false): Seen[] {
  const seen: Seen[] = [];
  while (decoder.next()) {
    do {
      seen.push({
        type: decoder.type === 0 ? '' : String.fromCharCode(decoder.type),
        body: decoder.buffer.toString('latin1', decoder.start, decoder.end),
      });
    } while (isGreedy && decoder.nextOf(decoder.type));
  }
  return seen;
}

function typed(limit = 1 << 20): FrameDecoder {
  const decoder = new FrameDecoder(limit);
  decoder.startTyped();
  return decoder;
}

describe('frame decoder', () => {
  it('gives the same messages however the stream is cut', () => {
    const message = fc.record({
      type: fc.constantFrom('d', ...TYPES, 'd', 'd'),
      body: fc.uint8Array({ maxLength: 700 }),
    });
    fc.assert(
      fc.property(
        fc.array(message, { maxLength: 20 }),
        fc.array(fc.integer({ min: 1, max: 900 }), { minLength: 1 }),
        (messages, cuts) => {
          const stream = Buffer.concat(messages.map(({ type, body }) => frame(type, Buffer.from(body))));
          const decoder = typed();
          const seen: Seen[] = [];
          for (let at = 0, i = 0; at < stream.length; i++) {
            const end = at + (cuts[i % cuts.length] as number);
            decoder.push(Buffer.from(stream.subarray(at, end)));
            at = end;
            // Sometimes several chunks come before anybody looks.
            if (i % 3 !== 1) seen.push(...readAll(decoder, i % 2 === 0));
          }
          seen.push(...readAll(decoder));
          expect(seen).toEqual(
            messages.map(({ type, body }) => ({ type, body: Buffer.from(body).toString('latin1') })),
          );
          expect(decoder.bufferedBytes).toBe(0);
        },
      ),
      { seed: 1, numRuns: 300 },
    );
  });

  it('reads start-up messages until it is told that types follow', () => {
    const decoder = new FrameDecoder();
    const hello = startup({ user: 'me' });
    for (const byte of Buffer.concat([hello, sync()])) decoder.push(Buffer.from([byte]));
    expect(decoder.next()).toBe(true);
    expect(decoder.type).toBe(0);
    expect(decoder.end - decoder.start).toBe(hello.length - 4);
    decoder.startTyped();
    expect(readAll(decoder)).toEqual([{ type: 'S', body: '' }]);
  });

  it('keeps a message valid while more bytes come', () => {
    const decoder = typed();
    const bytes = frame('Q', Buffer.from('select 1\0'));
    decoder.push(bytes.subarray(0, 7));
    decoder.push(bytes.subarray(7));
    expect(decoder.next()).toBe(true);
    decoder.push(frame('Q', Buffer.from('another!!\0')));
    expect(decoder.buffer.toString('latin1', decoder.start, decoder.end)).toBe('select 1\0');
  });

  it('takes memory for what has come, not for what was announced', () => {
    const decoder = typed(1 << 30);
    decoder.push(Buffer.concat([Buffer.from('Q'), int32(1 << 29), Buffer.from('select')]));
    expect(decoder.next()).toBe(false);
    expect(decoder.bufferedBytes).toBe(11);
    expect(decoder.buffer.length).toBe(0);
  });

  it.each([
    ['an unknown type', Buffer.concat([Buffer.from([0xff]), int32(4)])],
    ['a length below four', Buffer.concat([Buffer.from('Q'), int32(3)])],
    ['a negative length', Buffer.concat([Buffer.from('Q'), int32(-5)])],
    ['more than the limit', Buffer.concat([Buffer.from('Q'), int32((1 << 20) + 5)])],
    ['a long message of a small kind', Buffer.concat([Buffer.from('S'), int32(SMALL_FRAME_BYTES_MAX + 5)])],
  ])('refuses %s before the body comes', (_, bytes) => {
    const decoder = typed();
    decoder.push(bytes);
    expect(() => decoder.next()).toThrowError(expect.objectContaining({ code: '08P01' }));
  });

  it('takes a message of exactly the limit', () => {
    const decoder = typed(16);
    decoder.push(frame('Q', Buffer.alloc(16)));
    expect(readAll(decoder)).toHaveLength(1);
  });

  it.each([7, STARTUP_BYTES_MAX + 1, -1])('refuses a start-up message of %i bytes', (length) => {
    const decoder = new FrameDecoder();
    decoder.push(int32(length));
    expect(() => decoder.next()).toThrowError(expect.objectContaining({ code: '08P01' }));
  });

  it('ends in messages or 08P01 for any bytes', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 })), fc.boolean(), (chunks, untyped) => {
        const decoder = untyped ? new FrameDecoder(1000) : typed(1000);
        let code = '08P01';
        try {
          for (const chunk of chunks) {
            decoder.push(Buffer.from(chunk));
            readAll(decoder);
          }
        } catch (error) {
          ({ code } = error as { code: string });
        }
        expect(code).toBe('08P01');
      }),
      { seed: 2, numRuns: 500 },
    );
  });
});
