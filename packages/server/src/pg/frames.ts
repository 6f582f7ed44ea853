/**
 * Cuts the bytes of a connection into messages, whatever pieces they come in.
 *
 *   push(chunk) ... next() -> true: `type`, `buffer`, `start`, `end` are the message at hand, until the next call of next()
 *
 * A message that lies whole in one chunk is handed out where it lies. Only one that is spread over chunks is put together,
 * in a buffer that grows with the bytes that have come and not with the length that was announced: a client that announces
 * a gigabyte and sends ten bytes costs ten bytes.
 *
 * Invariants:
 *   1. Any way of cutting a stream into chunks gives the same messages.
 *   2. A length is checked against the limit of its type before a byte of the body is kept.
 *   3. After an error the decoder is useless: the connection ends, since nothing tells where the next message begins.
 */
import { PhantomError } from '@phantom/base';
import { Frontend, PROTOCOL_VIOLATION } from './protocol.js';

const HEADER_BYTES = 5;
const LENGTH_BYTES = 4;
const CARRY_BYTES_MIN = 256;
/** A larger buffer for spread messages is not kept for the next one. */
const CARRY_BYTES_KEPT = 16 * 1024;
/** Longest start-up message, as in PostgreSQL. */
export const STARTUP_BYTES_MAX = 10_000;
/** Longest message of a kind that has nothing but names and numbers in it, as in PostgreSQL. */
export const SMALL_FRAME_BYTES_MAX = 10_000;
/** Longest message before a client has shown who it is. */
export const AUTHENTICATION_BYTES_MAX = 4096;

const EMPTY = Buffer.alloc(0);

/** What a type byte may be: 0 unknown, 1 small, 2 as long as the connection's limit. */
const KINDS = new Uint8Array(256);
for (const type of Object.values(Frontend)) KINDS[type] = 2;
for (const type of [
  Frontend.Close,
  Frontend.Describe,
  Frontend.Execute,
  Frontend.Flush,
  Frontend.Sync,
  Frontend.Terminate,
  Frontend.CopyDone,
  Frontend.CopyFail,
]) {
  KINDS[type] = 1;
}

export class FrameDecoder {
  /** Type byte of the message at hand; 0 for a start-up message. */
  type = 0;
  /** Holds the message at hand, from `start` (behind the length) to `end`. */
  buffer: Buffer = EMPTY;
  start = 0;
  end = 0;
  /** Longest body of a message that is not small. */
  frameBytesMax: number;
  /** True while messages have no type byte. */
  private untyped = true;
  private chunk: Buffer = EMPTY;
  private at = 0;
  private readonly later: Buffer[] = [];
  private laterBytes = 0;
  private carry: Buffer = EMPTY;
  private carryBytes = 0;
  /** True when the message at hand is the carry's. */
  private carryAtHand = false;

  constructor(frameBytesMax: number = AUTHENTICATION_BYTES_MAX) {
    this.frameBytesMax = frameBytesMax;
  }

  /** Bytes that have come and belong to no message handed out yet. */
  get bufferedBytes(): number {
    return this.chunk.length - this.at + this.laterBytes + (this.carryAtHand ? 0 : this.carryBytes);
  }

  /** Messages have a type byte from now on. */
  startTyped(): void {
    this.untyped = false;
  }

  /** Takes bytes over; the caller does not write to them again. */
  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.at === this.chunk.length) {
      this.chunk = chunk;
      this.at = 0;
    } else {
      this.later.push(chunk);
      this.laterBytes += chunk.length;
    }
  }

  /** Aims at the next whole message. False: more bytes are needed. 08P01 when they cannot be a message. */
  next(): boolean {
    this.dropCarry();
    for (;;) {
      if (this.carryBytes === 0 && this.takeWhole()) return true;
      const missing = this.chunk.length - this.at;
      if (missing === 0) {
        if (!this.nextChunk()) return false;
        continue;
      }
      if (this.takeSpread()) return true;
    }
  }

  /** Aims at the next message if it is of this type and lies whole in the chunk at hand; false: the message at hand stays. */
  nextOf(type: number): boolean {
    if (this.at === this.chunk.length || this.chunk[this.at] !== type) return false;
    if (this.carryBytes > 0 && !this.carryAtHand) return false;
    if (!this.takeWhole()) return false;
    this.dropCarry();
    return true;
  }

  /** The message at hand as it lies in the chunk, if it ends there. */
  private takeWhole(): boolean {
    const { chunk, at } = this;
    const header = this.untyped ? LENGTH_BYTES : HEADER_BYTES;
    if (chunk.length - at < header) return false;
    const bytes = this.frameBytes(chunk, at);
    if (chunk.length - at < bytes) return false;
    this.aim(chunk, at, bytes);
    this.at = at + bytes;
    if (this.at === chunk.length) this.nextChunk();
    return true;
  }

  /** Moves bytes of the chunk to the carry until a message is whole there, or the chunk is used up. */
  private takeSpread(): boolean {
    const header = this.untyped ? LENGTH_BYTES : HEADER_BYTES;
    if (this.carryBytes < header) {
      this.carryOver(header - this.carryBytes, header);
      if (this.carryBytes < header) return false;
    }
    const bytes = this.frameBytes(this.carry, 0);
    this.carryOver(bytes - this.carryBytes, bytes);
    if (this.carryBytes < bytes) return false;
    this.aim(this.carry, 0, bytes);
    this.carryAtHand = true;
    return true;
  }

  private carryOver(wanted: number, frameBytes: number): void {
    const count = Math.min(wanted, this.chunk.length - this.at);
    const need = this.carryBytes + count;
    if (need > this.carry.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, Math.min(frameBytes, this.carry.length * 2), CARRY_BYTES_MIN));
      this.carry.copy(grown, 0, 0, this.carryBytes);
      this.carry = grown;
    }
    this.chunk.copy(this.carry, this.carryBytes, this.at, this.at + count);
    this.carryBytes = need;
    this.at += count;
    if (this.at === this.chunk.length) this.nextChunk();
  }

  private dropCarry(): void {
    if (!this.carryAtHand) return;
    this.carryAtHand = false;
    this.carryBytes = 0;
    if (this.carry.length > CARRY_BYTES_KEPT) this.carry = EMPTY;
  }

  private nextChunk(): boolean {
    const next = this.later.shift();
    this.chunk = next ?? EMPTY;
    this.at = 0;
    if (next === undefined) return false;
    this.laterBytes -= next.length;
    return true;
  }

  /** Length of the message whose header stands at the offset, header included; 08P01 when there is none such. */
  private frameBytes(bytes: Buffer, at: number): number {
    if (this.untyped) {
      const length = bytes.readInt32BE(at);
      if (length < 2 * LENGTH_BYTES || length > STARTUP_BYTES_MAX) throw new NotStartupError();
      return length;
    }
    const type = bytes[at] as number;
    const kind = KINDS[type] as number;
    if (kind === 0) throw violation(`invalid frontend message type ${type}`);
    const length = bytes.readInt32BE(at + 1);
    if (length < LENGTH_BYTES) throw violation('invalid message length');
    const limit = kind === 1 ? Math.min(SMALL_FRAME_BYTES_MAX, this.frameBytesMax) : this.frameBytesMax;
    if (length - LENGTH_BYTES > limit) {
      throw new PhantomError(
        PROTOCOL_VIOLATION,
        `a message of ${length - LENGTH_BYTES} bytes is longer than the limit`,
        {
          detail: `Messages of this type have at most ${limit} bytes.`,
          data: { type, bytes: length - LENGTH_BYTES, limitBytes: limit },
        },
      );
    }
    return length + 1;
  }

  private aim(bytes: Buffer, at: number, frameBytes: number): void {
    this.buffer = bytes;
    this.type = this.untyped ? 0 : (bytes[at] as number);
    this.start = at + (this.untyped ? LENGTH_BYTES : HEADER_BYTES);
    this.end = at + frameBytes;
  }
}

/** The first bytes of a connection, or those after a refused request for encryption, are no start-up message. */
export class NotStartupError extends PhantomError {
  constructor() {
    super(PROTOCOL_VIOLATION, 'invalid length of startup packet');
  }
}

function violation(message: string): PhantomError {
  return new PhantomError(PROTOCOL_VIOLATION, message);
}
