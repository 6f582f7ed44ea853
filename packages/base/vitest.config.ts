import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'base', coverageMin: 90 });
