import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'codec', coverageMin: 90 });
