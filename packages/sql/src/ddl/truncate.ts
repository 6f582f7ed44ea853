/** TRUNCATE: tables and their indexes get fresh, empty spaces; the old ones go by range removal, unread. */
import { PhantomError } from '@phantom/base';
import { type Oid, type TableDescriptor, hasPrivilege } from '@phantom/catalog';
import { spaceRange } from '@phantom/kv';
import { referringTables } from '../storage/table-rules.js';
import { heirsOf } from '../storage/inheritance/table-tree.js';
import { partitionsOf } from '../storage/partitions/partitioning.js';
import type { Truncate } from '../text/ast-schema.js';
import type { Yielded } from '../exec/runtime.js';
import type { DdlContext, DdlExecution } from './context.js';
import { lockForChange, refuseWhileInUse, relationNamed } from './names.js';
import { restartAt } from './sequences.js';

export function* truncate(context: DdlContext, node: Truncate): DdlExecution {
  const tables = new Map<Oid, TableDescriptor>();
  const inherited = new Set<Oid>();
  // Those that are meant alone come last: by then they have been met with what inherits from them, if they are below another one.
  const inOrder = node.tables.toSorted((a, b) => Number(b.only) - Number(a.only));
  const withHeirs = new Set<Oid>();
  const pending = inOrder.map(({ name, only }) => {
    const relation = relationNamed(context, name);
    if (relation.kind !== 'table' || relation.materialized !== undefined)
      throw new PhantomError('42809', `"${relation.name}" is not a table`);
    if (only && relation.partitioned !== undefined)
      throw new PhantomError('42809', 'cannot truncate only a partitioned table', {
        hint: 'Do not specify the ONLY keyword, or use TRUNCATE ONLY on the partitions directly.',
      });
    if (!only) withHeirs.add(relation.oid);
    return relation;
  });
  const named = new Set(pending.map((table) => table.oid));
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (tables.has(next.oid)) continue;
    if (!inherited.has(next.oid) && !hasPrivilege(context.objects, context.roleOid, next, 'D'))
      throw new PhantomError('42501', `permission denied for table ${next.name}`);
    const table = yield* lockForChange(context, next);
    if (table === undefined) continue;
    yield* refuseWhileInUse(context, table, 'TRUNCATE');
    if (!named.has(table.oid) && !inherited.has(table.oid))
      context.notice('NOTICE', '00000', `truncate cascades to table "${table.name}"`);
    tables.set(table.oid, table);
    const heirs = withHeirs.has(table.oid)
      ? heirsOf(table, context.objects).filter((heir) => isSeen(context, heir))
      : [];
    for (const part of [...partitionsOf(table, context.objects), ...heirs]) {
      inherited.add(part.oid);
      withHeirs.add(part.oid);
      pending.push(part);
    }
    if (node.cascade) pending.push(...referringTables(table, context.objects));
  }
  for (const table of tables.values()) {
    const blocker = referringTables(table, context.objects).find(({ oid }) => !tables.has(oid));
    if (blocker !== undefined) {
      throw new PhantomError('0A000', 'cannot truncate a table referenced in a foreign key constraint', {
        detail: `Table "${blocker.name}" references "${table.name}".`,
        hint: `Truncate table "${blocker.name}" at the same time, or use TRUNCATE ... CASCADE.`,
      });
    }
  }
  const targets = [...tables.values()].map((table) => ({ table, event: 'truncate', assigned: [] }) as const);
  yield* context.triggers.begin(targets);
  for (const table of tables.values()) {
    emptyTable(context, table);
    context.tableRewritten(table.oid);
    if (node.restartIdentity) yield* restartSequences(context, table);
  }
  return undefined;
}

/** Temporary tables of other sessions keep their rows. */
function isSeen({ picture }: DdlContext, { persistence, schemaOid }: TableDescriptor): boolean {
  return persistence !== 'temporary' || schemaOid === picture.temporarySchemaOid;
}

/** Gives a table and its indexes fresh, empty spaces. */
export function emptyTable(
  context: Pick<DdlContext, 'transaction' | 'objects' | 'storage'>,
  table: TableDescriptor,
): void {
  context.transaction.removeRange(spaceRange(table.space));
  const space = context.storage.allocateSpace(table.engine);
  for (const oid of table.indexOids) {
    const index = context.objects.object(oid);
    if (index?.kind !== 'index') continue;
    if (index.space === table.space) {
      context.objects.put({ ...index, space });
    } else {
      context.transaction.removeRange(spaceRange(index.space));
      context.objects.put({ ...index, space: context.storage.allocateSpace(table.engine) });
    }
  }
  context.objects.put({ ...table, space, schemaVersion: table.schemaVersion + 1 });
}

/** RESTART IDENTITY: every sequence that belongs to a column of the table begins anew. */
function* restartSequences(context: DdlContext, table: TableDescriptor): Generator<Yielded, void, void> {
  for (const dependency of Array.from(context.objects.dependentsOf(table.oid))) {
    const found = context.objects.object(dependency.dependentOid);
    if (found?.kind !== 'sequence') continue;
    const sequence = yield* lockForChange(context, found);
    if (sequence !== undefined) restartAt(context, sequence, BigInt(sequence.start));
  }
}
