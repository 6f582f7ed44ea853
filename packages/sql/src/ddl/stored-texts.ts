/**
 * All texts that the catalog keeps of what users wrote, seen as syntax trees: defaults, checks, generated columns, parts and conditions
 * of indexes, domains, views, policies, bodies and defaults of routines, conditions and actions of triggers and rules.
 */
import type { ObjectDescriptor, StoredQuery } from '@phantom/catalog';
import { deparseExpression, deparseStatement } from '../text/deparse.js';
import { parseExpression, parseStatement } from '../text/parse.js';
import type { Query } from '../text/ast.js';
import { type TreePart, rewriteTree } from './rewrite-tree.js';

/** What takes the place of a node; `path` is the search path that names in a query are found along. */
export type ChangePart = (part: TreePart, path: readonly string[] | undefined) => TreePart | undefined;

/** How the texts of one object are written anew. */
export interface TextChange {
  /** Texts without it stay as they are, unread. */
  readonly mentioned: string;
  readonly part: ChangePart;
  /** What becomes of the search path that a query was stored with. */
  readonly path?: (path: readonly string[]) => readonly string[];
}

/** The object with its texts written anew; the same object where none of them changes. */
export function withTexts<T extends ObjectDescriptor>(object: T, change: TextChange): T {
  return changed(object, change) as T;
}

function changed(object: ObjectDescriptor, change: TextChange): ObjectDescriptor {
  const expression = (sql: string | undefined): string | undefined => changedExpression(sql, change);
  const query = <Q extends StoredQuery>(stored: Q): Q => changedQuery(stored, change);
  switch (object.kind) {
    case 'table': {
      const columns = sameOrMapped(object.columns, (column) => replaced(column, 'defaultSql', expression));
      const constraints = sameOrMapped(object.constraints, (constraint) =>
        constraint.kind === 'check' ? replaced(constraint, 'expressionSql', expression) : constraint,
      );
      const { materialized, partitioned } = object;
      const source = materialized === undefined ? undefined : query(materialized);
      const parts =
        partitioned && sameOrMapped(partitioned.parts, (part) => replaced(part, 'expressionSql', expression));
      const keepsRest = source === materialized && parts === partitioned?.parts;
      if (columns === object.columns && constraints === object.constraints && keepsRest) return object;
      const table = {
        ...object,
        columns,
        constraints,
        ...(partitioned === undefined || parts === undefined ? {} : { partitioned: { ...partitioned, parts } }),
        schemaVersion: object.schemaVersion + 1,
      };
      return source === undefined ? table : { ...table, materialized: source };
    }
    case 'index': {
      const parts = sameOrMapped(object.parts, (part) => replaced(part, 'expressionSql', expression));
      const index = replaced(object, 'predicateSql', expression);
      return parts === object.parts ? index : { ...index, parts };
    }
    case 'type': {
      const { definition } = object;
      if (definition.kind !== 'domain') return object;
      const checks = sameOrMapped(definition.checks, (check) => replaced(check, 'expressionSql', expression));
      const domain = replaced(definition, 'defaultSql', expression);
      if (domain === definition && checks === definition.checks) return object;
      return { ...object, definition: { ...domain, checks } };
    }
    case 'view':
      return query(object);
    case 'policy': {
      const { using, check } = object;
      const [nowUsing, nowCheck] = [using && query(using), check && query(check)];
      if (nowUsing === using && nowCheck === check) return object;
      return {
        ...object,
        ...(nowUsing === undefined ? {} : { using: nowUsing }),
        ...(nowCheck === undefined ? {} : { check: nowCheck }),
      };
    }
    case 'routine': {
      const parameters = sameOrMapped(object.parameters, (parameter) => replaced(parameter, 'defaultSql', expression));
      const searchPath = change.path?.(object.searchPath) ?? object.searchPath;
      const statements = sameOrMapped(object.body?.statements ?? [], query);
      const hasBody = object.body !== undefined && statements !== object.body.statements;
      if (parameters === object.parameters && searchPath === object.searchPath && !hasBody) return object;
      const routine = { ...object, parameters, searchPath };
      return object.body === undefined ? routine : { ...routine, body: { ...object.body, statements } };
    }
    case 'trigger': {
      const trigger = replaced(object, 'whenSql', expression);
      const { action } = object;
      const statements = action === undefined ? [] : sameOrMapped(action.statements, query);
      return action === undefined || statements === action.statements
        ? trigger
        : { ...trigger, action: { ...action, statements } };
    }
    case 'rule': {
      const condition = object.condition && query(object.condition);
      const actions = sameOrMapped(object.actions, (action) => (action.kind === 'statement' ? query(action) : action));
      if (condition === object.condition && actions === object.actions) return object;
      return { ...object, actions, ...(condition === undefined ? {} : { condition }) };
    }
    default:
      return object;
  }
}

/** The object with one of its texts written anew. */
function replaced<K extends string, T extends { readonly [key in K]?: string }>(
  object: T,
  key: K,
  change: (sql: string | undefined) => string | undefined,
): T {
  const before = object[key];
  const after = change(before);
  return after === before ? object : { ...object, [key]: after };
}

function sameOrMapped<T>(items: readonly T[], change: (item: T) => T): readonly T[] {
  const made = items.map(change);
  return made.every((item, i) => item === items[i]) ? items : made;
}

function changedExpression(sql: string | undefined, { mentioned, part }: TextChange): string | undefined {
  if (sql === undefined || !sql.includes(mentioned)) return sql;
  const before = parseExpression(sql);
  const after = rewriteTree(before, (node) => part(node, undefined));
  return after === before ? sql : deparseExpression(after);
}

function changedQuery<Q extends StoredQuery>(stored: Q, { mentioned, part, path }: TextChange): Q {
  const searchPath = path?.(stored.searchPath) ?? stored.searchPath;
  const onPath = searchPath === stored.searchPath ? stored : { ...stored, searchPath };
  if (!stored.querySql.includes(mentioned)) return onPath;
  const before = parseStatement(stored.querySql) as Query;
  const after = rewriteTree(before, (node) => part(node, stored.searchPath));
  return after === before ? onPath : { ...onPath, querySql: deparseStatement(after) };
}
