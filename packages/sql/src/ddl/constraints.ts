/** Constraints, from syntax to descriptor: which kind it is, and CHECK with the rows that are there already. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { ConstraintDescriptor, TableDescriptor } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { bindRowExpression } from '../expr/row-expression.js';
import type { TableConstraint } from '../text/ast-schema.js';
import { BOOL } from '../types/type-refs.js';
import type { DdlContext } from './context.js';
import { addExclusion } from './exclusion-constraints.js';
import { addForeignKey } from './foreign-key-constraints.js';
import { mergeIntoCheck } from './inheritance/merged-checks.js';
import { addKey, addKeyOver } from './key-constraints.js';
import { chooseName, freeConstraintName } from './names.js';
import { replaceTable } from './replace-table.js';
import { storedExpression } from './stored-expressions.js';
import { checkExistingRows } from './validate.js';

type Step = Generator<Yielded, void, void>;
type CheckNode = TableConstraint & { kind: 'check' };

export interface AddConstraintOptions {
  /** The table is made in this statement: it has no rows to check. */
  readonly newTable: boolean;
  /** The statement does nothing else. */
  readonly alone?: boolean;
  /** It comes from a table that this one inherits from. */
  readonly isInherited?: boolean;
}

/** Adds a constraint to a table in the overlay. The caller holds the table's lock. */
export function* addConstraint(
  context: DdlContext,
  table: TableDescriptor,
  node: TableConstraint,
  options: AddConstraintOptions,
): Step {
  switch (node.kind) {
    case 'check':
      return yield* addCheck(context, table, node, options);
    case 'unique':
    case 'primary-key':
      return yield* addKey(context, table, node, options);
    case 'foreign-key':
      return yield* addForeignKey(context, table, node, options.newTable);
    case 'exclude':
      return yield* addExclusion(context, table, node, options);
    case 'using-index':
      return yield* addKeyOver(context, table, node);
  }
}

function* addCheck(context: DdlContext, table: TableDescriptor, node: CheckNode, options: AddConstraintOptions): Step {
  if (!node.enforced) throw unsupportedError('NOT ENFORCED constraints');
  const expressionSql = storedExpression(context, node.condition, table.name);
  const bound = bindRowExpression(expressionSql, {
    columns: table.columns,
    relationName: table.name,
    catalog: context.picture,
    target: BOOL,
    purpose: 'check',
  });
  if (node.noInherit && table.partitioned !== undefined)
    throw new PhantomError('42P16', `cannot add NO INHERIT constraint to partitioned table "${table.name}"`);
  const isInherited = options.isInherited === true;
  if (node.name !== undefined && (isInherited || table.parentOids !== undefined)) {
    const { noInherit, notValid, name } = node;
    const proposed = { name: name.text, expressionSql, noInherit, validated: !notValid, isInherited };
    if (mergeIntoCheck(context, table, proposed)) return;
  }
  const only =
    bound.columns.length === 1 ? table.columns.find((column) => column.number === bound.columns[0])?.name : undefined;
  const taken = (name: string): boolean => table.constraints.some((constraint) => constraint.name === name);
  const name =
    node.name === undefined
      ? chooseName(context, 0, only === undefined ? [table.name] : [table.name, only], 'check', taken)
      : freeConstraintName(table, node.name.text);
  const constraint: ConstraintDescriptor = {
    kind: 'check',
    oid: context.catalog.allocateOid(),
    name,
    deferrable: false,
    initiallyDeferred: false,
    validated: !node.notValid,
    expressionSql,
    columns: bound.columns,
    ...(node.noInherit ? { noInherit: true } : {}),
    ...(isInherited ? { inheritCount: 1, isLocal: false } : {}),
  };
  if (!options.newTable && !node.notValid) yield* checkExistingRows(context, table, name, bound);
  replaceTable(context, table, { constraints: [...table.constraints, constraint] });
}
