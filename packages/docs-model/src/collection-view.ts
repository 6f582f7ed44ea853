/** A collection as one version of the catalog has it: its layout and its indexes, compiled once per descriptor. */
import type { IndexDescriptor, ObjectReader, Oid, TableDescriptor } from '@phantom/catalog';
import { DocumentLayout } from './document-layout.js';
import { fieldBytes } from './field-names.js';
import { IndexLayout } from './index-layout.js';
import { PlanChoices } from './plan-choices.js';

export class CollectionView {
  readonly table: TableDescriptor;
  readonly layout: DocumentLayout;
  /** Secondary indexes, unique ones first: their checks come before anything is written. */
  readonly indexes: readonly IndexLayout[];
  /** Entries of the indexes are neither unique nor several for a document without arrays. */
  readonly hasPlainIndexes: boolean;
  /** Top-level fields that the indexes read; undefined: all. */
  readonly indexedFields: ReadonlySet<string> | undefined;
  /** The same in UTF-8. */
  readonly indexFields: readonly Uint8Array[] | undefined;
  readonly choices = new PlanChoices();
  private readonly descriptors: readonly IndexDescriptor[];

  constructor(table: TableDescriptor, descriptors: readonly IndexDescriptor[]) {
    this.table = table;
    this.layout = new DocumentLayout(table);
    this.descriptors = descriptors;
    this.indexes = descriptors
      .map((descriptor) => new IndexLayout(descriptor))
      .sort((a, b) => Number(b.index.unique) - Number(a.index.unique));
    this.hasPlainIndexes = this.indexes.every(
      ({ index, definition, isWildcard }) => !index.unique && !isWildcard && definition.kind === 'ordered',
    );
    this.indexedFields = fieldsOf(this.indexes);
    this.indexFields = this.indexedFields === undefined ? undefined : fieldBytes(this.indexedFields);
  }

  /** True while its indexes are those of the catalog. */
  isOf({ indexOids }: TableDescriptor, objects: ObjectReader): boolean {
    let met = 0;
    for (let i = 0; i < indexOids.length; i++) {
      const index = objects.object(indexOids[i] as Oid);
      if (index?.kind !== 'index' || index.method !== 'document') continue;
      if (index !== this.descriptors[met++]) return false;
    }
    return met === this.descriptors.length;
  }
}

function fieldsOf(indexes: readonly IndexLayout[]): ReadonlySet<string> | undefined {
  const fields = new Set<string>();
  for (const index of indexes) {
    if (index.isWildcard || (index.partial !== undefined && index.partial.fields === undefined)) return undefined;
    for (const { path } of index.definition.parts) fields.add(path.split('.', 1)[0] as string);
    for (const field of index.partial?.fields ?? []) fields.add(field);
  }
  return fields;
}

const views = new WeakMap<TableDescriptor, CollectionView>();

/** The compiled form of a collection. Descriptors are immutable, so they are the cache's keys. */
export function collectionView(table: TableDescriptor, objects: ObjectReader): CollectionView {
  const known = views.get(table);
  if (known?.isOf(table, objects) === true) return known;
  const descriptors: IndexDescriptor[] = [];
  for (const oid of table.indexOids) {
    const index = objects.object(oid);
    if (index?.kind === 'index' && index.method === 'document') descriptors.push(index);
  }
  const view = new CollectionView(table, descriptors);
  views.set(table, view);
  return view;
}
