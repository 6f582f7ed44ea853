/** Changing the schema of a collection: what is there is checked first, and told. */
import { PhantomError } from '@phantom/base';
import type { CollectionDescriptor, TableDescriptor } from '@phantom/catalog';
import { ByteSlot, prefixRange } from '@phantom/kv';
import { CollectionView } from './collection-view.js';
import { type NewCollection, resolveReferences } from './definition.js';
import { withFieldColumns } from './field-columns.js';
import { turnIsLong } from './long-turns.js';
import { type Steps, driven } from './steps.js';
import type { DocumentModel } from './model.js';
import type { DocumentPorts } from './ports.js';
import { type DanglingReference, DanglingSearch, documentLookup } from './references/dangling.js';
import { targetName } from './references/declared.js';
import { type ResolvedReference, rowTablesOf, withReferences } from './references/resolve.js';
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
  /** References that lead nowhere. */
  readonly dangling: number;
  readonly danglingExamples: readonly DanglingReference[];
}

const EXAMPLES_MAX = 100;
const DOCUMENTS_PER_TURN = 200;

/**
 * Gives a collection another schema, or none (null). Under level strict and action error, documents that break it are 23514 and
 * references that lead nowhere 23503, with the report in the error's data, and nothing changes; otherwise they stay, and are told in
 * the report.
 */
export async function changeSchema(
  model: DocumentModel,
  transaction: DocumentTransaction,
  name: string,
  definition: NewCollection,
  schema: unknown,
  options: SchemaOptions,
): Promise<SchemaReport> {
  let report: SchemaReport = EMPTY_REPORT;
  const { collection: _old, ...rest } = definition;
  await model.alter(transaction, name, { ...rest, collection: {} }, async (table) => {
    const resolved = await resolveReferences(model.ports, transaction, schema, name);
    const changed = await driven(applySchema(model.ports, transaction, table, schema, options, resolved));
    report = changed.report;
    return changed.table;
  });
  return report;
}

const EMPTY_REPORT: SchemaReport = { checked: 0, invalid: 0, examples: [], dangling: 0, danglingExamples: [] };

/** A collection with its schema exchanged, not put yet, and what the schema says of its documents; the caller holds the collection. */
export function* applySchema(
  ports: DocumentPorts,
  transaction: DocumentTransaction,
  table: TableDescriptor,
  schema: unknown,
  { validationLevel, validationAction }: SchemaOptions,
  resolved: readonly ResolvedReference[],
): Steps<{ readonly table: TableDescriptor; readonly report: SchemaReport }> {
  const referring = withReferences(transaction, { ...table, collection: keptReferences(table) }, resolved);
  const { references, rowReferences } = referring.collection ?? {};
  const report = schema === null ? EMPTY_REPORT : yield* checkDocuments(ports, transaction, table, schema, resolved);
  if (validationLevel !== 'moderate' && validationAction !== 'warn') refuse(table.name, report);
  const collection: CollectionDescriptor = {
    ...(schema === null ? {} : { schema }),
    ...(schema === null || validationLevel === undefined ? {} : { validationLevel }),
    ...(schema === null || validationAction === undefined ? {} : { validationAction }),
    ...(references === undefined ? {} : { references }),
    ...(rowReferences === undefined ? {} : { rowReferences }),
  };
  return { table: withFieldColumns(transaction, { ...referring, collection }), report };
}

/** What withReferences compares with: the references there were. */
function keptReferences({ collection: { references, rowReferences } = {} }: TableDescriptor): CollectionDescriptor {
  return { ...(references && { references }), ...(rowReferences && { rowReferences }) };
}

/** Looks at every document in its newest state; the collection is held. */
function* checkDocuments(
  ports: DocumentPorts,
  transaction: DocumentTransaction,
  table: TableDescriptor,
  schema: unknown,
  resolved: readonly ResolvedReference[],
): Steps<SchemaReport> {
  const { storage, objects } = transaction;
  const slot = new ByteSlot();
  const has = (key: Uint8Array): boolean => storage.getNewest(key, 0, key.length, slot);
  const sought = resolved.map(({ declared, target }) => ({
    path: declared.path,
    target: targetName(declared),
    leads:
      target.kind === 'documents'
        ? documentLookup(objects.object(target.collectionOid ?? table.oid), objects, has)
        : (value: unknown) => rowTablesOf(ports).hasRow(target.key, value, false, transaction) === true,
  }));
  const search = new DanglingSearch(sought);
  const validate = schemaValidator(schema);
  let checked = 0;
  let invalid = 0;
  const examples: { _id: unknown; faults: readonly SchemaFault[] }[] = [];
  const { layout } = new CollectionView(table, []);
  const cursor = storage.cursorNewest(prefixRange(layout.prefix));
  try {
    while (cursor.next()) {
      const document = layout.decode(cursor.value);
      const faults = validate(document);
      checked++;
      if (faults.length > 0) {
        invalid++;
        if (examples.length < EXAMPLES_MAX) examples.push({ _id: document['_id'], faults });
      }
      search.look(document);
      if (checked % DOCUMENTS_PER_TURN === 0 || turnIsLong()) yield undefined;
    }
  } finally {
    cursor.close();
  }
  return { checked, invalid, examples, dangling: search.dangling, danglingExamples: search.examples };
}

function refuse(name: string, report: SchemaReport): void {
  const [invalid] = report.examples;
  if (invalid !== undefined) throw schemaViolation(name, invalid._id, invalid.faults).with({ data: { ...report } });
  const [dangling] = report.danglingExamples;
  if (dangling === undefined) return;
  throw new PhantomError('23503', `documents of "${name}" refer to documents or rows that do not exist`, {
    detail: `Path "${dangling.path}" leads to nothing in "${dangling.collection}" ${report.dangling} times.`,
    table: name,
    constraint: dangling.path,
    data: { ...report },
  });
}
