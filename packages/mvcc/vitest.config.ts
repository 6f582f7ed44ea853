import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'mvcc', coverageMin: 90 });
