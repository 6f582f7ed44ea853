/**
 * The bonds between tables and those that inherit from them: each end names the other (TableDescriptor.parentOids and heirOids). A change
 * of a bond holds the parent's lock in the mode for which only other definitions wait: whoever reads or writes the parent goes on, and the
 * next statement sees the tree as it is then. Tables further above stay as they are: a tree is made of the picture that it is asked of.
 */
import type { Oid, TableDescriptor } from '@phantom/catalog';
import { TableLockMode } from '@phantom/mvcc';
import type { Yielded } from '../../exec/runtime.js';
import type { DdlContext } from '../context.js';
import { replaceTable } from '../replace-table.js';

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
    replaceTable(context, parent, { heirOids: [...(parent.heirOids ?? []), oid] });
  }
}

/** A parent forgets a table that inherits from it no more. */
export function* leaveParent(context: DdlContext, oid: Oid, parentOid: Oid): Step<void> {
  const parent = yield* lockBond(context, parentOid);
  if (parent === undefined) return;
  const { heirOids = [], ...rest } = parent;
  const left = heirOids.filter((heir) => heir !== oid);
  replaceTable(context, rest, left.length === 0 ? {} : { heirOids: left });
}
