import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'lsm', coverageMin: 90 });
