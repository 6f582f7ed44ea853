/**
 * COPY on the wire. While data comes in, the statement itself pulls the client's messages, one after the other:
 *
 *   server: CopyInResponse     client: CopyData ... CopyDone | CopyFail      Flush and Sync between them mean nothing
 *   server: CopyOutResponse, CopyData (one for each row) ..., CopyDone
 *
 * What a client still sends of a COPY that has failed is dropped by the session.
 *
 * Many clients send a message for each row. Those that have come are handed on together: a piece is worth a conversion from
 * bytes to text, a row by itself is not.
 */
import { ByteWriter, PhantomError } from '@phantom/base';
import type { CopyChannel } from '@phantom/db/session';
import type { MessageReader } from './message-reader.js';
import type { Output } from './output.js';
import { Backend, Format, Frontend, PROTOCOL_VIOLATION } from './protocol.js';

/** Messages shorter than this are gathered, into pieces of up to so many bytes. */
const SMALL_BYTES = 4 * 1024;
const GATHERED_BYTES = 64 * 1024;

/** The client's messages, for a statement that runs and asks for them. */
export interface MessageSource {
  /** Aims at the next message; a promise when it is not there yet. */
  pull(): Promise<void> | undefined;
  /** Aims at the next message if it has come whole and is of this type; false: the one at hand stays. */
  pullAnother(type: number): boolean;
  /** Nobody waits for a message any more. */
  stopPulling(): void;
  /** Type of the message at hand. */
  readonly messageType: number;
  readonly reader: MessageReader;
}

export class ProtocolCopy implements CopyChannel {
  readonly followsClientEncoding = true;
  piece: Uint8Array | undefined;
  /** Small messages of one piece; kept while a COPY goes on. */
  private gathered: ByteWriter | undefined;
  private readonly output: Output;
  private readonly source: MessageSource;

  constructor(output: Output, source: MessageSource) {
    this.output = output;
    this.source = source;
  }

  startIn(isBinary: boolean, columns: number): void {
    this.start(Backend.CopyInResponse, isBinary, columns);
  }

  advance(): Promise<void> | undefined {
    this.piece = undefined;
    for (;;) {
      const wait = this.source.pull();
      if (wait !== undefined) return wait.then(() => this.advanceFrom());
      if (this.take()) return undefined;
    }
  }

  startOut(isBinary: boolean, columns: number): void {
    this.start(Backend.CopyOutResponse, isBinary, columns);
  }

  write(data: string | Uint8Array): void {
    const { messages } = this.output;
    messages.begin(Frontend.CopyData);
    if (typeof data === 'string') messages.utf8(data);
    else messages.bytes.bytes(data);
    messages.end();
  }

  relieve(): Promise<void> | undefined {
    return this.output.relieve();
  }

  endOut(): void {
    const { messages } = this.output;
    messages.begin(Frontend.CopyDone);
    messages.end();
  }

  private start(type: number, isBinary: boolean, columns: number): void {
    const { messages } = this.output;
    const format = isBinary ? Format.Binary : Format.Text;
    messages.begin(type);
    messages.u8(format);
    messages.i16(columns);
    for (let i = 0; i < columns; i++) messages.i16(format);
    messages.end();
  }

  private advanceFrom(): Promise<void> | undefined {
    return this.take() ? undefined : this.advance();
  }

  /** The message at hand and those like it that have come behind it. */
  private gather(): Uint8Array {
    const { source } = this;
    const { reader } = source;
    const gathered = (this.gathered ??= new ByteWriter(GATHERED_BYTES + SMALL_BYTES));
    gathered.reset();
    do gathered.bytes(reader.buffer, reader.at, reader.end);
    while (gathered.length < GATHERED_BYTES && source.pullAnother(Frontend.CopyData));
    return gathered.view();
  }

  /** Looks at the message at hand; false when it means nothing to a COPY. */
  private take(): boolean {
    const { messageType, reader } = this.source;
    switch (messageType) {
      case Frontend.CopyData:
        this.piece = reader.remaining < SMALL_BYTES ? this.gather() : reader.buffer.subarray(reader.at, reader.end);
        return true;
      case Frontend.CopyDone:
        this.gathered = undefined;
        return true;
      case Frontend.CopyFail:
        throw new PhantomError('57014', `COPY from stdin failed: ${reader.string()}`);
      case Frontend.Flush:
      case Frontend.Sync:
        return false;
      default: {
        const code = messageType.toString(16).toUpperCase().padStart(2, '0');
        throw new PhantomError(PROTOCOL_VIOLATION, `unexpected message type 0x${code} during COPY from stdin`);
      }
    }
  }
}
