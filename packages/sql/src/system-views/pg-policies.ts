/** Row-level security in the catalogs: pg_policy for tools, pg_policies for people. */
import { type PolicyCondition, type PolicyDescriptor, PUBLIC_ROLE, type TableDescriptor } from '@phantom/catalog';
import { SqlArray } from '@phantom/codec';
import { TypeOid } from '../types/type-oids.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import { policyText } from './object-text.js';
import { relationsOf } from './pg-objects.js';
import type { SystemView, SystemViewSource } from './system-view.js';

const COMMAND_LETTERS: Readonly<Record<PolicyDescriptor['command'], string>> = {
  all: '*',
  select: 'r',
  insert: 'a',
  update: 'w',
  delete: 'd',
};

/** Policies of the session's database, each with its table. */
export function* policiesOf(source: SystemViewSource): Iterable<readonly [TableDescriptor, PolicyDescriptor]> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'table') continue;
    for (const oid of relation.rowSecurity?.policyOids ?? []) {
      const policy = source.objectsSeen.object(oid);
      if (policy?.kind === 'policy') yield [relation, policy];
    }
  }
}

function text(source: SystemViewSource, table: TableDescriptor, condition: PolicyCondition | undefined): string | null {
  return condition === undefined ? null : policyText(source.catalog, table, condition);
}

export const POLICY_VIEWS: readonly SystemView[] = [
  catalogView('pg_policy', function* (source): Iterable<CatalogRow> {
    for (const [table, policy] of policiesOf(source)) {
      yield {
        oid: policy.oid,
        polname: policy.name,
        polrelid: table.oid,
        polcmd: COMMAND_LETTERS[policy.command],
        polpermissive: policy.permissive,
        polroles: SqlArray.of(TypeOid.oid, [...policy.roleOids]),
        polqual: text(source, table, policy.using),
        polwithcheck: text(source, table, policy.check),
      };
    }
  }),
  catalogView('pg_policies', function* (source): Iterable<CatalogRow> {
    const roleName = (oid: number): string => (oid === PUBLIC_ROLE ? 'public' : source.roleNameOf(oid));
    for (const [table, policy] of policiesOf(source)) {
      yield {
        schemaname: source.schemaNameOf(table.schemaOid),
        tablename: table.name,
        policyname: policy.name,
        permissive: policy.permissive ? 'PERMISSIVE' : 'RESTRICTIVE',
        roles: SqlArray.of(TypeOid.name, policy.roleOids.map(roleName).sort()),
        cmd: policy.command.toUpperCase(),
        qual: text(source, table, policy.using),
        with_check: text(source, table, policy.check),
      };
    }
  }),
];
