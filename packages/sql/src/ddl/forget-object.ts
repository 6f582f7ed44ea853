/** Takes an object out of the catalog, with what it stands on and what stands on it. */
import type { Oid } from '@phantom/catalog';
import type { DdlContext } from './context.js';

export function forgetObject(context: DdlContext, oid: Oid): void {
  const { objects } = context;
  for (const dependency of [...objects.dependenciesOf(oid), ...objects.dependentsOf(oid)])
    objects.removeDependency(dependency);
  objects.remove(oid);
}
