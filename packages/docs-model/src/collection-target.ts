/** The collection that operations write to, by its name: it is made when something is first written to it, by the definition given here. */
import { type PhantomError, eventLoop, isPhantomError } from '@phantom/base';
import { newObjectId } from '@phantom/codec';
import type { CollectionOptions, UpdateResult } from './collection-types.js';
import type { CollectionView } from './collection-view.js';
import type { NewCollection } from './definition.js';
import type { DocumentModel } from './model.js';
import type { Modified } from './document-change.js';
import { modifyDocuments } from './modification.js';
import type { PlainObject } from './order.js';
import { ownField } from './path.js';
import { turnIsLong } from './long-turns.js';
import { declaredReferences } from './references/declared.js';
import { type RequestedChange, documentOf } from './requested-change.js';
import type { DocumentRight } from './rights.js';
import { schemaValidator } from './schema.js';
import type { DocumentTransaction } from './transaction.js';
import { type CollectionWriter, settle } from './writer.js';

/** A document that was left out of an unordered write. */
export interface WriteFailure {
  readonly index: number;
  readonly error: PhantomError;
}

/** What a change did, and the last document that it met, before and after. */
export interface ChangeOutcome {
  readonly result: UpdateResult;
  readonly before: PlainObject | undefined;
  readonly after: PlainObject | undefined;
}

/** Documents written before others get a turn. */
const DOCUMENTS_PER_TURN = 500;
/** Documents after which an insertion of many knows how large they are. */
const DOCUMENTS_MEASURED = 100;
const UPSERT_RETRIES = 3;

const UPDATING: readonly DocumentRight[] = ['select', 'update'];
const UPSERTING: readonly DocumentRight[] = ['select', 'update', 'insert'];
const REMOVING: readonly DocumentRight[] = ['select', 'delete'];

const NOTHING: UpdateResult = { matchedCount: 0, modifiedCount: 0, upsertedCount: 0, upsertedId: undefined };
const NOTHING_FOUND: ChangeOutcome = { result: NOTHING, before: undefined, after: undefined };

export class CollectionTarget {
  readonly model: DocumentModel;
  readonly name: string;
  readonly definition: NewCollection;

  /** 22023 for options with what is no schema. */
  constructor(model: DocumentModel, name: string, options: CollectionOptions) {
    this.model = model;
    this.name = name;
    this.definition = definitionOf(options);
  }

  /** The document's `_id`; a new one where it has none. */
  idOf(document: PlainObject): unknown {
    const id = document instanceof Map ? (document.get('_id') as unknown) : ownField(document, '_id');
    return id === undefined ? newObjectId(this.model.ports.clock.nowMs()) : id;
  }

  async insert(transaction: DocumentTransaction, document: PlainObject, id: unknown): Promise<void> {
    const view = await this.model.forWriting(transaction, this.name, this.definition, ['insert']);
    const writer = this.model.securedWriter(view, transaction);
    await settle(() => writer.insert(document, id));
  }

  /**
   * Inserts documents and gives those that failed, where `ordered` is false; their ids come into `ids`. 22023, and nothing is inserted, for
   * what is no document. Each is looked at once, for there may be more of them than a processor's cache holds.
   */
  async insertAll(
    transaction: DocumentTransaction,
    documents: readonly unknown[],
    ids: unknown[],
    ordered: boolean,
  ): Promise<WriteFailure[]> {
    const view = await this.model.forWriting(transaction, this.name, this.definition, ['insert']);
    const writer = this.model.securedWriter(view, transaction);
    writer.gatherEntries();
    const writtenBefore = writer.writtenBytes;
    const errors: WriteFailure[] = [];
    for (let i = 0; i < documents.length; i++) {
      if (i === DOCUMENTS_MEASURED) writer.expect(documents.length - i, i, writer.writtenBytes - writtenBefore);
      const document = documentOf(documents[i]);
      const id = this.idOf(document);
      ids[i] = id;
      try {
        let wait = writer.insert(document, id);
        while (wait !== undefined) {
          await wait;
          wait = writer.insert(document, id);
        }
      } catch (error) {
        if (!isPhantomError(error)) throw error;
        if (ordered || error.retryable) throw error.with({ index: i });
        errors.push({ index: i, error });
      }
      if (i % DOCUMENTS_PER_TURN === DOCUMENTS_PER_TURN - 1 || turnIsLong()) await eventLoop.nextTurn();
    }
    writer.putGathered();
    return errors;
  }

  /** Changes what is found; an upsert that finds nothing makes its document. A promise where something has to be waited for. */
  change(transaction: DocumentTransaction, change: RequestedChange): ChangeOutcome | Promise<ChangeOutcome> {
    const { model, name, definition } = this;
    const removes = change.removes === true;
    const upserts = change.insert !== undefined;
    if (!upserts && !model.exists(transaction, name)) return NOTHING_FOUND;
    const rights = removes ? REMOVING : upserts ? UPSERTING : UPDATING;
    const view = model.forWriting(transaction, name, definition, rights);
    if (view instanceof Promise) return view.then((made) => this.changeIn(made, transaction, change));
    return this.changeIn(view, transaction, change);
  }

  private changeIn(
    view: CollectionView,
    transaction: DocumentTransaction,
    change: RequestedChange,
  ): ChangeOutcome | Promise<ChangeOutcome> {
    const writer = this.model.securedWriter(view, transaction);
    const { ports } = this.model;
    if (change.insert !== undefined) {
      const modify = (): Modified | Promise<Modified> => modifyDocuments(ports, view, transaction, writer, change);
      return this.upsert(modify, change.insert, transaction, writer);
    }
    const done = modifyDocuments(ports, view, transaction, writer, change);
    return done instanceof Promise ? done.then(outcomeOf) : outcomeOf(done);
  }

  private async upsert(
    modify: () => Modified | Promise<Modified>,
    insert: () => PlainObject,
    transaction: DocumentTransaction,
    writer: CollectionWriter,
  ): Promise<ChangeOutcome> {
    writer.meetConflicts();
    for (let attempt = 0; ; attempt++) {
      const done = await modify();
      if (done.matched > 0) return outcomeOf(done);
      const made = insert();
      const id = this.idOf(made);
      try {
        await settle(() => writer.insert(made, id));
      } catch (error) {
        // Somebody else made the document meanwhile: a new snapshot shows it, and it is there to be changed.
        if (!isPhantomError(error) || error.code !== '23505' || attempt >= UPSERT_RETRIES) throw error;
        transaction.storage.beginStatement();
        continue;
      }
      const { _id: _made, ...fields } = made;
      return {
        result: { ...NOTHING, upsertedCount: 1, upsertedId: id },
        before: undefined,
        after: { _id: id, ...fields },
      };
    }
  }
}

function outcomeOf({ matched, modified, before, after }: Modified): ChangeOutcome {
  const result = { matchedCount: matched, modifiedCount: modified, upsertedCount: 0, upsertedId: undefined };
  return { result, before, after };
}

/** What a collection is made with. 22023 for what is no schema. */
function definitionOf({ engine, schema, validationLevel, validationAction }: CollectionOptions): NewCollection {
  if (schema !== undefined) schemaValidator(schema);
  declaredReferences(schema);
  return {
    ...(engine === undefined ? {} : { engine }),
    collection: {
      ...(schema === undefined ? {} : { schema }),
      ...(validationLevel === undefined ? {} : { validationLevel }),
      ...(validationAction === undefined ? {} : { validationAction }),
    },
  };
}
