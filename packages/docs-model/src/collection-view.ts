/** A collection as one version of the catalog has it: its layout and its indexes, compiled once per descriptor. */
import type { IndexDescriptor, ObjectReader, Oid, TableDescriptor } from '@phantom/catalog';
import { DocumentLayout } from './document-layout.js';
import { fieldBytes } from './field-names.js';
import { IndexLayout } from './index-layout.js';
import { PlanChoices } from './plan-choices.js';

/** What a change of documents has to do with: nothing else of them needs to be read. */
export interface ChangedPart {
  /** Top-level fields, the `_id` among them. */
  readonly fields: ReadonlySet<string>;
  /** The same in UTF-8. */
  readonly names: readonly Uint8Array[];
  /** Indexes whose entries may be others afterwards. */
  readonly indexes: readonly IndexLayout[];
}

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
  /** By the set of fields that an update names, which is kept for the shape of the update. */
  private readonly parts = new WeakMap<ReadonlySet<string>, { readonly part: ChangedPart | undefined }>();

  constructor(table: TableDescriptor, descriptors: readonly IndexDescriptor[]) {
    this.table = table;
    this.layout = new DocumentLayout(table);
    this.descriptors = descriptors;
    this.indexes = descriptors
      .map((descriptor) => new IndexLayout(descriptor))
      .sort((a, b) => Number(b.index.unique) - Number(a.index.unique));
    this.hasPlainIndexes = this.indexes.every(({ index, isOrdered }) => !index.unique && isOrdered);
    this.indexedFields = fieldsOf(this.indexes);
    this.indexFields = this.indexedFields === undefined ? undefined : fieldBytes(this.indexedFields);
  }

  /** What a change of these top-level fields has to do with; undefined: with whole documents. */
  partChangedBy(fields: ReadonlySet<string>): ChangedPart | undefined {
    let known = this.parts.get(fields);
    if (known === undefined) {
      const concerned = this.indexes.filter((index) => index.fields === undefined || meet(index.fields, fields));
      known = { part: partOf(fields, concerned) };
      this.parts.set(fields, known);
    }
    return known.part;
  }

  /** What the removal of documents has to do with; undefined: with whole documents. */
  get removedPart(): ChangedPart | undefined {
    return partOf([], this.indexes);
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

function meet(a: ReadonlySet<string>, b: ReadonlySet<string>): boolean {
  for (const one of a) if (b.has(one)) return true;
  return false;
}

function partOf(changed: Iterable<string>, indexes: readonly IndexLayout[]): ChangedPart | undefined {
  const indexed = fieldsOf(indexes);
  if (indexed === undefined) return undefined;
  const fields = new Set(['_id', ...changed, ...indexed]);
  return { fields, names: fieldBytes(fields), indexes };
}

function fieldsOf(indexes: readonly IndexLayout[]): ReadonlySet<string> | undefined {
  const all = new Set<string>();
  for (const { fields } of indexes) {
    if (fields === undefined) return undefined;
    for (const field of fields) all.add(field);
  }
  return all;
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
