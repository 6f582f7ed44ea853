import { expect, it } from 'vitest';
import { EngineCode } from '@phantom/kv';
import { CatalogKeys, userSpace } from '../src/index.js';

it('keeps user spaces apart from the catalog, from the first number the store hands out', () => {
  const { space } = new CatalogKeys(EngineCode.Btree);
  for (const number of [0, 1, 2, 1000]) expect(userSpace(EngineCode.Btree, number)).not.toBe(space);
});
