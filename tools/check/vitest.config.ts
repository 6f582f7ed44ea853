import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'check', coverageMin: 80 });
