import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'db', coverageMin: 80 });
