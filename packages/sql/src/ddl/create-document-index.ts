/**
 * CREATE INDEX on a collection: an index over paths of its documents, the document model's own kind, so that it serves
 * `db.collection()` and SQL alike. A part is the column of a field, or an expression that takes a path out of a document:
 * `((doc ->> 'city'))`, `((doc.address.city))`. Values of all types stand in it by the model's order.
 *
 * UNIQUE lets documents without the path stand beside each other, as SQL lets nulls; over several paths, and with NULLS NOT DISTINCT,
 * missing counts as null.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type DocumentIndexDescriptor, NameClass, type TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { documentPathOf } from '../expr/row-expression.js';
import type { IndexElement } from '../text/ast.js';
import type { CreateIndex } from '../text/ast-schema.js';
import type { DdlContext } from './context.js';
import { providerTransaction } from './create-collection.js';
import { chooseName, claimName, lockForChange, relationExists, requireOwner, undefinedRelation } from './names.js';
import { storedExpression } from './stored-expressions.js';

type Part = DocumentIndexDescriptor['parts'][number];

export function* createDocumentIndex(
  context: DdlContext,
  node: CreateIndex,
  collection: TableDescriptor,
): Generator<Yielded, void, void> {
  const { provider, objects } = context;
  if (provider === undefined) throw unsupportedError('an index of a collection without a document model');
  requireOwner(context, collection);
  refuseClauses(node);
  const table = yield* lockForChange(context, collection);
  if (table === undefined) throw undefinedRelation(node.table);
  const parts = node.elements.map((element) => partOf(context, table, element));
  const paths = parts.map(({ path }) => path.replaceAll('.', '_'));
  const name = node.name?.text ?? chooseName(context, table.schemaOid, [table.name, ...paths], 'idx');
  const existing = yield* claimName(context, NameClass.Relation, table.schemaOid, name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(name);
    context.notice('NOTICE', '42P07', `relation "${name}" already exists, skipping`);
    return;
  }
  const sparse = node.unique && node.nullsDistinct;
  if (sparse && parts.length > 1) {
    throw unsupportedError('UNIQUE over several paths of a collection where nulls are distinct', {
      hint: 'Say NULLS NOT DISTINCT.',
    });
  }
  const index = { name, unique: node.unique, document: { kind: 'ordered', parts, sparse } as const };
  const transaction = providerTransaction(context);
  const changed = yield* provider.createIndex(table, index, transaction);
  objects.put({ ...changed, schemaVersion: table.schemaVersion + 1 });
}

function refuseClauses(node: CreateIndex): void {
  const refuse = (given: boolean, what: string): void => {
    if (given) throw unsupportedError(`${what} of a collection's index`);
  };
  const method = node.method?.text ?? 'document';
  refuse(method !== 'btree' && method !== 'document', `method ${method}`);
  refuse(node.include.length > 0, 'INCLUDE');
  refuse(node.options.length > 0, 'WITH');
  refuse(node.tablespace !== undefined, 'TABLESPACE');
  if (node.where === undefined) return;
  throw unsupportedError("WHERE of a collection's index", {
    hint: 'Use db.collection().createIndex(keys, { partialFilterExpression }).',
  });
}

function partOf(context: DdlContext, table: TableDescriptor, element: IndexElement): Part {
  const { value, direction, nulls, collation, operatorClass } = element;
  if (nulls !== undefined || collation !== undefined || operatorClass !== undefined) {
    throw unsupportedError("NULLS, COLLATE and operator classes of a collection's index");
  }
  const name = value.kind === 'column' && value.names.length === 1 ? value.names[0]?.text : undefined;
  const column = table.columns.find((candidate) => !candidate.dropped && candidate.name === name);
  const path =
    column?.field?.name ?? documentPathOf(storedExpression(context, value, table.name), table, context.picture);
  if (path !== undefined) return { path, descending: direction === 'desc' };
  throw new PhantomError('0A000', 'an index of a collection is over paths of its documents', {
    hint: "Name fields, or expressions such as ((doc -> 'address' ->> 'city')).",
    position: value.position + 1,
  });
}
