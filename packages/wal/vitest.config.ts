import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'wal', coverageMin: 90 });
