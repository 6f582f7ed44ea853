/** A client's end of COPY whose data is in an encoding of one byte a character: rows are read and written in UTF-8 behind it. */
import type { TextEncoding } from '../functions/encodings.js';
import type { CopyChannel } from './copy-channel.js';

const UTF8 = new TextEncoder();

/** The same channel for who reads and writes UTF-8; itself where there is nothing to convert. 22021 and 22P05 as the encoding has them. */
export function encodedChannel(channel: CopyChannel, encoding: TextEncoding | undefined): CopyChannel {
  return encoding === undefined ? channel : new EncodedChannel(channel, encoding);
}

class EncodedChannel implements CopyChannel {
  private readonly channel: CopyChannel;
  private readonly encoding: TextEncoding;

  constructor(channel: CopyChannel, encoding: TextEncoding) {
    this.channel = channel;
    this.encoding = encoding;
  }

  startIn(isBinary: boolean, columns: number): void {
    this.channel.startIn(isBinary, columns);
  }

  advance(): Promise<void> | undefined {
    return this.channel.advance();
  }

  get piece(): Uint8Array | undefined {
    const { piece } = this.channel;
    return piece === undefined ? undefined : UTF8.encode(this.encoding.decode(piece));
  }

  startOut(isBinary: boolean, columns: number): void {
    this.channel.startOut(isBinary, columns);
  }

  write(data: string | Uint8Array): void {
    this.channel.write(typeof data === 'string' ? this.encoding.encode(data) : data);
  }

  relieve(): Promise<void> | undefined {
    return this.channel.relieve();
  }

  endOut(): void {
    this.channel.endOut();
  }
}
