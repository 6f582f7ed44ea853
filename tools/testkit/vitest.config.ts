import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'testkit', coverageMin: 0 });
