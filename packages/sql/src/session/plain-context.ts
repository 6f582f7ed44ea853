/** How values are written where no session says: in errors of the store's own, and in reports on what is stored. */
import type { ObjectDescriptor, Oid } from '@phantom/catalog';
import { TypeCatalog } from '../types/type-catalog.js';
import type { TypeContext } from '../types/type.js';

/** `object` finds a descriptor; types of users are among them. */
export function plainContext(object: (oid: Oid) => ObjectDescriptor | undefined): TypeContext {
  return {
    timeZone: 'UTC',
    dateStyle: 'ISO',
    dateOrder: 'MDY',
    intervalStyle: 'postgres',
    byteaOutput: 'hex',
    xmlOption: 'content',
    extraFloatDigits: 1,
    transactionMicros: 0,
    types: new TypeCatalog((oid) => {
      const found = object(oid);
      return found?.kind === 'type' ? found : undefined;
    }),
  };
}
