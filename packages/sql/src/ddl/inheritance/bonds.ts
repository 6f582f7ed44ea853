/**
 * The bonds between tables and those that inherit from them: each end names the other (TableDescriptor.parentOids and heirOids). A change
 * of a bond holds the parent's lock in the mode that only its like waits for: whoever reads or writes the parent goes on, and the next
 * statement sees the tree as it is then.
 */
import type { Oid, TableDescriptor } from '@phantom/catalog';
import { TableLockMode } from '@phantom/mvcc';
import type { Yielded } from '../../exec/runtime.js';
import type { DdlContext } from '../context.js';

type Step<T> = Generator<Yielded, T, void>;

/** Waits until nobody else changes what inherits from the table; answers with it as it is then, undefined when it has gone. */
export function* lockBond({ objects }: DdlContext, oid: Oid): Step<TableDescriptor | undefined> {
  const ask = (): unknown => objects.lockTable(oid, TableLockMode.ShareUpdateExclusive, 'wait');
  for (let wait = ask(); wait instanceof Promise; wait = ask()) yield wait;
  const table = objects.object(oid);
  return table?.kind === 'table' ? table : undefined;
}

/** Tells the parents of a table of it. The caller holds their bonds' locks. */
export function bindToParents(context: DdlContext, oid: Oid, parentOids: readonly Oid[]): void {
  for (const parentOid of parentOids) {
    const parent = context.objects.object(parentOid);
    if (parent?.kind !== 'table') continue;
    context.objects.put({ ...parent, heirOids: [...(parent.heirOids ?? []), oid] });
    renewTrees(context, parentOid);
  }
}

/** A parent forgets a table that inherits from it no more. */
export function* leaveParent(context: DdlContext, oid: Oid, parentOid: Oid): Step<void> {
  const parent = yield* lockBond(context, parentOid);
  if (parent === undefined) return;
  const { heirOids = [], ...rest } = parent;
  const left = heirOids.filter((heir) => heir !== oid);
  context.objects.put(left.length === 0 ? rest : { ...rest, heirOids: left });
  renewTrees(context, parentOid);
}

/** A table whose tree has changed, and all above it: what was made for them as they were is made anew. */
function renewTrees({ objects }: DdlContext, oid: Oid): void {
  const reached = new Set<Oid>([oid]);
  for (const next of reached) {
    const table = objects.object(next);
    if (table?.kind !== 'table') continue;
    objects.put({ ...table, schemaVersion: table.schemaVersion + 1 });
    for (const parentOid of table.parentOids ?? []) reached.add(parentOid);
  }
}
