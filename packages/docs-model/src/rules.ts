/** What is asked of documents before they are written: the collection's schema. */
import type { Logger } from '@phantom/base';
import type { CollectionView } from './collection-view.js';
import { schemaFaults, schemaViolation } from './schema.js';
import type { WriteRules } from './writer.js';

/** The rules of a collection; undefined when it has none. */
export function writeRules(view: CollectionView, logger: Logger): WriteRules | undefined {
  const { table } = view;
  const { collection } = table;
  if (collection?.schema === undefined) return undefined;
  return {
    check(before, after) {
      const faults = after === undefined ? undefined : schemaFaults(collection, before, after);
      if (faults === undefined) return undefined;
      const violation = schemaViolation(table.name, after?.['_id'], faults);
      if (collection.validationAction !== 'warn') throw violation;
      logger.warn(violation.message, { collection: table.name, detail: violation.detail });
      return undefined;
    },
  };
}
