/** Whether a table's policies count, and which it has: part of the table's own descriptor. */
import type { Oid, PolicyDescriptor, RowSecurity, TableDescriptor } from '@phantom/catalog';
import type { AlterTableAction } from '../text/ast-schema.js';
import type { DdlContext } from './context.js';
import { forgetObject } from './forget-object.js';

const NONE: RowSecurity = { enabled: false, forced: false, policyOids: [] };

/** ALTER TABLE ... { ENABLE | DISABLE | FORCE | NO FORCE } ROW LEVEL SECURITY. */
export function alterRowSecurity(
  context: DdlContext,
  table: TableDescriptor,
  { mode }: Extract<AlterTableAction, { kind: 'row-security' }>,
): void {
  const security = securityOf(table);
  const byOwner = mode === 'force' || mode === 'no-force';
  putSecurity(
    context,
    table,
    byOwner ? { ...security, forced: mode === 'force' } : { ...security, enabled: mode === 'enable' },
  );
}

/** The table's own, or that of a table which no definition has secured. */
export function securityOf(table: TableDescriptor): RowSecurity {
  return table.rowSecurity ?? NONE;
}

/** Puts the table with other security: every plan over it is made anew. */
export function putSecurity(context: DdlContext, table: TableDescriptor, rowSecurity: RowSecurity): void {
  context.objects.put({ ...table, rowSecurity, schemaVersion: table.schemaVersion + 1 });
}

/** Takes a policy out of its table's list, before it goes. */
export function forgetPolicy(context: DdlContext, policy: PolicyDescriptor): void {
  const table = context.objects.object(policy.tableOid);
  if (table?.kind !== 'table' || table.rowSecurity === undefined) return;
  const policyOids = table.rowSecurity.policyOids.filter((oid) => oid !== policy.oid);
  putSecurity(context, table, { ...table.rowSecurity, policyOids });
}

/** DROP OWNED: policies no longer speak of these roles, and go when they speak of no other. */
export function withoutRoles(context: DdlContext, policy: PolicyDescriptor, roleOids: ReadonlySet<Oid>): void {
  const left = policy.roleOids.filter((oid) => !roleOids.has(oid));
  if (left.length === policy.roleOids.length) return;
  if (left.length > 0) {
    context.objects.put({ ...policy, roleOids: left });
    return;
  }
  forgetPolicy(context, policy);
  forgetObject(context, policy.oid);
}
