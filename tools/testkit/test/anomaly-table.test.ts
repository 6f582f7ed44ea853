import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { anomalyTable } from '../src/histories.js';

it('docs/isolation.md says of every anomaly what the tests of mvcc and db assert', () => {
  const page = readFileSync(new URL('../../../docs/isolation.md', import.meta.url), 'utf8');
  expect(page).toContain(anomalyTable().join('\n'));
});
