import { homedir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { compileCacheDirectory, enableCompileCache } from '../src/compile-cache.js';

it('keeps compiled code in the cache folder of the user', () => {
  expect(compileCacheDirectory({})).toBe(join(homedir(), '.cache', 'phantomd'));
  expect(compileCacheDirectory({ XDG_CACHE_HOME: '/somewhere' })).toBe(join('/somewhere', 'phantomd'));
});

it('asks Node for it where Node can, and leaves it to the variable of Node', () => {
  const asked: string[] = [];
  const host = { enableCompileCache: (directory: string) => asked.push(directory) };
  enableCompileCache({ XDG_CACHE_HOME: '/somewhere' }, host);
  enableCompileCache({ NODE_COMPILE_CACHE: '/elsewhere' }, host);
  enableCompileCache({}, {});
  expect(asked).toEqual([join('/somewhere', 'phantomd')]);
});
