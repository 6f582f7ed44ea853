import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'txn-2pc-saga', coverageMin: 90 });
