/**
 * How long tables last: what a foreign key asks of that, and SET LOGGED and UNLOGGED. An unlogged table goes through the log like
 * any other here, so that its rows survive a crash, which PostgreSQL does not promise; its rules are PostgreSQL's.
 */
import { PhantomError } from '@phantom/base';
import type { Persistence, SequenceDescriptor, TableDescriptor } from '@phantom/catalog';
import type { DdlContext } from './context.js';

/** Whose rows a foreign key may need: those that last as long as its own. */
const REFERENCED: Readonly<Record<Persistence, readonly Persistence[]>> = {
  permanent: ['permanent'],
  unlogged: ['permanent', 'unlogged'],
  temporary: ['temporary'],
};

/** 42P16 when a foreign key of the table would need rows of one that may be gone before its own are. */
export function checkReferencedPersistence(table: TableDescriptor, parent: TableDescriptor): void {
  const allowed = REFERENCED[table.persistence];
  if (allowed.includes(parent.persistence)) return;
  const message = `constraints on ${table.persistence} tables may reference only ${allowed.join(' or ')} tables`;
  throw new PhantomError('42P16', message);
}

/** SET LOGGED and SET UNLOGGED, of the table and the sequences that it owns; 42P16 when a foreign key is in the way. */
export function changePersistence(
  context: DdlContext,
  table: TableDescriptor,
  persistence: 'permanent' | 'unlogged',
): void {
  if (table.persistence === 'temporary')
    throw new PhantomError('42P16', `cannot change logged status of table "${table.name}" because it is temporary`);
  if (table.persistence === persistence) return;
  const [word, other] = persistence === 'permanent' ? ['logged', 'unlogged'] : ['unlogged', 'logged'];
  const inTheWay = persistence === 'permanent' ? unloggedParent(context, table) : loggedChild(context, table);
  if (inTheWay !== undefined) {
    throw new PhantomError(
      '42P16',
      `could not change table "${table.name}" to ${word} because it references ${other} table "${inTheWay.name}"`,
    );
  }
  context.objects.put({ ...table, persistence, schemaVersion: table.schemaVersion + 1 });
  for (const sequence of ownedSequences(context, table)) context.objects.put({ ...sequence, persistence });
}

function unloggedParent(context: DdlContext, table: TableDescriptor): TableDescriptor | undefined {
  for (const constraint of table.constraints) {
    if (constraint.kind !== 'foreign key' || constraint.referencedTableOid === table.oid) continue;
    const parent = context.objects.object(constraint.referencedTableOid);
    if (parent?.kind === 'table' && parent.persistence === 'unlogged') return parent;
  }
  return undefined;
}

function loggedChild(context: DdlContext, table: TableDescriptor): TableDescriptor | undefined {
  for (const child of dependentsOf(context, table)) {
    if (child?.kind !== 'table' || child.oid === table.oid || child.persistence !== 'permanent') continue;
    const refers = child.constraints.some((one) => one.kind === 'foreign key' && one.referencedTableOid === table.oid);
    if (refers) return child;
  }
  return undefined;
}

function ownedSequences(context: DdlContext, table: TableDescriptor): SequenceDescriptor[] {
  return dependentsOf(context, table).filter(
    (object): object is SequenceDescriptor => object?.kind === 'sequence' && object.ownedBy?.tableOid === table.oid,
  );
}

function dependentsOf(context: DdlContext, table: TableDescriptor): ReturnType<DdlContext['objects']['object']>[] {
  const oids = new Set(Array.from(context.objects.dependentsOf(table.oid), ({ dependentOid }) => dependentOid));
  return [...oids].map((oid) => context.objects.object(oid));
}
