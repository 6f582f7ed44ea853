import { describe, expect, it } from 'vitest';
import { importsOf } from '../src/source/imports.js';

describe('importsOf', () => {
  it('finds every form of import with its line', () => {
    const text = [
      "import a from './a.js';",
      "import type { B } from './b.js';",
      "export { c } from './c.js';",
      "export * from './d.js';",
      "const e = await import('./e.js');",
      "type F = import('./f.js').F;",
      "import './g.js';",
    ].join('\n');
    expect(importsOf('x.ts', text)).toEqual([
      { specifier: './a.js', line: 1, star: false, typeOnly: false },
      { specifier: './b.js', line: 2, star: false, typeOnly: true },
      { specifier: './c.js', line: 3, star: false, typeOnly: false },
      { specifier: './d.js', line: 4, star: true, typeOnly: false },
      { specifier: './e.js', line: 5, star: false, typeOnly: false },
      { specifier: './f.js', line: 6, star: false, typeOnly: true },
      { specifier: './g.js', line: 7, star: false, typeOnly: false },
    ]);
  });

  it('takes no import from a comment, a string, or a computed specifier', () => {
    const text = "// import './a.js'\nconst t = \"import './b.js'\";\nvoid import(t);\nexport const z = 1;\n";
    expect(importsOf('x.ts', text)).toEqual([]);
  });
});
