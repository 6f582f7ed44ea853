/** CREATE TABLE (LIKE other INCLUDING ...): copies of another table's columns and, if asked for, of what hangs on them. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { ColumnDescriptor, TableDescriptor } from '@phantom/catalog';
import { parseExpression } from '../text/parse.js';
import type { LikeClause, LikeOption, TableConstraint } from '../text/ast-schema.js';
import type { DdlContext } from './context.js';
import { relationNamed } from './names.js';

/** The table with the other one's columns behind its own; CHECK constraints that are included are appended to `constraints`. */
export function likeColumns(
  context: DdlContext,
  table: TableDescriptor,
  node: LikeClause,
  constraints: TableConstraint[],
): TableDescriptor {
  const source = relationNamed(context, node.table);
  if (source.kind !== 'table') throw new PhantomError('42809', `"${source.name}" is not a table`);
  const included = (what: LikeOption): boolean => {
    const decisive = node.options.filter((option) => option.what === what || option.what === 'all').at(-1);
    return decisive?.include === true;
  };
  if (included('indexes')) throw unsupportedError('LIKE ... INCLUDING INDEXES');
  if (included('identity') && source.columns.some((column) => column.identity !== undefined)) {
    throw unsupportedError('LIKE ... INCLUDING IDENTITY');
  }
  const columns: ColumnDescriptor[] = [...table.columns];
  for (const column of source.columns) {
    if (column.dropped) continue;
    if (columns.some((candidate) => candidate.name === column.name)) {
      throw new PhantomError('42701', `column "${column.name}" specified more than once`);
    }
    const keepsValue = column.generated === undefined ? included('defaults') : included('generated');
    columns.push({
      number: (columns.at(-1)?.number ?? 0) + 1,
      name: column.name,
      type: column.type,
      notNull: column.notNull,
      dropped: false,
      sinceVersion: table.layoutVersion,
      ...(keepsValue && column.defaultSql !== undefined ? { defaultSql: column.defaultSql } : {}),
      ...(keepsValue && column.generated !== undefined ? { generated: column.generated } : {}),
      ...(included('comments') && column.comment !== undefined ? { comment: column.comment } : {}),
    });
  }
  if (included('constraints')) {
    for (const constraint of source.constraints) {
      if (constraint.kind !== 'check') continue;
      constraints.push({
        kind: 'check',
        name: { text: constraint.name, position: node.position, quoted: true },
        condition: parseExpression(constraint.expressionSql),
        noInherit: false,
        notValid: false,
        enforced: true,
        position: node.position,
      });
    }
  }
  return { ...table, columns };
}
