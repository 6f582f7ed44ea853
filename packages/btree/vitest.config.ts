import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'btree', coverageMin: 90 });
