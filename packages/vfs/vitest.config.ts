import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'vfs', coverageMin: 90 });
