import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'catalog', coverageMin: 80 });
