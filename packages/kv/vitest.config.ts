import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'kv', coverageMin: 90 });
