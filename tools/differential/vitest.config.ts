import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'differential', coverageMin: 80 });
