/**
 * References that lead to no document: told before a collection promises that there is none, by a schema that is tried or by its own.
 */
import { ByteWriter, isPhantomError } from '@phantom/base';
import type { ObjectDescriptor, ObjectReader } from '@phantom/catalog';
import { collectionView } from '../collection-view.js';
import type { PlainObject } from '../order.js';
import { type Path, parsePath } from '../path.js';
import { referredValues } from './places.js';

export interface DanglingReference {
  /** Of the document that refers. */
  readonly _id: unknown;
  readonly path: string;
  readonly value: unknown;
  /** The collection that has no such document, or the table that has no such row. */
  readonly collection: string;
}

/** What the documents there are say of references. */
export interface DanglingReport {
  readonly checked: number;
  /** References that lead nowhere. */
  readonly dangling: number;
  /** The first of them. */
  readonly examples: readonly DanglingReference[];
}

/** A reference to be looked at. */
export interface SoughtReference {
  readonly path: string;
  /** Of the collection or table. */
  readonly target: string;
  /** True for a value that leads somewhere. */
  leads(value: unknown): boolean;
}

/** Tells of ids whether a collection has documents of them; without a collection none has. `has` tells of the key of a row whether there is one. */
export function documentLookup(
  table: ObjectDescriptor | undefined,
  objects: ObjectReader,
  has: (key: Uint8Array) => boolean,
): (id: unknown) => boolean {
  if (table?.kind !== 'table') return () => false;
  const { layout } = collectionView(table, objects);
  const writer = new ByteWriter();
  return (id) => {
    writer.reset();
    try {
      layout.appendKey(writer, id);
    } catch (error) {
      if (isPhantomError(error)) return false;
      throw error;
    }
    return has(writer.take());
  };
}

const EXAMPLES_MAX = 100;

export class DanglingSearch {
  dangling = 0;
  readonly examples: DanglingReference[] = [];
  private readonly sought: readonly { readonly reference: SoughtReference; readonly path: Path }[];

  constructor(sought: readonly SoughtReference[]) {
    this.sought = sought.map((reference) => ({ reference, path: parsePath(reference.path) }));
  }

  look(document: PlainObject): void {
    for (const { reference, path } of this.sought) {
      for (const value of referredValues(document, path)) {
        if (reference.leads(value)) continue;
        this.dangling++;
        if (this.examples.length >= EXAMPLES_MAX) continue;
        this.examples.push({ _id: document['_id'], path: reference.path, value, collection: reference.target });
      }
    }
  }
}
