/** Says which table or constraint a key belongs to when a transaction has lost a race on it. Asked only then. */
import { toHex } from '@phantom/base';
import type { Catalog } from '@phantom/catalog';
import { SPACE_BYTES, spaceOfKey } from '@phantom/kv';
import type { ConflictNames } from '@phantom/mvcc';

export class CatalogConflictNames implements ConflictNames {
  /** Set once the catalog is open: the catalog itself is read through the transactions that use these names. */
  catalog: Catalog | undefined;

  describe(key: Uint8Array): ReturnType<ConflictNames['describe']> {
    const space = spaceOfKey(key, 0);
    for (const object of this.catalog?.committed.objects() ?? []) {
      if (object.kind === 'table' && object.space === space)
        return { table: object.name, key: toHex(key, SPACE_BYTES) };
      if (object.kind === 'index' && object.space === space)
        return { table: object.name, key: toHex(key, SPACE_BYTES) };
    }
    return undefined;
  }
}
