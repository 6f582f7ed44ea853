/** The document that an upsert makes: what the filter says by equality, then the update. */
import { badArgument } from './errors.js';
import type { CompiledFilter, Condition } from './filter/filter.js';
import type { PlainObject } from './order.js';
import { parsePath } from './path.js';
import { changeAt } from './update/places.js';

/** A document with the filter's equalities in it, `_id` among them. 22023 where they speak of one place twice. */
export function seedDocument(filter: CompiledFilter): PlainObject {
  let document: unknown = {};
  const paths: string[] = [];
  for (const { path, value } of equalities(filter)) {
    for (const other of paths) {
      if (other !== path && !other.startsWith(`${path}.`) && !path.startsWith(`${other}.`)) continue;
      throw badArgument(
        `an upsert cannot tell what to make of "${path}": the filter asks for it twice`,
        other === path ? undefined : `By "${path}" and "${other}".`,
      );
    }
    paths.push(path);
    document = changeAt(document, parsePath(path), () => value, true);
  }
  return document as PlainObject;
}

/** The `_id` that the filter asks for; undefined: none, or no single one. */
export function seedId(filter: CompiledFilter): unknown {
  return equalities(filter).find(({ path }) => path === '_id')?.value;
}

/** What must be equal to what; a $or of one filter is that filter. */
function equalities({ conditions, alternatives }: CompiledFilter): readonly Condition[] {
  const here = conditions.filter(({ operator }) => operator === '$eq');
  return alternatives?.length === 1 ? [...here, ...equalities(alternatives[0] as CompiledFilter)] : here;
}
