/** The comment at the end of a text is no part of what statements are kept by, and nothing is read otherwise for that. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StatementCache } from '../../src/session/statement-cache.js';
import { withoutLastComment } from '../../src/session/text-comment.js';
import { parseScript } from '../../src/text/parse.js';
import { runStatement } from '../exec/answers.js';
import { openEngine } from '../support/engine.js';

describe('the comment at the end of a text', () => {
  it.each([
    ['select 1 /* a */', 'select 1 '],
    ["select 1 /*a='b',c='d'*/ ;\n", 'select 1 '],
    ['select 1/**/', 'select 1'],
    ['/* a */', ''],
    ['select 1 -- x /* a */', 'select 1 -- x '],
  ])('is cut from %j', (text, rest) => {
    expect(withoutLastComment(text)).toBe(rest);
  });

  it.each([
    'select 1',
    'select 1 /* a */ + 2',
    'select 1 /* a\n */',
    'select 1 -- /* a\r, 2 */',
    'select 1 /*/',
    'select 1 */',
    'select 1 /* a */ */',
    "select '/* a */'",
    'select 1 -- /* a */ b',
    '',
  ])('is not there in %j', (text) => {
    expect(withoutLastComment(text)).toBe(text);
  });

  it('changes neither what a text means nor how it is refused', () => {
    const pieces = ['select 1', ' ', '\n', "'", '"', '--', '/*', '*/', '/* a */', '$$', '$a$', ';', '*', '+', 'e', 'b'];
    const outcome = (parse: (text: string) => readonly { readonly node: unknown }[], text: string): unknown => {
      try {
        return parse(text).map(({ node }) => node);
      } catch (error) {
        const { code, position } = error as { code?: string; position?: number };
        return [code, position, String(error)];
      }
    };
    const cache = new StatementCache(10, { parses: 0, plans: 0 } as never);
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...pieces), { maxLength: 9 }), fc.boolean(), (parts, isQuery) => {
        const text = `${isQuery ? 'select 1 ' : ''}${parts.join('')}/* a='b' */`;
        expect(outcome((given) => cache.parse(given), text)).toEqual(outcome(parseScript, text));
      }),
      { numRuns: 1500 },
    );
  });

  it('costs neither a parse nor a plan where another one stood', async () => {
    const test = await openEngine();
    const session = test.session();
    const run = (sql: string): Promise<string[]> => runStatement(session, sql);
    await run('create table t (id int primary key, k int)');
    await run('insert into t values (1, 5), (2, 6)');
    const { counters } = test.engine;
    const ask = (i: number, rest = ''): Promise<string[]> =>
      run(`select k from t where k > 5${rest} order by k /*traceparent='00-${i}',route='/orders/${i}'*/`);
    await ask(0);
    const { parses, plans } = counters;
    for (let i = 1; i < 50; i++) expect((await ask(i))[1]?.trim()).toBe('6');
    expect([counters.parses - parses, counters.plans - plans]).toEqual([0, 0]);
    expect((await ask(1, ' and missing = 1'))[0]).toContain('42703');
    await test.close();
  });
});
