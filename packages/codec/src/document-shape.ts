/**
 * Shapes of objects: which keys they have, in which order. A shape's function makes an object of its keys from values in one go, by a
 * literal with just these names, which costs a tenth of setting the fields one after the other. Names that are not plain identifiers
 * have no shape, for no text of a document is to stand in code, nor has any where making functions from text is forbidden.
 */
import { varintBytes, writeVarint } from '@phantom/base';
import { codeGenerationAllowed } from './code-generation.js';
import type { DocumentValue } from './document-reader.js';
import { utf8Bytes, writeUtf8 } from './text-bytes.js';

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const KEYS_MAX = 64;

export interface ObjectShape {
  readonly names: readonly string[];
  /** As they stand in documents: length and UTF-8. */
  readonly keys: readonly Uint8Array[];
  /** An object with the values from `from` on. */
  readonly make: (values: readonly DocumentValue[], from: number) => { [key: string]: DocumentValue };
}

/** The shape of objects with these fields, undefined when they can have none. */
export function compileShape(names: readonly string[]): ObjectShape | undefined {
  const isPlain = (name: string): boolean => IDENTIFIER.test(name) && name !== '__proto__';
  if (names.length > KEYS_MAX || !names.every(isPlain) || !codeGenerationAllowed()) return undefined;
  const fields = names.map((name, i) => `${name}: values[from + ${i}]`);
  const make = new Function('values', 'from', `return { ${fields.join(', ')} };`) as ObjectShape['make'];
  return { names, keys: names.map(keyBytes), make };
}

function keyBytes(name: string): Uint8Array {
  const length = utf8Bytes(name);
  const bytes = new Uint8Array(varintBytes(length) + length);
  writeUtf8(bytes, writeVarint(bytes, 0, length), name);
  return bytes;
}
