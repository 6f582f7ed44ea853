/** The document that an upsert makes: what the filter says by equality, then the update. */
import type { CompiledFilter } from './filter/filter.js';
import type { PlainObject } from './order.js';
import { parsePath } from './path.js';
import { changeAt } from './update/places.js';

/** A document with the filter's equalities in it, `_id` among them. */
export function seedDocument(filter: CompiledFilter): PlainObject {
  let document: unknown = {};
  for (const { path, operator, value } of filter.conditions) {
    if (operator === '$eq') document = changeAt(document, parsePath(path), () => value, true);
  }
  return document as PlainObject;
}
