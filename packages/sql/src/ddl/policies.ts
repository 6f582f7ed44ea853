/**
 * Row-level security: CREATE, ALTER and DROP POLICY, and whether a table's policies count.
 *
 * A policy's condition is kept as a query over its table (`SELECT FROM table WHERE condition`), so that it goes on to mean
 * the same when tables and columns are renamed, as a view does. It is bound where a statement reads or writes the table
 * (plan/binder/row-security.ts).
 */
import { PhantomError } from '@phantom/base';
import {
  NameClass,
  type ObjectDescriptor,
  type Oid,
  PUBLIC_ROLE,
  type PolicyCondition,
  type PolicyDescriptor,
  type TableDescriptor,
} from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import { parseStatement } from '../text/parse.js';
import type { CreatePolicy, ObjectRef, RoleSpecification } from '../text/ast-access.js';
import type { Name, QualifiedName } from '../text/ast-leaves.js';
import type { Expression, Query } from '../text/ast.js';
import type { Drop, Rename } from '../text/ast-schema.js';
import { quoteIdentifier } from '../types/reg-types.js';
import type { DdlContext, DdlExecution } from './context.js';
import { dropAll } from './drop.js';
import { claimName, findRelation, lockForChange, ownTable, requireOwner } from './names.js';
import { roleOf } from './role-names.js';
import { putSecurity, securityOf } from './row-security.js';
import { dependOn, storedQuery } from './stored-queries.js';

export function* createPolicy(context: DdlContext, node: CreatePolicy): DdlExecution {
  const found = securedTable(context, node.table);
  const name = node.name.text;
  checkConditions(node.command, node.using !== undefined, node.check !== undefined);
  const table = (yield* lockForChange(context, found)) as TableDescriptor;
  if ((yield* claimName(context, NameClass.Policy, table.oid, name)) !== undefined)
    throw new PhantomError('42710', `policy "${name}" for table "${table.name}" already exists`);
  const using = conditionOf(context, table, node.using);
  const check = conditionOf(context, table, node.check);
  const policy: PolicyDescriptor = {
    kind: 'policy',
    oid: context.catalog.allocateOid(),
    name,
    databaseOid: context.databaseOid,
    tableOid: table.oid,
    permissive: node.permissive,
    command: node.command,
    roleOids: roleOidsOf(context, node.roles),
    ...(using === undefined ? {} : { using }),
    ...(check === undefined ? {} : { check }),
  };
  putPolicy(context, policy);
  const security = securityOf(table);
  putSecurity(context, table, { ...security, policyOids: [...security.policyOids, policy.oid] });
  return undefined;
}

/** A policy of a table of the current role's, for COMMENT; the table is locked. */
export function* ownPolicy(context: DdlContext, target: ObjectRef): Generator<Yielded, PolicyDescriptor, void> {
  const found = securedTable(context, target.on ?? []);
  const table = (yield* lockForChange(context, found)) as TableDescriptor;
  return policyNamed(context, table, target.name.at(-1)?.text ?? '');
}

/** ALTER POLICY: what is written takes the place of what was. */
export function* alterPolicy(context: DdlContext, node: CreatePolicy): DdlExecution {
  const found = securedTable(context, node.table);
  const table = (yield* lockForChange(context, found)) as TableDescriptor;
  const policy = policyNamed(context, table, node.name.text);
  checkConditions(policy.command, node.using !== undefined, node.check !== undefined);
  const using = conditionOf(context, table, node.using);
  const check = conditionOf(context, table, node.check);
  putPolicy(context, {
    ...policy,
    ...(node.roles.length === 0 ? {} : { roleOids: roleOidsOf(context, node.roles) }),
    ...(using === undefined ? {} : { using }),
    ...(check === undefined ? {} : { check }),
  });
  putSecurity(context, table, securityOf(table));
  return undefined;
}

export function* renamePolicy(context: DdlContext, node: Rename): DdlExecution {
  const found = securedTable(context, node.target.on as QualifiedName);
  const table = (yield* lockForChange(context, found)) as TableDescriptor;
  if ((yield* claimName(context, NameClass.Policy, table.oid, node.to.text)) !== undefined)
    throw new PhantomError('42710', `policy "${node.to.text}" for table "${table.name}" already exists`);
  const policy = policyNamed(context, table, (node.target.name.at(-1) as Name).text);
  context.objects.put({ ...policy, name: node.to.text });
  return undefined;
}

export function* dropPolicies(context: DdlContext, node: Drop): DdlExecution {
  const going: ObjectDescriptor[] = [];
  for (const target of node.objects) {
    const policy = droppedPolicy(context, node, target);
    if (policy === undefined) continue;
    const table = context.objects.object(policy.tableOid) as TableDescriptor;
    yield* lockForChange(context, table);
    going.push(policy);
  }
  yield* dropAll(context, going, node.cascade);
  return undefined;
}

/** The policy named in a DROP; undefined, with a notice, when it need not be there. */
function droppedPolicy(context: DdlContext, node: Drop, target: ObjectRef): PolicyDescriptor | undefined {
  const on = target.on ?? [];
  const name = target.name.at(-1)?.text as string;
  if (node.ifExists && findRelation(context, on) === undefined) {
    const shown = on.map((part) => part.text).join('.');
    context.notice('NOTICE', '00000', `relation "${shown}" does not exist, skipping`);
    return undefined;
  }
  const table = securedTable(context, on);
  const policy = findPolicy(context, table, name);
  if (policy !== undefined || !node.ifExists) return policy ?? policyNamed(context, table, name);
  context.notice('NOTICE', '00000', `policy "${name}" for relation "${table.name}" does not exist, skipping`);
  return undefined;
}

/** A table that policies may be made for: the current role's own. */
function securedTable(context: DdlContext, name: QualifiedName): TableDescriptor {
  const relation = findRelation(context, name);
  if (relation?.kind === 'table' && relation.materialized !== undefined) {
    requireOwner(context, relation);
    throw new PhantomError('42809', `"${relation.name}" is not a table`);
  }
  return ownTable(context, name);
}

function findPolicy(context: DdlContext, table: TableDescriptor, name: string): PolicyDescriptor | undefined {
  const oid = context.objects.oidByName(NameClass.Policy, table.oid, name);
  const policy = oid === undefined ? undefined : context.objects.object(oid);
  return policy?.kind === 'policy' ? policy : undefined;
}

function policyNamed(context: DdlContext, table: TableDescriptor, name: string): PolicyDescriptor {
  const policy = findPolicy(context, table, name);
  if (policy === undefined)
    throw new PhantomError('42704', `policy "${name}" for table "${table.name}" does not exist`);
  return policy;
}

function checkConditions(command: PolicyDescriptor['command'], using: boolean, check: boolean): void {
  if ((command === 'select' || command === 'delete') && check)
    throw new PhantomError('42601', 'WITH CHECK cannot be applied to SELECT or DELETE');
  if (command === 'insert' && using) throw new PhantomError('42601', 'only WITH CHECK expression allowed for INSERT');
}

/** Roles by oid; everybody when none or PUBLIC is named. */
function roleOidsOf(context: DdlContext, roles: readonly RoleSpecification[]): Oid[] {
  if (roles.length === 0) return [PUBLIC_ROLE];
  if (roles.some((role) => role.kind === 'public')) {
    if (roles.length > 1) {
      context.notice('WARNING', '22023', 'ignoring specified roles other than PUBLIC', {
        hint: 'All roles are members of the PUBLIC role.',
      });
    }
    return [PUBLIC_ROLE];
  }
  return [...new Set(roles.map((role) => roleOf(context, role).oid))];
}

function conditionOf(
  context: DdlContext,
  table: TableDescriptor,
  where: Expression | undefined,
): PolicyCondition | undefined {
  if (where === undefined) return undefined;
  const name = `${quoteIdentifier(context.picture.schemaName(table.schemaOid))}.${quoteIdentifier(table.name)}`;
  const query = parseStatement(`select from ${name}`) as Query;
  const conditioned: Query = { ...query, body: { ...query.body, where } as Query['body'] };
  const described = context.describePolicy(conditioned);
  if (described.parameters > 0) throw new PhantomError('42P02', 'there is no parameter $1');
  return { ...storedQuery(context, conditioned, described), uses: described.uses };
}

/** Puts a policy, with what it stands on: its table even when it looks at none of its columns. */
function putPolicy(context: DdlContext, policy: PolicyDescriptor): void {
  context.objects.put(policy);
  const itself = { oid: policy.tableOid, column: 0 };
  dependOn(context, policy.oid, [itself, ...(policy.using?.uses ?? []), ...(policy.check?.uses ?? [])]);
}
