/** Rows of COPY TO: values turned into lines of text, of CSV, or into binary rows. */
import { ByteWriter, writeU32BE } from '@phantom/base';
import type { RowBatch } from '../exec/runtime.js';
import { byPieces, replaceEach } from '../types/text-pieces.js';
import type { SqlType, TypeContext, Value } from '../types/type.js';
import type { CopyChannel } from './copy-channel.js';
import type { CopySettings } from './copy-options.js';
import { BINARY_SIGNATURE } from './binary-rows.js';

export interface CopyOutput {
  readonly channel: CopyChannel;
  readonly names: readonly string[];
  readonly types: readonly SqlType[];
  /** FORCE QUOTE, by column. */
  readonly forceQuote: readonly boolean[];
  readonly settings: CopySettings;
  readonly context: TypeContext;
}

export interface RowWriter {
  begin(): void;
  rows(batch: RowBatch): void;
  end(): void;
}

/** What a backslash stands before, and which letter stands for a control character. */
const SPECIAL = /[\\\b\f\n\r\t\v]/;
const LETTERS: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\f': '\\f',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\v': '\\v',
  '\\': '\\\\',
};

export function copyWriter(output: CopyOutput): RowWriter {
  return output.settings.format === 'binary' ? new BinaryWriter(output) : new TextWriter(output);
}

class TextWriter implements RowWriter {
  private readonly output: CopyOutput;

  constructor(output: CopyOutput) {
    this.output = output;
  }

  begin(): void {
    const { names, settings, channel } = this.output;
    if (settings.header === 'none') return;
    const isCsv = settings.format === 'csv';
    const fields = names.map((name) => (isCsv ? this.csv(name, false) : escapeText(name, settings.delimiter)));
    channel.write(`${fields.join(settings.delimiter)}\n`);
  }

  rows({ columns, count }: RowBatch): void {
    const { types, settings, context, channel, forceQuote } = this.output;
    const { delimiter, nullText, format } = settings;
    const isCsv = format === 'csv';
    for (let r = 0; r < count; r++) {
      let line = '';
      for (let c = 0; c < types.length; c++) {
        const value = (columns[c] as readonly Value[])[r];
        if (c > 0) line += delimiter;
        if (value === null) line += nullText;
        else {
          const text = (types[c] as SqlType).output(value, context);
          line += isCsv ? this.csv(text, forceQuote[c] as boolean) : escapeText(text, delimiter);
        }
      }
      channel.write(`${line}\n`);
    }
  }

  end(): void {}

  private csv(text: string, isForced: boolean): string {
    const { delimiter, quote, escape, nullText } = this.output.settings;
    const quoted =
      isForced ||
      text === nullText ||
      // Alone on its line it would be read as the end of the data.
      (text === '\\.' && this.output.types.length === 1) ||
      text.includes(delimiter) ||
      text.includes(quote) ||
      text.includes('\n') ||
      text.includes('\r');
    if (!quoted) return text;
    const escaped = escape === quote ? text : replaceEach(text, escape, escape + escape);
    return quote + replaceEach(escaped, quote, escape + quote) + quote;
  }
}

function escapeText(text: string, delimiter: string): string {
  const isSpecial = SPECIAL.test(text);
  const hasDelimiter = delimiter !== '\t' && text.includes(delimiter);
  if (!isSpecial && !hasDelimiter) return text;
  return byPieces(text, (piece) => {
    let escaped = '';
    for (const character of piece)
      escaped += LETTERS[character] ?? (character === delimiter ? `\\${character}` : character);
    return escaped;
  });
}

class BinaryWriter implements RowWriter {
  private readonly output: CopyOutput;
  private readonly bytes = new ByteWriter();

  constructor(output: CopyOutput) {
    this.output = output;
  }

  /** Sent with the first row, or with the end where there is none: clients that read row by row look for it there. */
  begin(): void {
    const { bytes } = this;
    bytes.bytes(BINARY_SIGNATURE);
    bytes.u32BE(0);
    bytes.u32BE(0);
  }

  rows({ columns, count }: RowBatch): void {
    const { types, context } = this.output;
    const { bytes } = this;
    for (let r = 0; r < count; r++) {
      this.i16(types.length);
      for (let c = 0; c < types.length; c++) {
        const value = (columns[c] as readonly Value[])[r];
        if (value === null) {
          bytes.u32BE(0xffff_ffff);
          continue;
        }
        const at = bytes.reserve(4);
        bytes.length = at + 4;
        (types[c] as SqlType).send(value, bytes, context);
        writeU32BE(bytes.buffer, at, bytes.length - at - 4);
      }
      this.send();
    }
  }

  end(): void {
    this.i16(-1);
    this.send();
  }

  private i16(value: number): void {
    this.bytes.u8((value >>> 8) & 0xff);
    this.bytes.u8(value & 0xff);
  }

  private send(): void {
    this.output.channel.write(this.bytes.view());
    this.bytes.reset();
  }
}
