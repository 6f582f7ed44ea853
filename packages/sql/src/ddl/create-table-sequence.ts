/** The sequence behind a serial or identity column. */
import { PhantomError } from '@phantom/base';
import {
  type ColumnDescriptor,
  NameClass,
  type Oid,
  type SequenceDescriptor,
  type TableDescriptor,
} from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type { SequenceOption } from '../text/ast-schema.js';
import type { DdlContext } from './context.js';
import { chooseName, claimName } from './names.js';
import { sequenceDescriptor } from './sequences.js';

/** Makes the sequence behind a serial or identity column and ties it to the column. */
export function* ownSequence(
  context: DdlContext,
  table: TableDescriptor,
  column: ColumnDescriptor,
  serialType: string | undefined,
  options: readonly SequenceOption[],
  identity: 'always' | 'by default' | undefined,
): Generator<Yielded, ColumnDescriptor, void> {
  const name = chooseName(context, table.schemaOid, [table.name, column.name], 'seq');
  yield* claimName(context, NameClass.Relation, table.schemaOid, name);
  const typeOid: Oid = column.type.oid;
  if (identity !== undefined && ![20, 21, 23].includes(typeOid)) {
    throw new PhantomError('22023', 'identity column type must be smallint, integer, or bigint');
  }
  const sequence: SequenceDescriptor = {
    ...sequenceDescriptor(context, table.schemaOid, name, typeOid, options),
    ownerOid: table.ownerOid,
    persistence: table.persistence,
    ownedBy: { tableOid: table.oid, column: column.number },
  };
  context.objects.put(sequence);
  context.objects.addDependency({
    dependentOid: sequence.oid,
    dependentColumn: 0,
    referencedOid: table.oid,
    referencedColumn: column.number,
    strength: 'automatic',
  });
  if (identity !== undefined) return { ...column, notNull: true, identity, sequenceOid: sequence.oid };
  if (serialType === undefined) return column;
  return { ...column, notNull: true, sequenceOid: sequence.oid, defaultSql: `nextval(${sequence.oid}::regclass)` };
}
