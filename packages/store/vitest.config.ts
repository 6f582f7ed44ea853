import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'store', coverageMin: 90 });
