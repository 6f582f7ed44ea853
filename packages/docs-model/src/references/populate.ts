/**
 * Documents in the place of the references to them: what is referred to is read once a batch, however many refer to it. A reference
 * that leads nowhere, or to what a policy hides, becomes null. One snapshot shows all of it.
 *
 *   depth 1   the documents referred to, as they are      2   and what those refer to      ...
 */
import { ByteWriter, isPhantomError } from '@phantom/base';
import type { DocumentReference, TableDescriptor } from '@phantom/catalog';
import { ByteSlot } from '@phantom/kv';
import { type CollectionView, collectionView } from '../collection-view.js';
import { badArgument } from '../errors.js';
import type { PlainObject } from '../order.js';
import { parsePath } from '../path.js';
import type { DocumentPorts } from '../ports.js';
import { requireRights } from '../rights.js';
import { isSeen, policiesOf } from '../row-security.js';
import type { DocumentTransaction } from '../transaction.js';
import { exchangeReferred, referredValues } from './places.js';

const DEPTH_MAX = 10;

export interface PopulateOptions {
  /** Paths of references whose documents are wanted in their place. */
  readonly populate?: string | readonly string[];
  /** How far to follow the references of those documents. Default 1, most 10. */
  readonly populateDepth?: number;
}

/** Checks what is asked for; undefined when nothing is. 22023 for a depth that cannot be. */
export function populateRequest({ populate, populateDepth = 1 }: PopulateOptions): PopulateRequest | undefined {
  if (!Number.isInteger(populateDepth) || populateDepth < 1 || populateDepth > DEPTH_MAX) {
    throw badArgument(`populateDepth must be a whole number from 1 to ${DEPTH_MAX}`);
  }
  if (populate === undefined) return undefined;
  const paths = typeof populate === 'string' ? [populate] : populate;
  return paths.length === 0 ? undefined : { paths, depth: populateDepth };
}

export interface PopulateRequest {
  readonly paths: readonly string[];
  readonly depth: number;
}

export class Populator {
  private readonly ports: DocumentPorts;
  private readonly transaction: DocumentTransaction;
  private readonly table: TableDescriptor;
  private readonly references: readonly DocumentReference[];
  private readonly depth: number;
  private readonly writer = new ByteWriter();
  private readonly slot = new ByteSlot();

  /** 22023 when the collection's schema declares no reference at a path. */
  constructor(
    ports: DocumentPorts,
    { paths, depth }: PopulateRequest,
    view: CollectionView,
    transaction: DocumentTransaction,
  ) {
    this.ports = ports;
    this.transaction = transaction;
    this.table = view.table;
    this.depth = depth;
    const declared = view.table.collection?.references ?? [];
    this.references = paths.map((path) => {
      const reference = declared.find((one) => one.path === path);
      if (reference === undefined) throw badArgument(`the schema of "${this.table.name}" has no x-ref at "${path}"`);
      return reference;
    });
  }

  populate(documents: readonly PlainObject[]): PlainObject[] {
    return this.follow(documents, this.references, this.depth);
  }

  private follow(
    documents: readonly PlainObject[],
    references: readonly DocumentReference[],
    depth: number,
  ): PlainObject[] {
    let populated = [...documents];
    for (const reference of references) {
      const path = parsePath(reference.path);
      const found = this.documentsOf(
        reference,
        populated.flatMap((document) => referredValues(document, path)),
        depth,
      );
      const inPlace = (id: unknown): unknown => found.get(this.name(reference, id) ?? '') ?? null;
      populated = populated.map((document) => exchangeReferred(document, path, inPlace) as PlainObject);
    }
    return populated;
  }

  /** Documents with these ids, by the names of their keys. */
  private documentsOf(reference: DocumentReference, ids: readonly unknown[], depth: number): Map<string, PlainObject> {
    const { objects, storage } = this.transaction;
    const found = new Map<string, PlainObject>();
    const table = objects.object(reference.collectionOid);
    if (table?.kind !== 'table') return found;
    requireRights(objects, this.transaction.roleOid, table, ['select']);
    const view = collectionView(table, objects);
    const policies = policiesOf(this.ports, view, this.transaction);
    for (const id of ids) {
      const name = this.name(reference, id);
      if (name === undefined || found.has(name)) continue;
      if (!storage.get(this.writer.buffer, 0, this.writer.length, this.slot)) continue;
      if (isSeen(policies, 'select', this.slot)) found.set(name, view.layout.decode(this.slot));
    }
    const further = table.collection?.references ?? [];
    if (depth === 1 || further.length === 0) return found;
    const names = [...found.keys()];
    const populated = this.follow([...found.values()], further, depth - 1);
    return new Map(names.map((name, i) => [name, populated[i] as PlainObject]));
  }

  /** The key of a document as text, and in `writer`; undefined for what can be none. */
  private name({ collectionOid }: DocumentReference, id: unknown): string | undefined {
    const { objects } = this.transaction;
    const table = objects.object(collectionOid);
    if (table?.kind !== 'table') return undefined;
    this.writer.reset();
    try {
      collectionView(table, objects).layout.appendKey(this.writer, id);
    } catch (error) {
      if (isPhantomError(error)) return undefined;
      throw error;
    }
    return Buffer.from(this.writer.view()).toString('latin1');
  }
}
