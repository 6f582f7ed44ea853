import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'runs', coverageMin: 90 });
