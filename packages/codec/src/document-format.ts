/**
 * Documents in binary: JSON's values and those that JSON lacks, laid out so that one path is read without decoding the
 * rest. jsonb columns and collections share this format.
 *
 * A document is one node. A node is a tag byte and what the tag says follows; it holds no absolute offset, so any part of a
 * document, cut out, is a document too. What repeats from document to document, the keys, may be said once, by a structure
 * (document-structure.ts) that a node names: the tag of a node tells whether anything in it does, and a node in which nothing
 * does is self-contained, readable and comparable without anything else.
 *
 *   00 null   01 false   02 true
 *   03 i8     04 i16     05 i32     06 f64          number (integers in the fewest bytes that hold them)
 *   07 i64                                          64-bit integer as a type of its own (bigint)
 *   08 length bytes                                 decimal (value-bytes.ts)
 *   09 length bytes                                 string, UTF-8, of 64 bytes and more
 *   0a length bytes                                 binary
 *   0b i64                                          date, milliseconds since 1970
 *   0c 16 bytes   0d 12 bytes                       uuid, object id
 *   10 array      12 object     14 sorted object    tag, count, end offsets u16 x count, entries
 *   11, 13, 15                                      the same with end offsets u32
 *   20..5f                                          string of 0..63 bytes
 *   60 object       61 with end offsets u32         its keys are its structure's: tag, name, end offsets, nodes
 *   62 object       63                              as 12 and 13 } with something in it that has a structure,
 *   64 array        65                              as 10 and 11 } or had
 *   66..7f                                          kept free
 *   80..ff                                          the integers 0..127
 *
 * Lengths and counts are varints (LEB128), all integers little-endian. End offset i is counted from the first entry; entry
 * i begins where entry i - 1 ends. An array's entry is a node; an object's is a key (length, UTF-8) and a node. `object` keeps
 * the order of its fields; `sorted object` has them by key length, then bytes, without duplicates (jsonb), and is searched by
 * halving. Text of a key is compared as bytes, so nothing is decoded on the way to a field.
 *
 *   {"a": 1, "bb": [true]} sorted:   14 02 | 03 00 | 0b 00 | 01 61 81 | 02 62 62 10 01 01 00 02
 *   (count 2; ends 3 and 11; "a" 1; "bb" and an array: count 1, end 1, true)
 *
 * Left out: references between parts (they would make a part depend on its whole), alignment (JavaScript reads bytes), and counts
 * and sizes in nodes that have a structure: it has the count, and the last end is the size.
 */
export const Tag = {
  Null: 0x00,
  False: 0x01,
  True: 0x02,
  Int8: 0x03,
  Int16: 0x04,
  Int32: 0x05,
  Float64: 0x06,
  Int64: 0x07,
  Decimal: 0x08,
  String: 0x09,
  Binary: 0x0a,
  Date: 0x0b,
  Uuid: 0x0c,
  ObjectId: 0x0d,
  Array: 0x10,
  ArrayWide: 0x11,
  Object: 0x12,
  ObjectWide: 0x13,
  Sorted: 0x14,
  SortedWide: 0x15,
  ShortString: 0x20,
  Structured: 0x60,
  StructuredWide: 0x61,
  ObjectOver: 0x62,
  ObjectOverWide: 0x63,
  ArrayOver: 0x64,
  ArrayOverWide: 0x65,
  SmallInteger: 0x80,
} as const;

/** Longest string with its length in the tag. */
export const SHORT_STRING_MAX = 63;
/** Deepest nesting: readers and writers recurse, and a stack is finite. */
export const DOCUMENT_DEPTH_MAX = 1000;

/** What a node is, seen from outside. */
export type NodeKind =
  | 'null'
  | 'boolean'
  | 'number'
  | 'int64'
  | 'decimal'
  | 'string'
  | 'binary'
  | 'date'
  | 'uuid'
  | 'objectId'
  | 'array'
  | 'object';

const KIND_BY_TAG: readonly (NodeKind | undefined)[] = (() => {
  const kinds = new Array<NodeKind | undefined>(256).fill(undefined);
  kinds[Tag.Null] = 'null';
  kinds[Tag.False] = 'boolean';
  kinds[Tag.True] = 'boolean';
  for (const tag of [Tag.Int8, Tag.Int16, Tag.Int32, Tag.Float64]) kinds[tag] = 'number';
  kinds[Tag.Int64] = 'int64';
  kinds[Tag.Decimal] = 'decimal';
  kinds[Tag.String] = 'string';
  kinds[Tag.Binary] = 'binary';
  kinds[Tag.Date] = 'date';
  kinds[Tag.Uuid] = 'uuid';
  kinds[Tag.ObjectId] = 'objectId';
  kinds[Tag.Array] = 'array';
  kinds[Tag.ArrayWide] = 'array';
  kinds[Tag.ArrayOver] = 'array';
  kinds[Tag.ArrayOverWide] = 'array';
  for (let tag: number = Tag.Object; tag <= Tag.SortedWide; tag++) kinds[tag] = 'object';
  for (let tag: number = Tag.Structured; tag <= Tag.ObjectOverWide; tag++) kinds[tag] = 'object';
  kinds.fill('string', Tag.ShortString, Tag.Structured);
  kinds.fill('number', Tag.SmallInteger, 256);
  return kinds;
})();

/** True for the tag of a node that needs nothing else to be read: no object in it has a structure. */
export function isSelfContained(tag: number): boolean {
  return tag < Tag.Structured || tag > Tag.ArrayOverWide;
}

/** True for the tag of an array or object. */
export function hasEntries(tag: number): boolean {
  return (tag >= Tag.Array && tag <= Tag.SortedWide) || (tag >= Tag.Structured && tag <= Tag.ArrayOverWide);
}

/** True for the tag of an object whose keys are its structure's. */
export function hasStructure(tag: number): boolean {
  return tag === Tag.Structured || tag === Tag.StructuredWide;
}

/** Kind of a tag byte; undefined for bytes that are none. */
export function kindOfTag(tag: number): NodeKind | undefined {
  return KIND_BY_TAG[tag];
}
