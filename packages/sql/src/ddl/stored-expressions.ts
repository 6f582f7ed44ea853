/**
 * Expressions as the catalog keeps them: SQL text that still means the same after things were renamed.
 *
 *   nextval('s'), 's'::regclass   keep the oid of what they name: nextval(16391::regclass)
 *   f(1), 'calm'::mood            name the schemas of users' functions and types: public.f(1), 'calm'::public.mood
 *   table.column                  loses the table's name; there is only one row it can be of
 *
 * `shownExpression` goes the other way, for people and tools.
 */
import type { Name } from '../text/ast-leaves.js';
import type { Expression } from '../text/ast.js';
import { deparseExpression } from '../text/deparse.js';
import { parseExpression } from '../text/parse.js';
import { regclassNamed } from '../types/reg-types.js';
import type { DdlContext } from './context.js';
import { rewriteTree } from './rewrite-tree.js';

const SEQUENCE_FUNCTIONS = new Set(['nextval', 'currval', 'setval']);

/** The text to keep for an expression over the columns of `relationName` (or of nothing). */
export function storedExpression(context: DdlContext, node: Expression, relationName?: string): string {
  const stored = rewriteTree(node, (part) => {
    if (part['kind'] === 'column') {
      const names = part['names'] as readonly Name[];
      const qualified = names.length === 2 && names[0]?.text === relationName;
      return qualified ? { ...part, names: names.slice(1) } : undefined;
    }
    if (part['kind'] === 'call') {
      const name = part['name'] as readonly Name[];
      const args = part['arguments'] as readonly { readonly value?: Expression }[];
      const first = args[0]?.value;
      const schema = name.length === 1 ? schemaOfFunction(context, name[0]?.text ?? '') : undefined;
      if (schema !== undefined) return { ...part, name: [inSchema(schema), ...name] };
      if (!SEQUENCE_FUNCTIONS.has(name.at(-1)?.text ?? '') || first?.kind !== 'string') return undefined;
      const value = regclassCast(regclassNamed(first.value, context.evaluation));
      return { ...part, arguments: [{ ...args[0], value }, ...args.slice(1)] };
    }
    if (part['kind'] === 'type-name') {
      const name = part['name'] as readonly Name[];
      const schema = name.length === 1 ? schemaOfType(context, name[0]?.text ?? '') : undefined;
      return schema === undefined ? undefined : { ...part, name: [inSchema(schema), ...name] };
    }
    if (part['kind'] === 'cast') {
      const operand = part['operand'] as Expression;
      const type = part['type'] as { readonly name: readonly Name[]; readonly arrayBounds: readonly unknown[] };
      const isRegclass = type.name.at(-1)?.text === 'regclass' && type.arrayBounds.length === 0;
      if (!isRegclass || operand.kind !== 'string' || /^\s*\d+\s*$/.test(operand.value)) return undefined;
      return regclassCast(regclassNamed(operand.value, context.evaluation));
    }
    return undefined;
  });
  return deparseExpression(stored);
}

/** The schema of the users' functions of a name, where all that the search path leads to are in one and none is built in. */
function schemaOfFunction({ picture }: DdlContext, name: string): string | undefined {
  const schemas = new Set(picture.functions.functionsNamed(name).map(({ routine }) => routine?.schemaOid ?? 0));
  const [only] = schemas;
  return schemas.size === 1 && only !== undefined && only !== 0 ? picture.schemaName(only) : undefined;
}

/** The schema of a user's type that the search path leads to. */
function schemaOfType({ picture, objects }: DdlContext, name: string): string | undefined {
  const type = picture.typeNamed({ name });
  const object = type === undefined ? undefined : objects.object(type.oid);
  return object?.kind === 'type' ? picture.schemaName(object.schemaOid) : undefined;
}

function inSchema(schema: string): Name {
  return { text: schema, position: 0, quoted: true };
}

function regclassCast(oid: number): Expression {
  return parseExpression(`${oid}::regclass`);
}

/** The text of an expression with a column renamed. */
export function renamedColumn(sql: string, from: string, to: string): string {
  const renamed = rewriteTree(parseExpression(sql), (part) => {
    if (part['kind'] !== 'column') return undefined;
    const [first, ...rest] = part['names'] as readonly Name[];
    if (first === undefined || first.text !== from) return undefined;
    return { ...part, names: [{ ...first, text: to, quoted: true }, ...rest] };
  });
  return deparseExpression(renamed);
}
