import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'phantomd', coverageMin: 80, asNode: true, loadsAnew: true });
