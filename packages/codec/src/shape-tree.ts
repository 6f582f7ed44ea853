/**
 * What documents look like: a tree of the keys that followed each other. Each node stands for an object with the keys on the way to it;
 * objects that end there are counted, and once there were some, they may have a structure (document-structure.ts). A key met is
 * mostly followed by the one that followed it last, so going along costs a comparison of two strings for each key.
 *
 *   root ── _id ── name ── age        (1000 objects, structure)
 *                     └─── email      (3 objects)
 *
 * Keys that are data (`{ "4711": ..., "4712": ... }`) would fill it: past a number of nodes it begins anew, and with it the counting. So
 * a structure is only made of what is met often among few.
 */
import {
  type DocumentStructure,
  STRUCTURE_BYTES_MAX,
  STRUCTURE_KEYS_MAX,
  STRUCTURE_NAME_BYTES,
  knownStructure,
  structureBytes,
} from './document-structure.js';
import type { ObjectWriter } from './object-writer.js';

/** Objects of one shape before their keys are made a structure. */
const STRUCTURE_MEETINGS_MIN = 64;
/** Nodes of a tree. */
const NODES_MAX = 16_384;
/** Bytes that a structure has to save in each object. */
const SAVED_BYTES_MIN = 8;

/** A key that was met. */
export interface KnownKey {
  readonly text: string;
  /** Length and UTF-8. */
  readonly bytes: Uint8Array;
  /** The first key of what was below it last. */
  first: ShapeNode | undefined;
  /** What the objects below it are expected to be: what the last of them was that can be. */
  usual: UsualObject | undefined;
}

/** An object whose structure has a compiled writer. */
export interface UsualObject {
  readonly structure: DocumentStructure;
  readonly write: ObjectWriter;
  readonly keys: readonly KnownKey[];
}

/** Objects of these keys: that of the node, behind those of its parents. */
export class ShapeNode {
  readonly key: KnownKey;
  /** Keys up to here, and their bytes. */
  readonly depth: number;
  /** The key that came next last. */
  next: ShapeNode | undefined = undefined;
  structure: DocumentStructure | undefined = undefined;
  private asUsual: UsualObject | undefined = undefined;
  readonly parent: ShapeNode | undefined;
  private readonly keysBytes: number;
  private children: Map<string, ShapeNode> | undefined = undefined;
  private met = 0;

  constructor(key: KnownKey, parent: ShapeNode | undefined) {
    this.key = key;
    this.parent = parent;
    this.depth = parent === undefined ? 0 : parent.depth + 1;
    this.keysBytes = parent === undefined ? 0 : parent.keysBytes + key.bytes.length;
  }

  child(text: string): ShapeNode | undefined {
    return this.children?.get(text);
  }

  add(child: ShapeNode): void {
    (this.children ??= new Map()).set(child.key.text, child);
  }

  /**
   * An object ends here that has no structure yet. Gives the bytes of one that is worth its while, the first time that this is known to be
   * so: of the second object if the process has the structure, else after some.
   */
  meet(): Uint8Array | undefined {
    const { met } = this;
    if (met >= STRUCTURE_MEETINGS_MIN) return undefined;
    this.met = met + 1;
    if (met !== 1 && met + 1 !== STRUCTURE_MEETINGS_MIN) return undefined;
    const bytes = this.worthyBytes();
    if (bytes === undefined) this.met = STRUCTURE_MEETINGS_MIN;
    else if (met === 1) this.structure = knownStructure(bytes);
    else return bytes;
    return undefined;
  }

  /** The structure that was made of it; undefined where the store takes no more, and others, or this one later, are to be asked again. */
  learnt(structure: DocumentStructure | undefined): void {
    this.structure = structure;
    this.met = 0;
  }

  /** An object ends here that was written field by field. Gives what is to be expected from now on; undefined: what was before. */
  wasWritten(): UsualObject | undefined {
    const { structure } = this;
    if (this.asUsual !== undefined || structure === undefined) return this.asUsual;
    structure.wasWritten();
    const { write } = structure;
    if (write !== undefined) this.asUsual = { structure, write, keys: this.keys() };
    return this.asUsual;
  }

  private worthyBytes(): Uint8Array | undefined {
    const { depth, keysBytes } = this;
    const saved = keysBytes + 1 - STRUCTURE_NAME_BYTES;
    if (saved < SAVED_BYTES_MIN || depth > STRUCTURE_KEYS_MAX) return undefined;
    const bytes = structureBytes(this.keys().map((key) => key.bytes));
    return bytes.length > STRUCTURE_BYTES_MAX ? undefined : bytes;
  }

  /** The keys on the way here. */
  private keys(): KnownKey[] {
    const keys = new Array<KnownKey>(this.depth);
    this.putKeys(keys);
    return keys;
  }

  private putKeys(into: KnownKey[]): void {
    if (this.parent === undefined) return;
    into[this.depth - 1] = this.key;
    this.parent.putKeys(into);
  }
}

export class ShapeTree {
  readonly root = new ShapeNode({ text: '', bytes: new Uint8Array(0), first: undefined, usual: undefined }, undefined);
  private nodes = 0;

  get isFull(): boolean {
    return this.nodes >= NODES_MAX;
  }

  /** What comes behind `parent` with this key, made if it was never met. */
  after(parent: ShapeNode, key: KnownKey): ShapeNode {
    let node = parent.child(key.text);
    if (node === undefined) {
      node = new ShapeNode(key, parent);
      parent.add(node);
      this.nodes++;
    }
    return node;
  }
}
