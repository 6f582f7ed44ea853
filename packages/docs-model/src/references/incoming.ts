/** The documents that refer to a document: which collections have references to its own, and who holds its id there. */
import { ByteWriter } from '@phantom/base';
import type { DocumentReference, ObjectReader, Oid, TableDescriptor } from '@phantom/catalog';
import { type KeyRange, prefixRange } from '@phantom/kv';
import type { MvccTransaction } from '@phantom/mvcc';
import type { CollectionView } from '../collection-view.js';
import type { IndexLayout } from '../index-layout.js';
import { fieldBytes } from '../field-names.js';
import { equalValues } from '../order.js';
import { type Path, parsePath } from '../path.js';
import { referredValues } from './places.js';

export interface IncomingReference {
  readonly child: TableDescriptor;
  readonly reference: DocumentReference;
}

/** References to documents of a collection, its own among them. */
export function incomingReferences(objects: ObjectReader, collectionOid: Oid): IncomingReference[] {
  const children = new Set([collectionOid]);
  for (const { dependentOid } of objects.dependentsOf(collectionOid)) children.add(dependentOid);
  const incoming: IncomingReference[] = [];
  for (const oid of children) {
    const child = objects.object(oid);
    if (child?.kind !== 'table') continue;
    for (const reference of child.collection?.references ?? []) {
      if (reference.collectionOid === collectionOid) incoming.push({ child, reference });
    }
  }
  return incoming;
}

/** Where the documents that hold a value at a path are to be looked for. */
export class Referrers {
  readonly range: KeyRange;
  private readonly view: CollectionView;
  private readonly path: Path;
  private readonly value: unknown;
  private readonly index: IndexLayout | undefined;
  private readonly fields: readonly Uint8Array[];

  constructor(view: CollectionView, path: string, value: unknown) {
    this.view = view;
    this.path = parsePath(path);
    this.value = value;
    this.fields = fieldBytes([this.path[0] as string]);
    this.index = view.indexes.find(
      ({ definition, isWildcard, partial }) =>
        definition.kind === 'ordered' && !isWildcard && partial === undefined && definition.parts[0]?.path === path,
    );
    this.range = this.rangeOf();
  }

  /** Keys of their rows, in the newest state with all that the transaction wrote. */
  keys(storage: MvccTransaction): Uint8Array[] {
    const { layout } = this.view;
    const keys: Uint8Array[] = [];
    const cursor = storage.cursorNewest(this.range);
    try {
      while (cursor.next()) {
        if (this.index === undefined) {
          if (this.holds(layout.decodeFields(cursor.value, this.fields))) keys.push(cursor.key.copy());
          continue;
        }
        keys.push(layout.rowKey(cursor.value));
      }
    } finally {
      cursor.close();
    }
    return keys;
  }

  /** True when a document refers to the value. */
  holds(document: object): boolean {
    return referredValues(document, this.path).some((one) => this.is(one));
  }

  is(value: unknown): boolean {
    return equalValues(value, this.value);
  }

  private rangeOf(): KeyRange {
    const { index } = this;
    if (index === undefined) return prefixRange(this.view.layout.prefix);
    const writer = new ByteWriter();
    writer.bytes(index.prefix);
    index.appendPart(writer, 0, this.value);
    return prefixRange(writer.take());
  }
}
