/**
 * References that lead to no document: told before a collection promises that there is none, by a schema that is tried or by its own.
 */
import { ByteWriter, isPhantomError } from '@phantom/base';
import type { ObjectReader, Oid } from '@phantom/catalog';
import { collectionView } from '../collection-view.js';
import { encodePart } from '../document-layout.js';
import type { PlainObject } from '../order.js';
import { type Path, parsePath } from '../path.js';
import { referredValues } from './places.js';

export interface DanglingReference {
  /** Of the document that refers. */
  readonly _id: unknown;
  readonly path: string;
  readonly value: unknown;
  /** The collection that has no such document. */
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

/** A reference to be looked at; without a collection everything dangles. */
export interface SoughtReference {
  readonly path: string;
  readonly collection: string;
  readonly collectionOid: Oid | undefined;
}

const EXAMPLES_MAX = 100;

export class DanglingSearch {
  dangling = 0;
  readonly examples: DanglingReference[] = [];
  private readonly sought: readonly { readonly reference: SoughtReference; readonly path: Path }[];
  private readonly objects: ObjectReader;
  private readonly has: (key: Uint8Array) => boolean;
  private readonly writer = new ByteWriter();

  /** `has` tells of the key of a row whether there is one. */
  constructor(sought: readonly SoughtReference[], objects: ObjectReader, has: (key: Uint8Array) => boolean) {
    this.sought = sought.map((reference) => ({ reference, path: parsePath(reference.path) }));
    this.objects = objects;
    this.has = has;
  }

  look(document: PlainObject): void {
    for (const { reference, path } of this.sought) {
      for (const value of referredValues(document, path)) {
        if (this.leads(reference, value)) continue;
        this.dangling++;
        if (this.examples.length >= EXAMPLES_MAX) continue;
        const { collection } = reference;
        this.examples.push({ _id: document['_id'], path: reference.path, value, collection });
      }
    }
  }

  private leads({ collectionOid }: SoughtReference, value: unknown): boolean {
    const table = collectionOid === undefined ? undefined : this.objects.object(collectionOid);
    if (table?.kind !== 'table') return false;
    this.writer.reset();
    try {
      collectionView(table, this.objects).layout.appendKey(this.writer, encodePart(value));
    } catch (error) {
      if (isPhantomError(error)) return false;
      throw error;
    }
    return this.has(this.writer.take());
  }
}
