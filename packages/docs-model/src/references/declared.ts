/**
 * References as a schema declares them: at a field that holds the `_id` of a document of some collection, or a unique column of a table,
 *
 *   "author": { "x-ref": { "collection": "users", "onDelete": "restrict" | "cascade" | "setNull", "onUpdate": ... } }
 *   "order": { "x-ref": { "table": "shop.orders", "column": "id", "onDelete": ..., "onUpdate": ... } }
 *
 * below `properties`, `items` and `allOf`; through an array each element refers. Values of null refer to nothing. The default is to
 * restrict, and of the columns the one of the primary key. An `_id` is set for good, so of a reference to documents `onUpdate` is
 * checked for its spelling alone.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { DocumentReferenceAction } from '@phantom/catalog';
import { badArgument } from '../errors.js';
import { type PlainObject, isObject } from '../order.js';
import { ownField } from '../path.js';

export interface DeclaredReference {
  readonly path: string;
  readonly target: DeclaredTarget;
  readonly onDelete: DocumentReferenceAction;
  readonly onUpdate: DocumentReferenceAction;
}

export type DeclaredTarget =
  | { readonly kind: 'documents'; readonly collection: string }
  /** Without a column: the primary key's. */
  | { readonly kind: 'rows'; readonly table: string; readonly column: string | undefined };

/** What a declared reference leads to, by name. */
export function targetName({ target }: DeclaredReference): string {
  return target.kind === 'documents' ? target.collection : target.table;
}

const KEYWORD = 'x-ref';
const REFERENCES_MAX = 64;
const DOCUMENT_KEYS: ReadonlySet<string> = new Set(['collection', 'onDelete', 'onUpdate']);
const ROW_KEYS: ReadonlySet<string> = new Set(['table', 'column', 'onDelete', 'onUpdate']);
const ACTIONS: Readonly<Record<string, DocumentReferenceAction>> = {
  restrict: 'restrict',
  cascade: 'cascade',
  setNull: 'set null',
};

/** The references that a schema declares. 22023 for what is none, 0A000 for one that depends on other parts of the document. */
export function declaredReferences(schema: unknown): readonly DeclaredReference[] {
  const found = new Map<string, DeclaredReference>();
  walk(schema, '', found);
  if (found.size > REFERENCES_MAX) {
    throw new PhantomError('54000', `a schema declares at most ${REFERENCES_MAX} references`);
  }
  return [...found.values()];
}

function walk(schema: unknown, path: string, found: Map<string, DeclaredReference>): void {
  if (!isObject(schema)) return;
  for (const [keyword, value] of Object.entries(schema)) {
    if (keyword === KEYWORD) {
      found.set(path, referenceOf(value, path));
    } else if (keyword === 'properties' && isObject(value)) {
      for (const [field, below] of Object.entries(value)) walk(below, path === '' ? field : `${path}.${field}`, found);
    } else if (keyword === 'items') {
      walk(value, path, found);
    } else if (keyword === 'allOf' && Array.isArray(value)) {
      for (const part of value) walk(part, path, found);
    } else if (SCHEMAS_ELSEWHERE.has(keyword) && declares(value)) {
      throw unsupportedError(`x-ref below ${keyword}`, { detail: `Path "${path}" of the schema.` });
    }
  }
}

/** Keywords whose schemas hold for some documents or fields only. */
const SCHEMAS_ELSEWHERE = new Set([
  '$defs',
  'additionalProperties',
  'anyOf',
  'contains',
  'definitions',
  'dependentSchemas',
  'else',
  'if',
  'not',
  'oneOf',
  'patternProperties',
  'prefixItems',
  'propertyNames',
  'then',
  'unevaluatedItems',
  'unevaluatedProperties',
]);

function declares(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(declares);
  return isObject(value) && (Object.hasOwn(value, KEYWORD) || Object.values(value).some(declares));
}

function referenceOf(value: unknown, path: string): DeclaredReference {
  const at = `x-ref of "${path}"`;
  if (path === '') throw badArgument('x-ref stands at a field, not at the document itself');
  if (!isObject(value)) throw badArgument(`${at} must be an object`);
  const target = targetOf(value, at);
  const onUpdate = actionOf(value, 'onUpdate', at);
  const onDelete = actionOf(value, 'onDelete', at);
  if (path !== '_id') return { path, target, onDelete, onUpdate };
  if (onDelete === 'set null') throw badArgument(`${at}: an _id cannot be set to null`);
  if (target.kind === 'rows' && onUpdate !== 'restrict') throw badArgument(`${at}: an _id cannot be changed`);
  return { path, target, onDelete, onUpdate };
}

function targetOf(value: PlainObject, at: string): DeclaredTarget {
  const known = Object.hasOwn(value, 'table') ? ROW_KEYS : DOCUMENT_KEYS;
  for (const key of Object.keys(value)) if (!known.has(key)) throw badArgument(`${at} has no "${key}"`);
  if (known === DOCUMENT_KEYS) {
    const collection = ownField(value, 'collection');
    if (typeof collection !== 'string') throw badArgument(`${at} needs the name of a collection or of a table`);
    return { kind: 'documents', collection };
  }
  const table = ownField(value, 'table');
  const column = ownField(value, 'column');
  if (typeof table !== 'string') throw badArgument(`${at} needs the name of a table`);
  if (column !== undefined && typeof column !== 'string') throw badArgument(`${at}: a column is named by text`);
  return { kind: 'rows', table, column };
}

function actionOf(value: PlainObject, name: 'onDelete' | 'onUpdate', at: string): DocumentReferenceAction {
  const action = ownField(value, name) ?? 'restrict';
  const known = typeof action === 'string' && Object.hasOwn(ACTIONS, action) ? ACTIONS[action] : undefined;
  if (known === undefined) throw badArgument(`${at}: ${name} is one of ${Object.keys(ACTIONS).join(', ')}`);
  return known;
}
