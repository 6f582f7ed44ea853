import { describe, expect, it } from 'vitest';
import { checkLockfile } from '../src/source/lockfile.js';
import { checkText, linesMax } from '../src/source/text-rules.js';
import { writeTree } from './fixture.js';

function rulesBroken(files: Record<string, string>): string[] {
  return checkText(writeTree(files)).map(({ file, line, rule }) => `${file}:${line} ${rule}`);
}

describe('checkText', () => {
  it('allows as many lines as the limit and not one more', () => {
    const found = rulesBroken({
      'a.ts': 'x\n'.repeat(linesMax),
      'b.ts': 'x\n'.repeat(linesMax + 1),
      'c.md': 'x\n'.repeat(999),
    });
    expect(found).toEqual(['b.ts:0 file-length']);
  });

  it('finds unfinished work and silenced checkers in code', () => {
    const found = rulesBroken({
      'a.ts': `const x = 1; // ${'TO'}DO later\nthrow new Error('not ${'implement'}ed');\n`,
      'b.ts': `// @ts-${'ignore'}\n// oxlint-${'disable'}-next-line\n// @ts-expect-error says why\n`,
      'c.md': `${'TO'}DO lists may be written about\n`,
    });
    expect(found).toEqual(['a.ts:1 unfinished', 'a.ts:2 unfinished', 'b.ts:1 switched-off', 'b.ts:2 switched-off']);
  });

  it('finds paths of one machine anywhere, and leaves other paths and addresses alone', () => {
    const home = '/home';
    const found = rulesBroken({
      'a.ts': `const path = '${home}/me/phantom';\nconst other = '/data/home/x';\n`,
      'b.md': `See \`${home}/me\` and https://example.org${home}/page.\n`,
      'c.json': `{ "path": "C:\\\\${'Users'}\\\\me" }\n`,
      'dist/d.ts': `'${home}/me/x'\n`,
    });
    expect(found).toEqual(['a.ts:1 machine-path', 'b.md:1 machine-path', 'c.json:1 machine-path']);
  });
});

describe('checkLockfile', () => {
  it('accepts hashes and refuses hosts', () => {
    const good = { 'pnpm-lock.yaml': "lockfileVersion: '9.0'\n  resolution: {integrity: sha512-x}\n" };
    expect(checkLockfile(writeTree(good))).toEqual([]);
    const bad = { 'pnpm-lock.yaml': 'a\n  resolution: {tarball: https://r.example/x.tgz}\n', '.npmrc': 'registry=x\n' };
    expect(checkLockfile(writeTree(bad)).map(({ file, line }) => `${file}:${line}`)).toEqual([
      'pnpm-lock.yaml:2',
      '.npmrc:1',
    ]);
    expect(checkLockfile(writeTree({}))).toHaveLength(1);
  });
});
