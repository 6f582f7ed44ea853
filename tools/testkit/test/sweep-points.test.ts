import { expect, it, vi } from 'vitest';
import { pointsOfEachKind } from '../src/index.js';

it('tries the first of each kind of operation, and each nth from there', () => {
  vi.stubEnv('PHANTOM_SWEEP', '');
  const isTried = pointsOfEachKind(3);
  const write = (path: string): boolean => isTried({ operation: 'write', path });
  const log = ['/d/log/00000001', '/d/log/0000000a', '/d/log/0000000b', '/d/log/00000002', '/d/log/00000003'];
  expect(log.map(write)).toEqual([true, false, false, true, false]);
  expect(write('/d/runs/00000001')).toBe(true);
  expect(isTried({ operation: 'sync', path: '/d/log/00000001' })).toBe(true);
  vi.stubEnv('PHANTOM_SWEEP', 'whole');
  const isTriedWhole = pointsOfEachKind(3);
  expect(log.map((path) => isTriedWhole({ operation: 'write', path }))).not.toContain(false);
  vi.unstubAllEnvs();
});
