/**
 * Shapes of objects: which keys they have, in which order. A shape's functions make an object of its keys in one go, by a literal with
 * just these names, which costs a tenth of setting the fields one after the other: one from values, one from the bytes of an
 * object, which it holds against the keys on the way; and for objects whose structure says their keys one that need not. Names that are not plain identifiers
 * have no shape, for no text of a document is to stand in code, nor has any where making functions from text is forbidden.
 */
import { codeGenerationAllowed } from './code-generation.js';
import { Tag } from './document-format.js';
import type { DocumentValue } from './document-reader.js';
import { keyBytes } from './text-bytes.js';

const IDENTIFIER = /^[A-Za-z_][A-Za-z0-9_]{0,63}$/;
const KEYS_MAX = 64;
/** Bytes of keys that stand in the code of one function. */
const COMPILED_BYTES_MAX = 512;

/** Reads the node at `at` of something that has `depth` levels above it. */
export type NodeReader = (bytes: Uint8Array, at: number, end: number, depth: number) => DocumentValue;

export interface ObjectShape {
  readonly names: readonly string[];
  /** As they stand in documents: length and UTF-8. */
  readonly keys: readonly Uint8Array[];
  /** An object with the values from `from` on. */
  readonly make: (values: readonly DocumentValue[], from: number) => { [key: string]: DocumentValue };
  /**
   * The object whose table of narrow ends is at `table` and whose entries begin at `data`; undefined for one that has other keys. Missing
   * where the keys are too long for code.
   */
  readonly read:
    | ((
        bytes: Uint8Array,
        table: number,
        data: number,
        end: number,
        depth: number,
        node: NodeReader,
      ) => { [key: string]: DocumentValue } | undefined)
    | undefined;
}

/** The object whose table of narrow ends is at `table` and whose values begin at `data`. */
export type ObjectReader = (
  bytes: Uint8Array,
  table: number,
  data: number,
  end: number,
  depth: number,
  node: NodeReader,
) => { [key: string]: DocumentValue };

/** Whether objects with these fields may have a function of their own. */
export function canBeCompiled(names: readonly string[]): boolean {
  const isPlain = (name: string): boolean => IDENTIFIER.test(name) && name !== '__proto__';
  return names.length <= KEYS_MAX && names.every(isPlain) && codeGenerationAllowed();
}

/** The shape of objects with these fields, undefined when they can have none. */
export function compileShape(names: readonly string[]): ObjectShape | undefined {
  if (!canBeCompiled(names)) return undefined;
  const fields = names.map((name, i) => `${name}: values[from + ${i}]`);
  const make = new Function('values', 'from', `return { ${fields.join(', ')} };`) as ObjectShape['make'];
  const keys = names.map(keyBytes);
  return { names, keys, make, read: compileReader(names, keys) };
}

/**
 *   if (bytes[data] !== 2 || bytes[data + 1] !== 105 || bytes[data + 2] !== 100) return undefined;      "id"
 *   const v0 = node(bytes, data + 3, end, depth);
 *   const e0 = data + (bytes[table] | (bytes[table + 1] << 8));                                         where it ends
 *   ...
 *   return { id: v0, ... };
 */
function compileReader(names: readonly string[], keys: readonly Uint8Array[]): ObjectShape['read'] {
  if (keys.reduce((sum, { length }) => sum + length, 0) > COMPILED_BYTES_MAX) return undefined;
  const lines: string[] = [];
  let from = 'data';
  for (const [i, key] of keys.entries()) {
    const differs = Array.from(key, (byte, k) => `bytes[${from} + ${k}] !== ${byte}`);
    lines.push(`if (${differs.join(' || ')}) return undefined;`);
    lines.push(`const v${i} = node(bytes, ${from} + ${key.length}, end, depth);`);
    if (i === keys.length - 1) break;
    lines.push(`const e${i} = data + (bytes[table + ${2 * i}] | (bytes[table + ${2 * i + 1}] << 8));`);
    from = `e${i}`;
  }
  lines.push(`return { ${names.map((name, i) => `${name}: v${i}`).join(', ')} };`);
  return new Function('bytes', 'table', 'data', 'end', 'depth', 'node', lines.join('\n')) as ObjectShape['read'];
}

/**
 * The reader of objects that have these fields by their structure, undefined when there can be none. Small integers, of one byte, are
 * read in place.
 *
 *   const v0 = bytes[data] < 128 ? node(bytes, data, end, depth) : bytes[data] - 128;
 *   const e0 = data + (bytes[table] | (bytes[table + 1] << 8));                                         where it ends
 *   ...
 *   return { id: v0, ... };
 */
export function compileStructure(names: readonly string[]): ObjectReader | undefined {
  if (!canBeCompiled(names)) return undefined;
  const lines: string[] = [];
  let from = 'data';
  for (let i = 0; i < names.length; i++) {
    const small = `${from} < end && bytes[${from}] >= ${Tag.SmallInteger}`;
    lines.push(`const v${i} = ${small} ? bytes[${from}] - ${Tag.SmallInteger} : node(bytes, ${from}, end, depth);`);
    if (i === names.length - 1) break;
    lines.push(`const e${i} = data + (bytes[table + ${2 * i}] | (bytes[table + ${2 * i + 1}] << 8));`);
    from = `e${i}`;
  }
  lines.push(`return { ${names.map((name, i) => `${name}: v${i}`).join(', ')} };`);
  return new Function('bytes', 'table', 'data', 'end', 'depth', 'node', lines.join('\n')) as ObjectReader;
}
