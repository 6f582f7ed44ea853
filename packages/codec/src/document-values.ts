/** Values that documents hold and JavaScript has no class for. */
import { INSPECT, PhantomError, toHex } from '@phantom/base';
import { newObjectIdBytes } from './object-id.js';

/** A UUID inside a document, where a string would be a string. */
export class Uuid {
  /** Canonical text: lower case, with hyphens. */
  readonly text: string;

  constructor(text: string) {
    if (!/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/.test(text)) {
      throw new PhantomError('22P02', `invalid input syntax for type uuid: "${text}"`);
    }
    this.text = text;
  }

  toString(): string {
    return this.text;
  }

  toJSON(): string {
    return this.text;
  }

  [INSPECT](): string {
    return `new Uuid('${this.text}')`;
  }
}

function bytesOfHex(text: string): Uint8Array {
  if (!/^[0-9a-fA-F]{24}$/.test(text)) throw new PhantomError('22P02', `invalid object id: "${text}"`);
  return Uint8Array.from({ length: 12 }, (_, i) => Number.parseInt(text.slice(2 * i, 2 * i + 2), 16));
}

/** MongoDB's 12-byte identifier: seconds since 1970, five random bytes of the process, a counter. */
export class ObjectId {
  /** Never written to after creation. */
  readonly bytes: Uint8Array;

  /** Of 12 bytes or 24 hexadecimal digits; of nothing a new one. 22P02 for what is no id. */
  constructor(value: Uint8Array | string = newObjectIdBytes(Date.now())) {
    const bytes = typeof value === 'string' ? bytesOfHex(value) : value;
    if (!(bytes instanceof Uint8Array) || bytes.length !== 12)
      throw new PhantomError('22P02', 'an object id has 12 bytes');
    this.bytes = bytes;
  }

  /** From 24 hexadecimal digits. */
  static fromHex(text: string): ObjectId {
    return new ObjectId(bytesOfHex(text));
  }

  toString(): string {
    return toHex(this.bytes);
  }

  toJSON(): string {
    return this.toString();
  }

  [INSPECT](): string {
    return `new ObjectId('${this.toString()}')`;
  }
}

/** An id that nobody else makes; ids of one process rise within a second. */
export function newObjectId(nowMs: number = Date.now()): ObjectId {
  return new ObjectId(newObjectIdBytes(nowMs));
}

/** A plain object of another realm (a vm context, a worker's module): its prototype is an Object.prototype, not ours. */
export function isForeignPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return (
    Object.getPrototypeOf(prototype) === null &&
    Object.prototype.toString.call(value) === '[object Object]' &&
    (prototype as { constructor?: { name?: string } }).constructor?.name === 'Object'
  );
}
