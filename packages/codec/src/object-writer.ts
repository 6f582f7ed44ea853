/**
 * Writers of objects, compiled for a structure: most documents of a collection look like the one before, so what an object is is not
 * found out field by field, but compared with what is expected, and its fields are written in a row.
 *
 *   if (names.length !== 2 || names[0] !== "name" || names[1] !== "age") return false;
 *   const v0 = fields.name;
 *   ...
 *   if (v0 === undefined || v1 === undefined) return false;                      such fields are left out
 *   const { writer } = target;
 *   const start = writer.reserve(13);
 *   const data = start + 13;
 *   writer.length = data;                                                        tag and name of the structure are written
 *   if (typeof v0 === 'string') short(writer, v0) || target.text(v0, depth + 1);
 *   else if (typeof v0 === 'number') number(writer, v0);
 *   else target.node(v0, depth + 1, keys[0]);
 *   const e0 = writer.length - data;
 *   ...
 *   if (e1 > 65535) target.endWide(start, data, [e0, e1]);
 *   else { ends }
 *   return true;
 *
 * A value that no document can hold is refused without the path to it: the encoder then begins again without compiled writers, and tells.
 * To note each name on the way took a fifth of the time.
 *
 * At the top of a document the first name is `_id`, whose value is given: the object may have it in front, or not have it.
 *
 * Left out: names that are no plain identifiers, as for readers (document-shape.ts), which keeps documents' texts out of code; and keys
 * of arrays' elements apart from those of the array: objects in an array are expected to be like the last one.
 */
import type { ByteWriter } from '@phantom/base';
import { Tag } from './document-format.js';
import { canBeCompiled } from './document-shape.js';
import { writeNumber, writeShortText } from './document-writer.js';
import { NARROW_MAX } from './entry-ends.js';
import type { KnownKey } from './shape-tree.js';

/** What writes values for a compiled writer: the encoder. */
export interface ObjectTarget {
  readonly writer: ByteWriter;
  text(text: string, depth: number): void;
  /** Appends the node of a value that has `depth` levels above it, under a key. */
  node(value: unknown, depth: number, key: KnownKey): void;
  /** Ends an object whose entries, behind room for narrow ends, are too far for those: they end at so many bytes from `data`. */
  endWide(start: number, data: number, ends: readonly number[]): void;
}

/**
 * Appends an object with these names, all of its own, at a depth; false, and nothing is appended, where it has not the fields of the
 * structure. `id` is the value of `_id` at depth 0.
 */
export type ObjectWriter = (
  target: ObjectTarget,
  fields: Readonly<Record<string, unknown>>,
  names: readonly string[],
  id: unknown,
  depth: number,
  keys: readonly KnownKey[],
) => boolean;

/** The writer of objects of the structure with this name and these keys, undefined when there can be none. */
export function compileObjectWriter(name: Uint8Array, names: readonly string[]): ObjectWriter | undefined {
  if (!canBeCompiled(names)) return undefined;
  const head = [Tag.Structured, ...name];
  const lines = [names[0] === '_id' ? unlessDocument(names) : unlessNamed(names, 0)];
  for (const [i, field] of names.entries()) {
    const isId = i === 0 && field === '_id';
    lines.push(`const v${i} = ${isId ? 'depth === 0 ? id : ' : ''}fields.${field};`);
  }
  lines.push(`if (${names.map((_, i) => `v${i} === undefined`).join(' || ')}) return false;`);
  lines.push('const { writer } = target;');
  lines.push(`const start = writer.reserve(${head.length + 2 * names.length});`);
  lines.push(`const data = start + ${head.length + 2 * names.length};`);
  lines.push('const head = writer.buffer;');
  for (const [i, byte] of head.entries()) lines.push(`head[start + ${i}] = ${byte};`);
  lines.push('writer.length = data;');
  for (let i = 0; i < names.length; i++) {
    lines.push(`if (typeof v${i} === 'string') short(writer, v${i}) || target.text(v${i}, depth + 1);`);
    lines.push(`else if (typeof v${i} === 'number') number(writer, v${i});`);
    lines.push(`else target.node(v${i}, depth + 1, keys[${i}]);`);
    lines.push(`const e${i} = writer.length - data;`);
  }
  const ends = names.map((_, i) => `e${i}`);
  lines.push(`if (${ends.at(-1) as string} > ${NARROW_MAX}) {`);
  lines.push(`target.endWide(start, data, [${ends.join(', ')}]);`);
  lines.push('return true; }');
  lines.push('const { buffer } = writer;');
  for (const [i, end] of ends.entries()) {
    const at = head.length + 2 * i;
    lines.push(`buffer[start + ${at}] = ${end};`);
    lines.push(`buffer[start + ${at + 1}] = ${end} >>> 8;`);
  }
  lines.push('return true;');
  const source = `return (target, fields, names, id, depth, keys) => { ${lines.join('\n')} };`;
  const make = new Function('number', 'short', source) as (
    number: typeof writeNumber,
    short: typeof writeShortText,
  ) => ObjectWriter;
  return make(writeNumber, writeShortText);
}

/** Ends the writer for objects that have other names than those from `from` on. */
function unlessNamed(names: readonly string[], from: number, shift = ''): string {
  const differs = names.slice(from).map((name, i) => `names[${i}${shift}] !== "${name}"`);
  return `if (${[`names.length !== ${names.length - from}${shift}`, ...differs].join(' || ')}) return false;`;
}

/** The same where `_id` is the first: a document need not have it. */
function unlessDocument(names: readonly string[]): string {
  const without = "const before = names[0] === '_id' ? 1 : 0; if (before === 0 && depth > 0) return false;";
  return `${without} ${unlessNamed(names, 1, ' + before')}`;
}
