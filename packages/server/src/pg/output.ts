/**
 * The sending half of a connection. Messages gather in a buffer and leave together: one system call for the answers to a
 * whole pipeline, or for a piece of a large result.
 *
 * Buffers are lent by a pool for as long as something waits in them, so an idle connection holds none. A buffer goes back
 * to use only when the system has taken its bytes; otherwise the socket keeps it and the next one is lent. So does the object that
 * shows them to the socket: answers to one statement are mostly of one length, and to make it anew costs a tenth of a short answer.
 *
 * While a statement waits for something, the beginning of its answer waits with it: the client cannot go on before the end has
 * come, and each piece would wake it for nothing. Only whole answers are sent then, or a good deal of rows.
 *
 * Back-pressure: when the client does not read, the system's buffer fills, then the socket's; `blocked` is true from then on,
 * and whoever produces rows awaits `relieved` before producing more.
 */
import type { Socket } from 'node:net';
import { ByteWriter } from '@phantom/base';
import { MessageWriter } from './message-writer.js';
import type { Outbox } from './outbox.js';

const NO_BYTES = Buffer.alloc(0);
/** Bytes of a lent buffer; larger ones, grown by a large row, are not lent again. */
const BUFFER_BYTES = 16 * 1024;
const BUFFER_BYTES_KEPT = 64 * 1024;
/** Buffers kept for lending. */
const BUFFERS_MAX = 64;
/** Waiting bytes that are sent without being asked to. */
export const SEND_BYTES = 64 * 1024;

/** Waiting bytes that are sent while their statement waits for something. */
const PIECE_BYTES = 8 * 1024;
/** Waiting bytes that are sent though they are held: more than the short answers that have to be. */
const HELD_BYTES_MAX = 4 * SEND_BYTES;

/** A buffer, and what the socket was shown of it last. */
export class LentBuffer {
  readonly bytes = new ByteWriter(BUFFER_BYTES);
  private memory = this.bytes.buffer;
  private shown: Buffer = NO_BYTES;

  /** What is written, as a socket takes it; good as long as the buffer is not given back. */
  view(): Buffer {
    const { buffer, length } = this.bytes;
    if (buffer !== this.memory || length !== this.shown.length) {
      this.memory = buffer;
      this.shown = Buffer.from(buffer.buffer, buffer.byteOffset, length);
    }
    return this.shown;
  }
}

/** Buffers for all connections of a server. */
export class BufferPool {
  private readonly free: LentBuffer[] = [];

  take(): LentBuffer {
    return this.free.pop() ?? new LentBuffer();
  }

  /** Takes back a buffer that nobody reads any more. */
  give(lent: LentBuffer): void {
    if (this.free.length >= BUFFERS_MAX || lent.bytes.buffer.length > BUFFER_BYTES_KEPT) return;
    lent.bytes.reset();
    this.free.push(lent);
  }
}

/** How long a client may take nothing of what waits for it. */
export interface OutputPatience {
  /** 0 for ever. */
  readonly limitMs: number;
  /** It has taken nothing for so long. */
  readonly spent: () => void;
}

/** What output needs of a socket. */
export type OutputSocket = Pick<Socket, 'write' | 'writable' | 'writableLength' | 'writableNeedDrain' | 'once' | 'off'>;

export class Output {
  readonly messages: MessageWriter;
  /** Bytes handed to the socket so far. */
  sentBytes = 0;
  /** While true nothing is sent before HELD_BYTES_MAX wait: it may tell of a commit that is not durable yet, or be taken back. */
  isHeld = false;
  /** True while a whole answer waits, with which the client can go on. */
  isAwaited = false;
  private socket: OutputSocket;
  private readonly pool: BufferPool;
  private readonly idle = new ByteWriter();
  /** What the messages are written to; undefined: to `idle`. */
  private lent: LentBuffer | undefined;
  private readonly outbox: Outbox;
  private readonly patience: OutputPatience;
  /** True while it stands in the outbox. */
  private isDue = false;

  constructor(socket: OutputSocket, pool: BufferPool, outbox: Outbox, patience: OutputPatience) {
    this.socket = socket;
    this.pool = pool;
    this.outbox = outbox;
    this.patience = patience;
    this.messages = new MessageWriter(this.idle);
  }

  /** Sends to another socket from now on: the same connection, encrypted. Nothing may wait. */
  attach(socket: OutputSocket): void {
    this.socket = socket;
  }

  /** Bytes that wait to be sent. */
  get waitingBytes(): number {
    return this.messages.bytes.length;
  }

  /** All bytes produced so far. */
  get producedBytes(): number {
    return this.sentBytes + this.messages.bytes.length;
  }

  /** Takes back what was written since so many bytes had been produced; false when some of it has been sent. */
  takeBack(producedBytes: number): boolean {
    if (this.sentBytes > producedBytes) return false;
    this.messages.bytes.length = producedBytes - this.sentBytes;
    return true;
  }

  /** True when the client does not keep up. */
  get blocked(): boolean {
    return this.socket.writableNeedDrain;
  }

  /** Borrows a buffer for what is about to be written. */
  open(): void {
    if (this.lent !== undefined || this.idle.length > 0) return;
    this.lent = this.pool.take();
    this.messages.aim(this.lent.bytes);
  }

  /** Sends what waits and gives the buffer back. */
  flush(): void {
    const { messages, socket, lent } = this;
    const { bytes } = messages;
    this.isDue = false;
    if (this.isHeld && bytes.length < HELD_BYTES_MAX) return;
    this.isAwaited = false;
    this.lent = undefined;
    messages.aim(this.idle);
    const isSent = bytes.length > 0 && socket.writable;
    if (isSent) {
      this.sentBytes += bytes.length;
      socket.write(lent === undefined ? bytes.take() : lent.view());
    }
    if (lent === undefined) bytes.reset();
    // Nothing left in the socket means that the system has copied all of it.
    else if (!isSent || socket.writableLength === 0) this.pool.give(lent);
  }

  /** Sends what waits together with what others have to send: whatever is answered until then goes along. */
  flushSoon(): void {
    if (this.isDue) return;
    this.isDue = true;
    this.outbox.add(this);
  }

  /** Before the rest of an answer is waited for: sends what is of use without it. */
  flushAwaited(): void {
    if (this.isAwaited || this.waitingBytes >= PIECE_BYTES) this.flushSoon();
  }

  /** Sends when enough waits; a promise while the client does not keep up. */
  relieve(): Promise<void> | undefined {
    if (this.waitingBytes >= SEND_BYTES) {
      this.flush();
      this.open();
    }
    return this.blocked ? this.relieved() : undefined;
  }

  /** Resolves when the socket takes more, or is closed. */
  private relieved(): Promise<void> {
    const { socket } = this;
    const { limitMs, spent } = this.patience;
    return new Promise((resolve) => {
      const timer = limitMs === 0 ? undefined : setTimeout(spent, limitMs);
      const done = (): void => {
        clearTimeout(timer);
        socket.off('drain', done);
        socket.off('close', done);
        resolve();
      };
      socket.once('drain', done);
      socket.once('close', done);
    });
  }
}
