/** SET CONSTRAINTS: which deferrable constraints are checked before the commit, and which when each statement ends. */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { splitName } from '../ddl/names.js';
import type { QualifiedName } from '../text/ast-leaves.js';
import type { SetConstraints } from '../text/ast-session.js';
import type { SqlSession } from './session.js';
import type { Utility } from './statement.js';

export function setConstraintsUtility(node: SetConstraints): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'required',
    *run(session) {
      const transaction = session.ensureTransaction();
      if (!transaction.explicit)
        session.notice('WARNING', '25P01', 'SET CONSTRAINTS can only be used in transaction blocks');
      transaction.storage.beginStatement();
      transaction.writersOf(session).beginStatement();
      const oids =
        node.names.length === 0 ? undefined : new Set(node.names.flatMap((name) => named(session, name, node)));
      yield* transaction.deferred.change(node.deferred, oids);
      return 0;
    },
  };
}

/** A constraint of a table, or a constraint trigger. */
interface Deferrable {
  readonly oid: Oid;
  readonly deferrable: boolean;
}

/** Oids of the deferrable constraints of a name: all of the first schema that has one. 42704, 42809. */
function named(session: SqlSession, written: QualifiedName, { deferred }: SetConstraints): Oid[] {
  const { picture } = session;
  const { schema, name } = splitName(written, picture.databaseName);
  const schemas = schema === undefined ? picture.searchPath : [schema];
  for (const candidate of schemas) {
    const found = constraintsOf(session, candidate, name);
    if (found.length === 0) continue;
    const deferrable = found.filter((constraint) => constraint.deferrable);
    if (deferred && deferrable.length < found.length)
      throw new PhantomError('42809', `constraint "${name}" is not deferrable`);
    return deferrable.map((constraint) => constraint.oid);
  }
  throw new PhantomError('42704', `constraint "${name}" does not exist`);
}

function constraintsOf(session: SqlSession, schema: string, name: string): Deferrable[] {
  const { objects } = session.ensureTransaction();
  const found: Deferrable[] = [];
  for (const object of objects.objects()) {
    if (object.kind !== 'table' || object.databaseOid !== session.databaseOid) continue;
    if (objects.object(object.schemaOid)?.name !== schema) continue;
    found.push(...object.constraints.filter((constraint) => constraint.name === name));
    for (const oid of object.triggerOids ?? []) {
      const trigger = objects.object(oid);
      if (trigger?.kind !== 'trigger' || trigger.constraint === undefined || trigger.name !== name) continue;
      found.push({ oid, deferrable: trigger.constraint.deferrable });
    }
  }
  return withParts(session, found);
}

/** The constraints, and what partitions have of them, by whatever name. */
function withParts(session: SqlSession, constraints: readonly Deferrable[]): Deferrable[] {
  const found = new Map(constraints.map((constraint) => [constraint.oid, constraint]));
  if (found.size === 0) return [];
  const parts = [...partsOfConstraints(session)];
  for (let known = 0; known < found.size;) {
    known = found.size;
    for (const part of parts) if (found.has(part.parentOid)) found.set(part.oid, part);
  }
  return [...found.values()];
}

/** The constraints of partitions that they have with their tables, and their constraint triggers. */
function* partsOfConstraints(session: SqlSession): Iterable<Deferrable & { readonly parentOid: Oid }> {
  const { objects } = session.ensureTransaction();
  for (const object of objects.objects()) {
    if (object.kind === 'trigger' && object.constraint !== undefined && object.parentOid !== undefined)
      yield { oid: object.oid, deferrable: object.constraint.deferrable, parentOid: object.parentOid };
    if (object.kind !== 'table' || object.partition === undefined) continue;
    for (const { oid, deferrable, parentOid } of object.constraints)
      if (parentOid !== undefined) yield { oid, deferrable, parentOid };
  }
}
