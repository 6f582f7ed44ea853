/** Changing the schema of a collection: what is there is checked first, and told. */
import { eventLoop } from '@phantom/base';
import { prefixRange } from '@phantom/kv';
import { CollectionView } from './collection-view.js';
import type { NewCollection } from './definition.js';
import type { DocumentModel } from './model.js';
import { type SchemaFault, schemaValidator, schemaViolation } from './schema.js';
import type { DocumentTransaction } from './transaction.js';

export type ValidationLevel = 'strict' | 'moderate';
export type ValidationAction = 'error' | 'warn';

export interface SchemaOptions {
  readonly validationLevel?: ValidationLevel;
  readonly validationAction?: ValidationAction;
}

/** What a new schema says of the documents there are. */
export interface SchemaReport {
  readonly checked: number;
  readonly invalid: number;
  /** The first of them, with their faults. */
  readonly examples: readonly { readonly _id: unknown; readonly faults: readonly SchemaFault[] }[];
}

const EXAMPLES_MAX = 100;
const DOCUMENTS_PER_TURN = 200;

/**
 * Gives a collection another schema, or none (null). Under level strict and action error, documents that break it are 23514, with the
 * report in the error's data, and nothing changes; otherwise they stay, and are told in the report.
 */
export async function changeSchema(
  model: DocumentModel,
  transaction: DocumentTransaction,
  collection: string,
  definition: NewCollection,
  schema: unknown,
  options: SchemaOptions,
): Promise<SchemaReport> {
  let checked = 0;
  let invalid = 0;
  const examples: { _id: unknown; faults: readonly SchemaFault[] }[] = [];
  const { collection: _old, ...rest } = definition;
  await model.alter(transaction, collection, { ...rest, collection: {} }, async (table) => {
    if (schema === null) return { ...table, collection: {} };
    const validate = schemaValidator(schema);
    const { layout } = new CollectionView(table, []);
    const cursor = transaction.storage.cursorNewest(prefixRange(layout.prefix));
    try {
      while (cursor.next()) {
        const document = layout.decode(cursor.value);
        const faults = validate(document);
        checked++;
        if (faults.length > 0) {
          invalid++;
          if (examples.length < EXAMPLES_MAX) examples.push({ _id: document['_id'], faults });
        }
        if (checked % DOCUMENTS_PER_TURN === 0) await eventLoop.nextTurn();
      }
    } finally {
      cursor.close();
    }
    const { validationLevel, validationAction } = options;
    const [first] = examples;
    if (first !== undefined && validationLevel !== 'moderate' && validationAction !== 'warn') {
      throw schemaViolation(collection, first._id, first.faults).with({ data: { checked, invalid, examples } });
    }
    return {
      ...table,
      collection: {
        schema,
        ...(validationLevel === undefined ? {} : { validationLevel }),
        ...(validationAction === undefined ? {} : { validationAction }),
      },
    };
  });
  return { checked, invalid, examples };
}
