import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'sql', coverageMin: 80 });
