/**
 * Writes messages one behind the other into a growing buffer: the type, a length that is filled in at the end, the fields.
 * Strings are written in place: short ASCII by a loop, everything else by one native call.
 */
import { ByteWriter, writeU32BE } from '@phantom/base';
import type { TextEncoding } from '@phantom/db/session';

/** Texts up to this length are written by a loop as long as they are ASCII. */
const SHORT_CHARACTERS = 48;
/** Longer texts are measured before room is made for them: three bytes a character would be too much of a guess. */
const GUESSED_CHARACTERS = 1024;

const NO_VIEW = Buffer.alloc(0);

export class MessageWriter {
  /** What is written so far. */
  bytes: ByteWriter;
  /** What the client reads, where that is not UTF-8. */
  encoding: TextEncoding | undefined = undefined;
  private lengthAt = 0;
  private view: Buffer = NO_VIEW;

  constructor(bytes: ByteWriter = new ByteWriter()) {
    this.bytes = bytes;
  }

  /** Writes to another buffer from now on; between messages only. */
  aim(bytes: ByteWriter): void {
    this.bytes = bytes;
    // The view would keep the old buffer from being freed.
    this.view = NO_VIEW;
  }

  /** Begins a message; `end` follows before the next one. */
  begin(type: number): void {
    const { bytes } = this;
    bytes.u8(type);
    this.lengthAt = bytes.length;
    bytes.u32BE(0);
  }

  end(): void {
    const { bytes, lengthAt } = this;
    writeU32BE(bytes.buffer, lengthAt, bytes.length - lengthAt);
  }

  u8(value: number): void {
    this.bytes.u8(value);
  }

  i16(value: number): void {
    const { bytes } = this;
    const at = bytes.reserve(2);
    bytes.buffer[at] = value >>> 8;
    bytes.buffer[at + 1] = value;
    bytes.length = at + 2;
  }

  i32(value: number): void {
    this.bytes.u32BE(value >>> 0);
  }

  /**
   * Text and a zero byte. A zero inside the text would end it early for the client, so it ends there. What the client's encoding lacks
   * becomes a question mark.
   */
  string(text: string): void {
    const zero = text.indexOf('\0');
    const shown = zero < 0 ? text : text.slice(0, zero);
    if (this.encoding === undefined) this.utf8(shown);
    else this.bytes.bytes(this.encoding.encodeLossy(shown));
    this.bytes.u8(0);
  }

  /** Text as a value: its length in bytes, then UTF-8 or what the client reads. 22P05 for a character that it cannot read. */
  textValue(text: string): void {
    const { bytes } = this;
    const at = bytes.reserve(4);
    bytes.length = at + 4;
    if (this.encoding === undefined) this.utf8(text);
    else bytes.bytes(this.encoding.encode(text));
    writeU32BE(bytes.buffer, at, bytes.length - at - 4);
  }

  utf8(text: string): void {
    const { bytes } = this;
    const characters = text.length;
    const room = characters > GUESSED_CHARACTERS ? Buffer.byteLength(text) : characters * 3;
    const at = bytes.reserve(room);
    const { buffer } = bytes;
    let i = 0;
    if (characters <= SHORT_CHARACTERS) {
      for (; i < characters; i++) {
        const code = text.charCodeAt(i);
        if (code >= 0x80) break;
        buffer[at + i] = code;
      }
      if (i === characters) {
        bytes.length = at + characters;
        return;
      }
    }
    if (this.view.buffer !== buffer.buffer)
      this.view = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    bytes.length = at + this.view.write(text, at, room, 'utf8');
  }
}
