/**
 * What the parser costs: `node packages/sql/bench/parser.mjs`   (after an install; it bundles the sources itself)
 *
 * Construction is measured in processes of their own, as CPU time, because it happens once: reading and compiling the
 * module is told apart from building the parser. Statements are measured warm; beside them stand the figures of a
 * chevrotain grammar of 49 rules with look-ahead tables on a quiet machine of the same kind.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'tsup';

const folder = mkdtempSync(join(tmpdir(), 'phantom-parser-'));
const here = fileURLToPath(new URL('..', import.meta.url));

const statements = {
  'SELECT by key': ['select id, name from users where id = $1', 7.9],
  'SELECT, filter, group, order': [
    `select country, count(*) as n, sum(total) as s from orders where status = 'paid' and total > 10
     group by country having count(*) > 5 order by n desc, country limit 10 offset 20`,
    22.3,
  ],
  'INSERT of 5 parameters': ['insert into t (a, b, c, d, e) values ($1, $2, $3, $4, $5)', 8.0],
  'INSERT of 3 rows': [`insert into t (a, b, c) values (1, 'one', 1.5), (2, 'two', 2.5), (3, 'three', 3.5)`, 10.6],
  'JOIN of 3 tables': [
    `select o.id, o.total, c.name, c.email, i.product, i.quantity * i.price as line from orders o
     join customers c on c.id = o.customer_id left join items i on i.order_id = o.id
     where o.created between $1 and $2 and (c.country = 'DE' or c.country = 'FR') and i.quantity > 1
     order by o.created desc, line limit 50`,
    40.5,
  ],
};

function cpuMicros(run) {
  const before = process.cpuUsage();
  run();
  const spent = process.cpuUsage(before);
  return spent.user + spent.system;
}

const median = (values) => values.toSorted((a, b) => a - b)[values.length >> 1];

const cold = `
  const used = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
  const start = used();
  const { parseScript, parserInstance } = await import(process.argv[1]);
  const imported = used();
  parserInstance();
  const built = used();
  parseScript('select 1');
  console.log(JSON.stringify({ load: imported - start, build: built - imported, first: used() - built }));
`;

try {
  await build({
    entry: { parse: join(here, 'src/text/parse.ts'), lexer: join(here, 'src/text/lexer.ts') },
    outDir: folder,
    format: ['esm'],
    platform: 'node',
    target: 'node20',
    noExternal: [/.*/],
    config: false,
    silent: true,
    esbuildOptions: (options) => {
      options.conditions = ['@phantom/source'];
      options.outExtension = { '.js': '.mjs' };
    },
  });
  const parser = pathToFileURL(join(folder, 'parse.mjs')).href;

  const runs = Array.from({ length: 7 }, () =>
    JSON.parse(execFileSync(process.execPath, ['--input-type=module', '-e', cold, parser], { encoding: 'utf8' })),
  );
  const of = (name) => median(runs.map((run) => run[name])).toFixed(1);
  console.log(
    `cold process   load the module ${of('load')} ms   build the parser ${of('build')} ms   first statement ${of('first')} ms`,
  );

  const { parseScript, parserInstance } = await import(parser);
  const { scan } = await import(pathToFileURL(join(folder, 'lexer.mjs')).href);
  const rules = Object.values(parserInstance().getGAstProductions());
  console.log(
    `chevrotain     ${rules.length} rules, ${rules.flatMap((rule) => rule.definition).length} productions to look ahead for\n`,
  );

  const times = 20_000;
  console.log('statement                      tokens     scan us    parse us    49-rule grammar us');
  for (const [name, [text, beside]] of Object.entries(statements)) {
    const each = (run) => {
      for (let i = 0; i < times; i++) run(text);
      return median(
        Array.from(
          { length: 5 },
          () =>
            cpuMicros(() => {
              for (let i = 0; i < times; i++) run(text);
            }) / times,
        ),
      );
    };
    const columns = [scan(text).tokens.length, each(scan).toFixed(2), each(parseScript).toFixed(2), beside.toFixed(1)];
    console.log(name.padEnd(30) + columns.map((column, i) => String(column).padStart(i === 0 ? 7 : 12)).join(''));
  }
} finally {
  rmSync(folder, { recursive: true });
}
