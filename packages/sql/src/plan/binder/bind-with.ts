/**
 * WITH: each query is bound once and given a number; FROM refers to it by that number. A recursive one is bound in two
 * parts: the first gives the columns, the second reads the working table under the query's own name.
 */
import type { Binder } from '../../expr/binder.js';
import type { Scope } from '../../expr/scope.js';
import type * as Ast from '../../text/ast.js';
import type { CommonTable } from '../logical/logical.js';
import { bindRecursive, references } from './bind-recursive.js';
import { binding, renameFields } from './common-tables.js';

/** Binds the clause into `scope`; the answer gives the tables once the main query has been bound. */
export function bindWith(binder: Binder, node: Ast.WithClause, scope: Scope): () => CommonTable[] {
  const { context } = binder;
  const tables: CommonTable[] = [];
  const seen = new Set<string>();
  for (const table of node.tables) {
    if (seen.has(table.name.text)) {
      throw context.error(
        '42712',
        `WITH query name "${table.name.text}" specified more than once`,
        table.name.position,
      );
    }
    seen.add(table.name.text);
  }
  for (const table of node.recursive ? inOrderOfUse(binder, node.tables) : node.tables) {
    const bound = node.recursive ? bindRecursive(binder, table, scope, bindWith) : undefined;
    tables.push(bound ?? bindPlain(binder, table, scope));
  }
  return () => tables;
}

/** Queries of WITH RECURSIVE may name later ones: each comes after those it names. 0A000 for a circle of several. */
function inOrderOfUse(binder: Binder, tables: readonly Ast.CommonTable[]): Ast.CommonTable[] {
  const ordered: Ast.CommonTable[] = [];
  const open = new Set<Ast.CommonTable>();
  const visit = (table: Ast.CommonTable): void => {
    if (ordered.includes(table)) return;
    if (open.has(table)) {
      throw binder.context.error('0A000', 'mutual recursion between WITH items is not supported', table.name.position);
    }
    open.add(table);
    for (const other of tables) {
      if (other !== table && references(table.statement, other.name.text).length > 0) visit(other);
    }
    ordered.push(table);
  };
  tables.forEach(visit);
  return ordered;
}

function bindPlain(binder: Binder, table: Ast.CommonTable, scope: Scope): CommonTable {
  const { context } = binder;
  const { statement } = table;
  if (table.search !== undefined || table.cycle !== undefined) {
    throw context.error('42601', 'WITH query is not recursive', table.position);
  }
  const writes = statement.kind !== 'query';
  if (writes && scope.parent !== undefined) {
    throw context.error(
      '0A000',
      'WITH clause containing a data-modifying statement must be at the top level',
      table.name.position,
    );
  }
  const query = writes ? binder.bindModification(statement, scope) : binder.bindQuery(statement, scope);
  const fields = renameFields(binder, table, query.fields);
  const id = context.newCommonTable();
  const uses = { count: 0 };
  scope.ctes.set(
    table.name.text,
    binding(id, table.name.text, fields, false, () => {
      if (writes && query.fields.length === 0) {
        throw context.error(
          '0A000',
          `WITH query "${table.name.text}" does not have a RETURNING clause`,
          table.position,
        );
      }
      uses.count++;
    }),
  );
  return {
    id,
    name: table.name.text,
    plan: query.plan,
    recursive: undefined,
    columns: query.plan.columns,
    writes,
    materialized: table.materialized,
  };
}
