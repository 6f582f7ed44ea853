import { packageTests } from '../../vitest.shared.mjs';

export default packageTests({ name: 'bench', coverageMin: 0, takesBuilds: true, include: ['test/**/*.test.mjs'] });
