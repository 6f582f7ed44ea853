/** A CHECK that a table is given under the name of one that it has: the two are one where one of them comes from a parent. */
import { PhantomError } from '@phantom/base';
import type { ConstraintDescriptor, TableDescriptor } from '@phantom/catalog';
import type { CheckConstraint } from '../../storage/table-rules.js';
import type { DdlContext } from '../context.js';
import { replaceTable } from '../replace-table.js';

/** What is given: from a parent, or by the table's own definition. */
export interface ProposedCheck {
  readonly name: string;
  readonly expressionSql: string;
  readonly noInherit: boolean;
  readonly validated: boolean;
  readonly isInherited: boolean;
}

/** Merges a CHECK into that of its name; false where the table has none. 42710 and 42P17 where they cannot be one. */
export function mergeIntoCheck(context: DdlContext, table: TableDescriptor, proposed: ProposedCheck): boolean {
  const { name, isInherited } = proposed;
  const known = table.constraints.find((constraint) => constraint.name === name);
  if (known === undefined) return false;
  const isAlike = known.kind === 'check' && known.expressionSql === proposed.expressionSql;
  if (!isAlike || (!isInherited && known.isLocal === undefined))
    throw new PhantomError('42710', `constraint "${name}" for relation "${table.name}" already exists`);
  refuseClash(table, known, proposed);
  context.notice('NOTICE', '00000', `merging constraint "${name}" with inherited definition`);
  const { isLocal: _notLocal, ...local } = known;
  const merged = isInherited ? { ...known, inheritCount: (known.inheritCount ?? 0) + 1 } : local;
  replaceTable(context, table, {
    constraints: table.constraints.map((other): ConstraintDescriptor => (other === known ? merged : other)),
  });
  return true;
}

function refuseClash({ name: relation }: TableDescriptor, known: CheckConstraint, proposed: ProposedCheck): void {
  const clash = (what: string): PhantomError =>
    new PhantomError('42P17', `constraint "${known.name}" conflicts with ${what} constraint on relation "${relation}"`);
  if (known.noInherit === true) throw clash('non-inherited');
  if (proposed.noInherit) throw clash('inherited');
  if (proposed.validated && !known.validated) throw clash('NOT VALID');
}
