/**
 * Structures of documents that this store keeps: the keys of objects, once, under the name that documents say them by (codec's
 * `document-structure.ts`).
 *
 *   many documents of one structure ──► a commit of its own that puts it ──► in the log: from now on documents may name it
 *
 * The commit belongs to no transaction of anybody's, and nothing waits for it: documents carry their keys until it is done. So no document
 * can outlive its structure, whatever is rolled back, prepared, loaded as files or cut off by a crash: the log keeps its order, and
 * everything that names a structure comes behind it there.
 *
 * Invariants:
 *   1. `has` is true only for what a commit in this store's log has put.
 *   2. What was put is never removed or changed.
 *   3. All structures of the store are known to its thread while it is open: nothing is looked up while documents are read. Other
 *      threads know none of them: collections are read in the store's own.
 */
import { toHex } from '@phantom/base';
import {
  type DocumentStructure,
  STRUCTURE_NAME_BYTES,
  type StructureStore,
  defineStructure,
  structureName,
} from '@phantom/codec';
import type { Finding } from '@phantom/kv';
import type { Mvcc } from '@phantom/mvcc';
import type { CatalogSource } from './catalog-source.js';
import { type CatalogKeys, KeyKind } from './keys.js';

/** Structures of one store; past them documents carry their keys. */
const STRUCTURES_MAX = 4096;

export class Structures implements StructureStore {
  private readonly mvcc: Mvcc;
  private readonly keys: CatalogKeys;
  private readonly source: CatalogSource;
  /** By number of the structure: 1 for those that are here. */
  private marks = new Uint8Array(64);
  private count = 0;
  /** Those that are to be put. */
  private readonly wanted = new Set<DocumentStructure>();
  private writing: Promise<void> | undefined = undefined;
  /** A commit failed: no more are put until the store is opened again. */
  private hasFailed = false;

  constructor(mvcc: Mvcc, keys: CatalogKeys, source: CatalogSource) {
    this.mvcc = mvcc;
    this.keys = keys;
    this.source = source;
  }

  /** How many structures of the store are known. */
  get size(): number {
    return this.count;
  }

  /** Takes in those that are committed. What is not the structure of its name is left out: XX001 tells whoever reads a document of it. */
  load(): void {
    this.each((name, bytes) => {
      const structure = toHex(structureName(bytes)) === name ? defineStructure(bytes) : undefined;
      if (structure !== undefined) this.mark(structure);
    });
  }

  has({ number }: DocumentStructure): boolean {
    return this.marks[number] === 1;
  }

  learn(bytes: Uint8Array): DocumentStructure | undefined {
    return this.takesMore ? defineStructure(bytes) : undefined;
  }

  wants(structure: DocumentStructure): void {
    if (!this.takesMore || this.wanted.has(structure)) return;
    this.wanted.add(structure);
    this.writing ??= this.write();
  }

  /** Resolves when no structure is being put. */
  async settled(): Promise<void> {
    await this.writing;
  }

  /** What is wrong with the structures in the store. */
  *check(): Iterable<Finding> {
    const damaged: string[] = [];
    this.each((name, bytes) => {
      if (toHex(structureName(bytes)) !== name || defineStructure(bytes) === undefined) damaged.push(name);
    });
    for (const name of damaged) {
      const message = `structure ${name} of documents is damaged: documents that name it cannot be read`;
      yield { severity: 'corruption', file: 'catalog', message };
    }
  }

  private get takesMore(): boolean {
    return !this.hasFailed && this.count + this.wanted.size < STRUCTURES_MAX;
  }

  private async write(): Promise<void> {
    // Whoever wants it is in the middle of a write.
    await Promise.resolve();
    try {
      while (this.wanted.size > 0) await this.put([...this.wanted]);
    } catch {
      // Whatever stopped the commit tells those who write documents, too; theirs say it.
      this.hasFailed = true;
      this.wanted.clear();
    }
    this.writing = undefined;
  }

  private async put(structures: readonly DocumentStructure[]): Promise<void> {
    const transaction = this.mvcc.begin({ label: 'structures' });
    for (const { bytes } of structures) {
      const key = this.keys.structure(structureName(bytes));
      transaction.put(key, 0, key.length, bytes, 0, bytes.length);
    }
    await transaction.commit();
    for (const structure of structures) {
      this.wanted.delete(structure);
      this.mark(structure);
    }
  }

  private mark(structure: DocumentStructure): void {
    if (this.has(structure)) return;
    if (structure.number >= this.marks.length) {
      const marks = new Uint8Array(2 * structure.number);
      marks.set(this.marks);
      this.marks = marks;
    }
    this.marks[structure.number] = 1;
    this.count++;
  }

  /** Names, in hexadecimal, and bytes of what is in the store. */
  private each(take: (name: string, bytes: Uint8Array) => void): void {
    const prefix = this.keys.kind(KeyKind.Structure);
    this.source.each(prefix, ({ key, value }) => {
      const from = key.start + prefix.length;
      take(toHex(key.buffer.subarray(from, from + STRUCTURE_NAME_BYTES)), value.copy());
    });
  }
}
