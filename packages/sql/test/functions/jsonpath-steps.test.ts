/** A jsonpath expression looks at so many items and no more, whatever its conditions multiply. */
import { describe, expect, it } from 'vitest';
import { PathExecution, type PathItem } from '../../src/functions/jsonpath/path-execution.js';
import { parseJsonPath } from '../../src/functions/jsonpath/path-syntax.js';

const root = Array.from({ length: 20 }, (_, i) => i);

function count(path: string, stepsMax: number): number {
  const items: PathItem[] = [];
  const options = { variables: undefined, silent: true, timeZone: undefined, stepsMax };
  new PathExecution(parseJsonPath(path), root, options).run(items);
  return items.length;
}

describe('the steps of a jsonpath expression', () => {
  it.each(['strict $ ? (@[*] > @[*])', '$[*] ? (@ == $[*])', '$.**.**.**', '$[0 to 19, 0 to 19, 0 to 19, 0 to 19]'])(
    'end at the limit: %s',
    (path) => {
      expect(() => count(path, 75)).toThrow(expect.objectContaining({ code: '54001' }));
    },
  );

  it('suffice for what looks at an item a few times', () => {
    expect(count('$[*] ? (@ > 9)', 150)).toBe(10);
  });
});
