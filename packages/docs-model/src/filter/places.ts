/** Tests of values as tests of documents: asked of what a path leads to. */
import { type Path, walkPath } from '../path.js';
import type { Matcher } from './filter.js';
import type { ValueTest } from './tests.js';

/** Asked of each place of the path. */
export function place(path: Path, test: ValueTest): Matcher {
  return (document) => walkPath(document, path, test);
}

/** Asked of each place, and of each element where there is an array. */
export function anyPlace(path: Path, test: ValueTest): Matcher {
  const visit = (value: unknown): boolean => {
    if (test(value)) return true;
    if (!Array.isArray(value)) return false;
    for (let i = 0; i < value.length; i++) if (test(value[i])) return true;
    return false;
  };
  return (document) => walkPath(document, path, visit);
}
