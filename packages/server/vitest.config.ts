import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'server', coverageMin: 80 });
