import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { letHeapGrow } from '../src/heap-growth.js';

it('lets the heap grow, but for who has said how far', () => {
  const flags: string[] = [];
  const setFlags = (flag: string): number => flags.push(flag);
  letHeapGrow(['--heap_growing_percent=50'], setFlags);
  letHeapGrow(['--max-old-space-size=64', '--heap-growing-percent=50'], setFlags);
  expect(flags).toEqual([]);
  letHeapGrow(['--max-old-space-size=64'], setFlags);
  expect(flags).toEqual(['--heap-growing-percent=300']);
});

it('names a flag that V8 knows', () => {
  const options = execFileSync(process.execPath, ['--v8-options'], { encoding: 'utf8' });
  expect(options).toContain('--heap-growing-percent');
});
