/** Names of output columns without an alias, as PostgreSQL's FigureColname gives them. */
import type * as Ast from '../../text/ast.js';

export const UNNAMED = '?column?';

/** Strength 2 is a name of its own; 1 a fallback (a cast's type, CASE); 0 none. */
interface Figured {
  readonly name: string;
  readonly strength: 0 | 1 | 2;
}

const NONE: Figured = { name: UNNAMED, strength: 0 };

function strong(name: string): Figured {
  return { name, strength: 2 };
}

function figureQuery(query: Ast.Query): Figured {
  const { body } = query;
  if (body.kind === 'query') return figureQuery(body);
  if (body.kind === 'values') return strong('column1');
  const select = body.kind === 'select' ? body : undefined;
  const item = select?.items[0];
  if (item === undefined) return NONE;
  if (item.alias !== undefined) return strong(item.alias.text);
  return figure(item.value);
}

function figure(node: Ast.Expression): Figured {
  switch (node.kind) {
    case 'column':
      return strong(node.names[node.names.length - 1]?.text ?? UNNAMED);
    case 'field':
      return node.field === undefined ? NONE : strong(node.field.text);
    case 'subscript':
      return figure(node.base);
    case 'call':
      return strong(node.name[node.name.length - 1]?.text ?? UNNAMED);
    case 'conditional':
      return strong(node.function);
    case 'special':
      return strong(
        node.function === 'substring-similar'
          ? 'substring'
          : node.function === 'collation-for'
            ? 'pg_collation_for'
            : node.function,
      );
    case 'current':
      return strong(node.function);
    case 'at-time-zone':
      return strong('timezone');
    case 'overlaps':
      return strong('overlaps');
    case 'grouping':
      return strong('grouping');
    case 'cast': {
      const inner = figure(node.operand);
      if (inner.strength > 1) return inner;
      return { name: node.type.name[node.type.name.length - 1]?.text ?? UNNAMED, strength: 1 };
    }
    case 'collate':
      return figure(node.operand);
    case 'case': {
      const inner = node.otherwise === undefined ? NONE : figure(node.otherwise);
      return inner.strength > 1 ? inner : { name: 'case', strength: 1 };
    }
    case 'array':
      return strong('array');
    case 'row':
      return strong('row');
    case 'exists':
      return strong('exists');
    case 'array-subquery':
      return strong('array');
    case 'subquery':
      return figureQuery(node.query);
    case 'json-constructor':
      return strong(
        node.function.startsWith('array')
          ? 'json_array'
          : node.function === 'object'
            ? 'json_object'
            : node.function === 'json'
              ? 'json'
              : `json_${node.function}`,
      );
    case 'json-aggregate':
      return strong(node.function === 'object' ? 'json_objectagg' : 'json_arrayagg');
    case 'json-query-function':
      return strong(`json_${node.function}`);
    case 'xml-function':
      return strong(`xml${node.function}`);
    default:
      return NONE;
  }
}

/** The name of a select item. */
export function outputName(item: Ast.SelectItem): string {
  return item.alias === undefined ? figure(item.value).name : item.alias.text;
}

/** The name of a function in FROM without alias. */
export function functionColumnName(node: Ast.Expression): string {
  return figure(node).name;
}
