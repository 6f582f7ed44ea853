/**
 * Structures: which keys an object has, in which order, said once for all objects that have them. A node names its structure by the
 * content: the first 64 bits of the SHA-256 of the structure's bytes. So all stores that are open in a process share one table of
 * them, nobody has to hand a store to whoever reads a part of a document, and no two stores ever mean different keys by one name. The idea of
 * naming the keys of records instead of repeating them is that of msgpackr's shared structures and of V8's hidden classes.
 *
 *   01   count   keys (length, UTF-8) x count                the bytes of a structure; counts and lengths are varints
 *
 * Who writes documents keeps the structures: each must be in the store before a document that names it, and is never removed
 * (catalog's `structures.ts`). Here they stay until the process ends: a store has some thousands at most, and those of many stores
 * of one kind are the same. SHA-256 because nobody shall be able to find keys whose structure has the name of somebody else's.
 *
 * Invariants:
 *   1. A structure in the table hashes to its name, and has at least one key, each once.
 *   2. Two structures of one name: the one that came first is the one of that name, the other is not used.
 *
 * Left out: structures of sorted objects. jsonb in tables carries its keys, and each value can be compared and copied by itself.
 */
import { createHash } from 'node:crypto';
import { PhantomError, readU32, toHex, varintBytes, writeVarint } from '@phantom/base';
import { type ObjectReader, compileStructure } from './document-shape.js';
import { type ObjectWriter, compileObjectWriter } from './object-writer.js';
import { corruptValue } from './storage.js';
import { readUtf8 } from './text-bytes.js';
import { checkedVarint } from './value-bytes.js';

/** Bytes of the name in a node. */
export const STRUCTURE_NAME_BYTES = 8;
/** Most bytes and keys of a structure; objects with more carry their keys. */
export const STRUCTURE_BYTES_MAX = 8192;
export const STRUCTURE_KEYS_MAX = 256;
const VERSION = 1;
/** Keys whose place is remembered, for each structure. */
const PLACES = 4;
/** Objects of a structure that are put together, or written, field by field before a function for that is compiled. */
const READS_MIN = 32;
const WRITES_MIN = 32;
/** Such functions. */
const COMPILED_MAX = 4096;

let compiled = 0;

/** The structures of whoever keeps the documents that are written. */
export interface StructureStore {
  /** True for a structure that documents may name: it is there for all who will read them. */
  has(structure: DocumentStructure): boolean;
  /** Objects of this structure, one that the process knows, are being written without it. */
  wants(structure: DocumentStructure): void;
  /** Many objects were of the structure with these bytes. Gives it, if it is to be one. */
  learn(bytes: Uint8Array): DocumentStructure | undefined;
}

export class DocumentStructure {
  /** The name, in two halves as they stand in a node. */
  readonly low: number;
  readonly high: number;
  /** Its bytes, never written to. */
  readonly bytes: Uint8Array;
  /** From 0, by which those that a store has can be marked in a plain array; holds for this process alone. */
  readonly number: number;
  readonly names: readonly string[];
  /** The names in UTF-8. */
  readonly keys: readonly Uint8Array[];
  /** Reads an object of narrow ends, once there were some; undefined: field by field. */
  read: ObjectReader | undefined = undefined;
  /** Writes an object of it, once there were some; undefined: field by field. */
  write: ObjectWriter | undefined = undefined;
  private readsLeft = READS_MIN;
  private writesLeft = WRITES_MIN;
  private readonly positions = new Map<string, number>();
  /** Keys that were asked for last, the very arrays, and where they are. */
  private readonly askedKeys: (Uint8Array | undefined)[] = new Array<Uint8Array | undefined>(PLACES).fill(undefined);
  private readonly askedPositions = new Int32Array(PLACES);
  private nextPlace = 0;

  constructor(bytes: Uint8Array, name: Uint8Array, number: number, keys: readonly Uint8Array[]) {
    this.bytes = bytes;
    this.low = readU32(name, 0) | 0;
    this.high = readU32(name, 4) | 0;
    this.number = number;
    this.keys = keys;
    this.names = keys.map((key) => readUtf8(key, 0, key.length));
    for (const [i, text] of this.names.entries()) this.positions.set(text, i);
  }

  /** The name in hexadecimal, as errors and findings have it. */
  get name(): string {
    return toHex(structureName(this.bytes));
  }

  /** Where the field of this key (its UTF-8) is; -1: nowhere. The same array is found sooner when it comes again. */
  positionOf(key: Uint8Array): number {
    const { askedKeys, askedPositions, keys } = this;
    for (let i = 0; i < PLACES; i++) if (askedKeys[i] === key) return askedPositions[i] as number;
    let position = -1;
    for (let i = 0; i < keys.length && position < 0; i++) if (isEqual(keys[i] as Uint8Array, key)) position = i;
    const place = this.nextPlace;
    this.nextPlace = (place + 1) % PLACES;
    askedKeys[place] = key;
    askedPositions[place] = position;
    return position;
  }

  /** The same by its text. */
  positionNamed(name: string): number {
    return this.positions.get(name) ?? -1;
  }

  /** An object of it was put together: once that happens often, there is a function for it. */
  wasRead(): void {
    if (--this.readsLeft !== 0 || compiled === COMPILED_MAX) return;
    this.read = compileStructure(this.names);
    if (this.read !== undefined) compiled++;
  }

  /** An object of it was written field by field: likewise. */
  wasWritten(): void {
    if (--this.writesLeft !== 0 || compiled === COMPILED_MAX) return;
    this.write = compileObjectWriter(structureName(this.bytes), this.names);
    if (this.write !== undefined) compiled++;
  }
}

/** By the lower bits of their names, what meets another in its place in the next one; a power of two, at most half full. */
let table: (DocumentStructure | undefined)[] = new Array<DocumentStructure | undefined>(256).fill(undefined);
let known = 0;

function find(low: number, high: number): DocumentStructure | undefined {
  const mask = table.length - 1;
  for (let i = low & mask; ; i = (i + 1) & mask) {
    const structure = table[i];
    if (structure === undefined || (structure.low === low && structure.high === high)) return structure;
  }
}

function insert(structure: DocumentStructure): void {
  const mask = table.length - 1;
  let i = structure.low & mask;
  while (table[i] !== undefined) i = (i + 1) & mask;
  table[i] = structure;
}

function add(structure: DocumentStructure): void {
  known++;
  if (2 * known > table.length) {
    const old = table;
    table = new Array<DocumentStructure | undefined>(2 * old.length).fill(undefined);
    for (const one of old) if (one !== undefined) insert(one);
  }
  insert(structure);
}

/** Name of the structure with these bytes. */
export function structureName(bytes: Uint8Array): Uint8Array {
  return createHash('sha256').update(bytes).digest().subarray(0, STRUCTURE_NAME_BYTES);
}

/** The structure with these bytes, if the process knows it. */
export function knownStructure(bytes: Uint8Array): DocumentStructure | undefined {
  const name = structureName(bytes);
  const found = find(readU32(name, 0) | 0, readU32(name, 4) | 0);
  return found !== undefined && isEqual(found.bytes, bytes) ? found : undefined;
}

/**
 * The structure with these bytes, which the process knows from now on; they are kept. Undefined where the name belongs to other bytes, and for
 * bytes that are no structure.
 */
export function defineStructure(bytes: Uint8Array): DocumentStructure | undefined {
  const name = structureName(bytes);
  const found = find(readU32(name, 0) | 0, readU32(name, 4) | 0);
  if (found !== undefined) return isEqual(found.bytes, bytes) ? found : undefined;
  const keys = keysOf(bytes);
  if (keys === undefined) return undefined;
  const structure = new DocumentStructure(bytes, name, known, keys);
  add(structure);
  return structure;
}

/** Bytes of the structure of an object with these keys, as they stand in objects: length and UTF-8. */
export function structureBytes(keys: readonly Uint8Array[]): Uint8Array {
  let length = 1 + varintBytes(keys.length);
  for (const key of keys) length += key.length;
  const bytes = new Uint8Array(length);
  bytes[0] = VERSION;
  let at = writeVarint(bytes, 1, keys.length);
  for (const key of keys) {
    bytes.set(key, at);
    at += key.length;
  }
  return bytes;
}

/** Keys in UTF-8; undefined for bytes that are no structure. */
function keysOf(bytes: Uint8Array): Uint8Array[] | undefined {
  if (bytes[0] !== VERSION || bytes.length < 3 || bytes.length > STRUCTURE_BYTES_MAX) return undefined;
  const keys: Uint8Array[] = [];
  try {
    const count = checkedVarint(bytes, 1, bytes.length);
    let at = 1 + varintBytes(count);
    for (let i = 0; i < count; i++) {
      const length = checkedVarint(bytes, at, bytes.length);
      at += varintBytes(length);
      keys.push(bytes.subarray(at, at + length));
      at += length;
    }
    const isWhole = at === bytes.length && count > 0 && count <= STRUCTURE_KEYS_MAX;
    return isWhole && new Set(keys.map((key) => readUtf8(key, 0, key.length))).size === count ? keys : undefined;
  } catch (error) {
    if (error instanceof PhantomError) return undefined;
    throw error;
  }
}

/** XX001: a document cannot be read. */
export function missingStructure(name: string): PhantomError {
  return corruptValue(`a document names structure ${name}, which the store does not have`);
}

/** The structure of the node at `at`, whose tag says that it has one. XX001, with its name, where it is not known. */
export function structureAt(bytes: Uint8Array, at: number, end: number): DocumentStructure {
  if (at + 1 + STRUCTURE_NAME_BYTES > end) throw corruptValue('a document node ends outside its document');
  const low = readU32(bytes, at + 1) | 0;
  const high = readU32(bytes, at + 5) | 0;
  const structure = find(low, high);
  if (structure === undefined) {
    throw missingStructure(toHex(bytes, at + 1, at + 1 + STRUCTURE_NAME_BYTES));
  }
  return structure;
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
