/**
 * Collections as tables that SQL writes to: INSERT, UPDATE and DELETE come as rows of `_id` and `doc`, into which SQL has put what was
 * given for fields, and are written as documents, by the collection's schema and into its indexes. The `_id` of a document stays.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type {
  AlteredCollection,
  DocumentKey,
  GoneRowKey,
  IndexDescriptor,
  IndexRanges,
  ObjectPlace,
  Oid,
  PathCondition,
  ProvidedWriter,
  ProviderTransaction,
  TableDescriptor,
  TableProvider,
} from '@phantom/catalog';
import type { Jsonb } from '@phantom/codec';
import { ByteSlot } from '@phantom/kv';
import { collectionView } from './collection-view.js';
import { checkName, findCollection, lockKeyName, putCollection } from './definition.js';
import { badArgument } from './errors.js';
import { type NewIndex, makeIndex, refillIndex } from './index-build.js';
import { type SchemaOptions, applySchema } from './schema-change.js';
import type { Steps } from './steps.js';
import type { CollectionEngine } from './ports.js';
import { IndexLayout } from './index-layout.js';
import { boundIndex } from './index-ranges.js';
import type { DocumentModel } from './model.js';
import { type PlainObject, equalValues, isObject } from './order.js';
import { DocumentKeys } from './references/document-keys.js';
import { type DeclaredReference, declaredReferences } from './references/declared.js';
import { type ResolvedReference, type ResolvedTarget, holdReferred, holdReferredRows } from './references/resolve.js';
import { schemaValidator } from './schema.js';
import type { CollectionWriter } from './writer.js';

export class DocumentTables implements TableProvider {
  private readonly model: DocumentModel;
  private readonly layouts = new WeakMap<IndexDescriptor, IndexLayout>();

  constructor(model: DocumentModel) {
    this.model = model;
  }

  writer(table: TableDescriptor, transaction: ProviderTransaction): ProvidedWriter {
    const view = collectionView(table, transaction.objects);
    const writer = this.model.writer(view, transaction);
    return new DocumentRows(table, writer, (row) => {
      const slot = new ByteSlot();
      slot.set(row, 0, row.length);
      return view.layout.decode(slot);
    });
  }

  indexRanges(index: IndexDescriptor, conditions: readonly PathCondition[]): IndexRanges | undefined {
    let layout = this.layouts.get(index);
    if (layout === undefined) this.layouts.set(index, (layout = new IndexLayout(index)));
    const { definition, partial } = layout;
    if (definition.kind !== 'ordered' || layout.isWildcard || partial !== undefined) return undefined;
    // No condition is met through an array, so of one path a document has one entry that counts; and none by what is missing.
    const { ranges, bound } = boundIndex(layout, conditions, false);
    return bound === 0 ? undefined : { ranges, repeatMark: definition.parts.length > 1 ? layout.markKey : undefined };
  }

  createIndex(table: TableDescriptor, index: NewIndex, transaction: ProviderTransaction): Steps<TableDescriptor> {
    return makeIndex(this.model, transaction, table, index);
  }

  refillIndex(
    table: TableDescriptor,
    index: IndexDescriptor,
    transaction: ProviderTransaction,
  ): Steps<IndexDescriptor> {
    return refillIndex(this.model, transaction, table, index);
  }

  create(
    place: ObjectPlace,
    name: string,
    schema: string | undefined,
    options: ReadonlyMap<string, string>,
    transaction: ProviderTransaction,
  ): Promise<void> | undefined {
    const { engine, ...levels } = collectionOptions(options);
    checkName(name);
    const wait = lockKeyName(transaction, place.schemaOid, name);
    if (wait !== undefined) return wait;
    const parsed = schema === undefined ? undefined : parsedSchema(schema);
    const references: ResolvedReference[] = [];
    for (const declared of declaredReferences(parsed)) {
      const target = this.resolve(declared, name, transaction);
      if (target instanceof Promise) return target;
      references.push({ declared, target });
    }
    const definition = {
      ...(engine === undefined ? {} : { engine }),
      collection: {
        ...(parsed === undefined ? {} : { schema: parsed }),
        ...levels,
      },
    };
    putCollection(this.model.ports, transaction, place, name, definition, references);
    return undefined;
  }

  *alter(
    table: TableDescriptor,
    schema: string | null | undefined,
    options: ReadonlyMap<string, string>,
    transaction: ProviderTransaction,
  ): Steps<AlteredCollection> {
    const { engine, ...levels } = collectionOptions(options);
    if (engine !== undefined) throw unsupportedError('changing the engine of a collection');
    const { schema: before = null, validationLevel, validationAction } = table.collection ?? {};
    const parsed = schema === undefined ? before : schema === null ? null : parsedSchema(schema);
    const references: ResolvedReference[] = [];
    for (const declared of declaredReferences(parsed)) {
      let target = this.resolve(declared, table.name, transaction);
      for (; target instanceof Promise; target = this.resolve(declared, table.name, transaction)) yield target;
      references.push({ declared, target });
    }
    const kept = { ...(validationLevel && { validationLevel }), ...(validationAction && { validationAction }) };
    const changed = yield* applySchema(
      this.model.ports,
      transaction,
      table,
      parsed,
      { ...kept, ...levels },
      references,
    );
    return { table: changed.table, invalid: changed.report.invalid, dangling: changed.report.dangling };
  }

  hasDocument(
    parent: TableDescriptor,
    key: DocumentKey,
    values: readonly unknown[],
    transaction: ProviderTransaction,
  ): Promise<void> | boolean {
    const view = collectionView(parent, transaction.objects);
    return new DocumentKeys(view, key, transaction.storage).holdOne(values);
  }

  rowKeyGone(gone: GoneRowKey, transaction: ProviderTransaction): void {
    this.model.crossChecks(transaction).rowKeyGone(gone);
  }

  /** What a declared reference leads to, held. A promise: wait and ask again. */
  private resolve(
    { target }: DeclaredReference,
    ownName: string,
    transaction: ProviderTransaction,
  ): Promise<void> | ResolvedTarget {
    const { ports } = this.model;
    if (target.kind === 'rows') {
      const key = holdReferredRows(ports, transaction, target);
      return key instanceof Promise ? key : { kind: 'rows', key };
    }
    const { collection } = target;
    if (collection === ownName) return { kind: 'documents', collectionOid: undefined };
    const table = findCollection(ports, transaction.objects, collection);
    if (table === undefined) throw new PhantomError('42P01', `collection "${collection}" does not exist`);
    return holdReferred(transaction, table) ?? { kind: 'documents', collectionOid: table.oid };
  }
}

/** What CREATE and ALTER COLLECTION take beside a schema. 22023 for a value that an option has not, 0A000 for another option. */
function collectionOptions(
  options: ReadonlyMap<string, string>,
): SchemaOptions & { readonly engine?: CollectionEngine } {
  const given = new Map(options);
  const choose = <T extends string>(option: string, values: readonly T[]): T | undefined => {
    const value = given.get(option);
    given.delete(option);
    if (value !== undefined && !values.includes(value as T)) {
      throw new PhantomError('22023', `invalid value for option "${option}"`, {
        hint: `Use ${values.join(' or ')}.`,
      });
    }
    return value as T | undefined;
  };
  const engine = choose('engine', ['btree', 'lsm']);
  const validationLevel = choose('validation_level', ['strict', 'moderate']);
  const validationAction = choose('validation_action', ['error', 'warn']);
  for (const option of given.keys()) throw unsupportedError(`option ${option} of a collection`);
  return {
    ...(engine === undefined ? {} : { engine }),
    ...(validationLevel === undefined ? {} : { validationLevel }),
    ...(validationAction === undefined ? {} : { validationAction }),
  };
}

function parsedSchema(text: string): unknown {
  let schema: unknown;
  try {
    schema = JSON.parse(text);
  } catch (cause) {
    throw new PhantomError('22P02', 'invalid input syntax for type json', { cause });
  }
  schemaValidator(schema);
  return schema;
}

class DocumentRows implements ProvidedWriter {
  private readonly table: TableDescriptor;
  private readonly writer: CollectionWriter;
  private readonly decode: (row: Uint8Array) => PlainObject;

  constructor(table: TableDescriptor, writer: CollectionWriter, decode: (row: Uint8Array) => PlainObject) {
    this.table = table;
    this.writer = writer;
    this.decode = decode;
  }

  insert(values: readonly unknown[]): Promise<void> | undefined {
    const id = this.part(values, 0);
    return this.writer.insert(this.document(values, id), id);
  }

  conflict(values: readonly unknown[], indexOids: readonly Oid[]): Promise<void> | Uint8Array | undefined {
    const id = this.part(values, 0);
    return this.writer.conflict(this.document(values, id), id, indexOids);
  }

  update(key: Uint8Array, row: Uint8Array, values: readonly unknown[]): Promise<void> | undefined {
    const before = this.decode(row);
    const id = this.part(values, 0);
    if (!equalValues(id, before['_id'])) throw badArgument('the _id of a document cannot be changed');
    return this.writer.update(key, before, this.document(values, before['_id']));
  }

  remove(key: Uint8Array, row: Uint8Array): undefined {
    this.writer.remove(key, this.decode(row));
    return undefined;
  }

  private document(values: readonly unknown[], id: unknown): PlainObject {
    const document = this.part(values, 1);
    if (!isObject(document)) throw badArgument('a document must be an object');
    if (Object.hasOwn(document, '_id') && !equalValues(document['_id'], id)) {
      throw badArgument('the _id of the document is another than that of its row');
    }
    return document;
  }

  private part(values: readonly unknown[], position: number): unknown {
    const value = values[position] as Jsonb | null | undefined;
    if (value !== null && value !== undefined) return value.plain();
    const column = position === 0 ? '_id' : 'doc';
    throw new PhantomError(
      '23502',
      `null value in column "${column}" of relation "${this.table.name}" violates not-null constraint`,
      {
        table: this.table.name,
        column,
      },
    );
  }
}
