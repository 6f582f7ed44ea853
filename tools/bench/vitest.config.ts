import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'bench', coverageMin: 0, include: ['test/**/*.test.mjs'] });
