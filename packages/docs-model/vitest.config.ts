import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'docs-model', coverageMin: 80 });
