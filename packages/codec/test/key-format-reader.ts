/**
 * A reader of keys, written from docs/formats/key.md alone: it knows nothing of the package. It tells values as text, in the
 * form in which equal ones are alike.
 */
import { type Shape, floatText } from './format-reader.js';

export interface KeyColumnShape {
  readonly shape: Shape;
  readonly descending: boolean;
  readonly nullable: boolean;
  readonly nullsFirst: boolean;
}

const MICROS_PER_DAY = 86_400_000_000n;

/** The columns of a key as text, null where they are. */
export function readKey(bytes: Uint8Array, columns: readonly KeyColumnShape[]): (string | null)[] {
  const walk = new KeyWalk(bytes);
  const values = columns.map(({ shape, descending, nullable, nullsFirst }) => {
    walk.mask = 0;
    if (nullable) {
      const marker = walk.byte();
      if (marker === (nullsFirst ? 0 : 2)) return null;
      if (marker !== 1) throw new Error(`no column begins with ${marker}`);
    }
    walk.mask = descending ? 0xff : 0;
    return walk.value(shape);
  });
  if (walk.at !== bytes.length) throw new Error('bytes behind the key');
  return values;
}

/** A number with its digits and exponent, so that its scale does not show: 0.DIGITS times ten to the exponent. */
export function decimalForm(negative: boolean, digits: string, exponent: string | number): string {
  return `${negative ? '-' : ''}0.${digits}e${exponent}`;
}

/** The length of an interval in microseconds, 30 days to the month. */
export function intervalMicros(months: number, days: number, micros: bigint): bigint {
  return (BigInt(months) * 30n + BigInt(days)) * MICROS_PER_DAY + micros;
}

class KeyWalk {
  at = 0;
  /** 0xff where bytes are inverted. */
  mask = 0;
  private readonly bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
  }

  byte(): number {
    if (this.at >= this.bytes.length) throw new Error('the key is cut off');
    return (this.bytes[this.at++] as number) ^ this.mask;
  }

  value(shape: Shape): string {
    switch (shape.kind) {
      case 'int2':
      case 'int4':
      case 'int8':
      case 'uint4':
      case 'date':
      case 'time':
      case 'timestamp':
      case 'interval':
        return this.integer();
      case 'float4':
      case 'float8':
        return floatText(this.float());
      case 'enum':
        return `order ${this.float()}`;
      case 'decimal':
        return this.decimal();
      case 'text':
      case 'json':
        return new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.escaped());
      case 'bytes':
        return Buffer.from(this.escaped()).toString('hex');
      case 'bool':
        return String(this.byte() === 1);
      case 'uuid': {
        const hex = Buffer.from(this.raw(16)).toString('hex');
        return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
      }
      case 'timetz':
        return `${this.integer()} west ${this.integer()}`;
      case 'jsonb':
        return this.document(true);
      case 'array':
        return this.array(shape.item);
      case 'record':
        return `(${shape.fields.map((field) => this.marked(field)).join()})`;
      case 'range':
        return this.range(shape.bound);
      case 'multirange': {
        const ranges: string[] = [];
        while (this.byte() === 1) ranges.push(this.range(shape.bound));
        return `{${ranges.join()}}`;
      }
    }
  }

  private raw(count: number): Uint8Array {
    return Uint8Array.from({ length: count }, () => this.byte());
  }

  private integer(): string {
    const size = this.byte();
    if (size === 0x00 || size === 0xff) return size === 0 ? '-Infinity' : 'Infinity';
    const isNegative = size < 0x80;
    let magnitude = 0n;
    for (let left = Math.abs(size - 0x80); left > 0; left--) {
      magnitude = magnitude * 256n + BigInt(this.byte() ^ (isNegative ? 0xff : 0));
    }
    return String(isNegative ? -magnitude : magnitude);
  }

  private float(): number {
    const bytes = this.raw(8);
    if (bytes.every((byte) => byte === 0xff)) return Number.NaN;
    const isNegative = (bytes[0] as number) < 0x80;
    for (let i = 0; i < 8; i++) bytes[i] = (bytes[i] as number) ^ (isNegative ? 0xff : i === 0 ? 0x80 : 0);
    return new DataView(bytes.buffer).getFloat64(0);
  }

  private decimal(): string {
    const kind = this.byte();
    const special = { 1: '-Infinity', 3: '0', 5: 'Infinity', 6: 'NaN' }[kind];
    if (special !== undefined) return special;
    const isNegative = kind === 2;
    if (isNegative) this.mask ^= 0xff;
    const exponent = this.integer();
    let digits = '';
    for (let pair = this.byte(); pair !== 0; pair = this.byte()) digits += String(pair - 1).padStart(2, '0');
    if (isNegative) this.mask ^= 0xff;
    return decimalForm(isNegative, digits.replace(/0$/, ''), exponent);
  }

  private escaped(): Uint8Array {
    const found: number[] = [];
    for (;;) {
      const byte = this.byte();
      if (byte === 0 && this.byte() === 0) return Uint8Array.from(found);
      found.push(byte);
    }
  }

  /** An item behind a marker. */
  private marked(shape: Shape): string | null {
    return this.byte() === 2 ? null : this.value(shape);
  }

  private array(item: Shape): string {
    const items: (string | null)[] = [];
    for (let marker = this.byte(); marker !== 0; marker = this.byte()) {
      items.push(marker === 2 ? null : this.value(item));
    }
    const dimensions = this.byte();
    const lengths = Array.from({ length: dimensions }, () => this.integer());
    const lowerBounds = Array.from({ length: dimensions }, () => this.integer());
    return `[${lengths.map((length, i) => `${length} from ${lowerBounds[i]}`).join()}: ${items.join()}]`;
  }

  private range(bound: Shape): string {
    if (this.byte() === 0) return 'empty';
    let lower = '(';
    if (this.byte() === 1) {
      const value = this.value(bound);
      lower = `${this.byte() === 0 ? '[' : '('}${value}`;
    }
    let upper = ')';
    if (this.byte() === 1) {
      const value = this.value(bound);
      upper = `${value}${this.byte() === 1 ? ']' : ')'}`;
    }
    return `${lower},${upper}`;
  }

  private document(isTop: boolean): string {
    const kind = this.byte();
    switch (kind) {
      case 0x00:
        if (!isTop) throw new Error('only at the top');
        return '[]';
      case 0x10:
        return 'null';
      case 0x20:
        return JSON.stringify(new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.escaped()));
      case 0x30:
        return this.decimal();
      case 0x40:
        return 'false';
      case 0x41:
        return 'true';
      case 0x50: {
        const count = Number(this.integer());
        return `[${Array.from({ length: count }, () => this.document(false)).join()}]`;
      }
      case 0x60: {
        const count = Number(this.integer());
        const pair = (): string => {
          const key = JSON.stringify(new TextDecoder('utf-8', { ignoreBOM: true }).decode(this.escaped()));
          return `${key}:${this.document(false)}`;
        };
        return `{${Array.from({ length: count }, pair).join()}}`;
      }
      default:
        throw new Error(`no item of a document begins with ${kind}`);
    }
  }
}
