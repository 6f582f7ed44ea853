/** Rules by the list that their relation keeps. */
import type { ObjectReader, Oid, RuleDescriptor } from '@phantom/catalog';

/** The rules of these numbers in the order of their names, which is the one in which they apply. */
export function rulesAmong(oids: readonly Oid[], objects: Pick<ObjectReader, 'object'>): RuleDescriptor[] {
  return oids
    .flatMap((oid) => {
      const rule = objects.object(oid);
      return rule?.kind === 'rule' ? [rule] : [];
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
