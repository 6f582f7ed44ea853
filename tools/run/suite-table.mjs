// Clients' own tests, as client-suites.mjs runs them: a line for each client.
//
//   source, tag    where its repository is, and what of it belongs to the table in docs/clients.md
//   needs          what its tests need besides the `dependencies` of its manifest; `true`: the version of its `devDependencies`
//   databases      made before the tests; `roles`: with their passwords; `settings`: flags of the daemon
//   prepare        changes of the checkout: other databases' tests go, containers are replaced by the server's address
//   build          programs that are run before the tests
//   tests          the program, and `form`, by which its results are read: mocha, vitest, or `files` (a program for each file)
//   failing        what fails here and not before PostgreSQL: the beginning of the titles, and the reason
//
// All functions are given the folder of the checkout and the server: { host, port, user, url(database) }.
import { cpSync, existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const EXTENSIONS = 'types of extensions, and tsvector';
const ORDER = 'a GROUP BY without ORDER BY, of which the order of PostgreSQL is expected';

/** Packages in the versions that the checkout asks for. */
const itsOwn = (...lines) => Object.fromEntries(lines.flatMap((line) => line.split(' ')).map((name) => [name, true]));

/** One file of the checkout, changed. */
function edit(folder, file, change) {
  const path = join(folder, file);
  writeFileSync(path, change(readFileSync(path, 'utf8')));
}

/** Everything in a folder of the checkout goes but what is named. */
function keepOnly(folder, names) {
  for (const name of readdirSync(folder)) if (!names.includes(name)) rmSync(join(folder, name), { recursive: true });
}

export const suites = {
  'node-postgres': {
    source: 'https://github.com/brianc/node-postgres',
    tag: 'pg@8.23.0',
    needs: { async: '2.6.4', bluebird: '3.7.2', co: '4.6.0', pg: '8.23.1', 'pg-copy-streams': '0.3.0' },
    // One test sends psql there.
    databases: ['template1'],
    // Roles that have to prove who they are: one whose password is the same before and after SASLprep, and one whose is not.
    roles: { scram_test: 'test4scram', scram_unicode_test: 'IX-\u2168' },
    // One test leaves a connection behind in the middle of its authentication and ends when the server ends that.
    settings: (folder) => [
      `--tls-cert=${join(folder, 'packages/pg/test/tls/test-server.crt')}`,
      `--tls-key=${join(folder, 'packages/pg/test/tls/test-server.key')}`,
      '--authentication-timeout-ms=5000',
    ],
    // They look for the client in the folder above their own.
    prepare(folder, _server, home) {
      const tests = join(home, 'node_modules', 'pg', 'test');
      rmSync(tests, { recursive: true, force: true });
      cpSync(join(folder, 'packages/pg/test'), tests, { recursive: true });
    },
    tests: (_folder, { host, port, user }, home) => {
      const integration = join(home, 'node_modules/pg/test/integration');
      const files = readdirSync(integration, { recursive: true }).filter((name) => name.endsWith('-tests.js'));
      return {
        form: 'files',
        // One after the other: some of them end every other session that rests.
        files: files.sort().map((file) => join(integration, file)),
        environment: {
          PGHOST: host,
          PGPORT: port,
          PGUSER: user,
          PGDATABASE: 'template1',
          SCRAM_TEST_PGUSER: 'scram_test',
          SCRAM_TEST_PGPASSWORD: 'test4scram',
          SCRAM_TEST_PGUSER_UNICODE: 'scram_unicode_test',
          SCRAM_TEST_PGPASSWORD_UNICODE: 'IX-\u2168',
        },
      };
    },
    failing: {},
  },

  knex: {
    source: 'https://github.com/knex/knex',
    tag: '3.3.0',
    needs: itsOwn(
      'chai chai-as-promised chai-subset-in-order cli-testlab JSONStream mocha mock-fs pg pg-query-stream rimraf semver sinon',
      'sinon-chai source-map-support tape toxiproxy-node-client ts-node typescript',
    ),
    databases: ['knex_test'],
    prepare(folder, { host, port, user }) {
      keepOnly(join(folder, 'test/integration2/dialects'), ['postgres.spec.js']);
      const connection = { adapter: 'postgresql', host, port, user, password: 'postgres', database: 'knex_test' };
      writeFileSync(join(folder, 'server.cjs'), `module.exports = { postgres: ${JSON.stringify(connection)} };`);
    },
    tests: (folder) => ({
      form: 'mocha',
      arguments: ['-t', '10000', '--config', 'test/mocha-integration-config-test.js'],
      environment: { DB: 'postgres', KNEX_TEST: join(folder, 'server.cjs') },
    }),
    failing: {
      'Selects postgres select from subquery': 'a subquery without an alias, which PostgreSQL 15 refuses too',
    },
  },

  sequelize: {
    source: 'https://github.com/sequelize/sequelize',
    tag: 'v6.37.8',
    needs: itsOwn(
      'chai chai-as-promised chai-datetime cls-hooked delay esbuild fast-glob js-combinatorics mocha module-alias p-map p-props',
      'p-settle p-timeout pg pg-hstore rimraf sinon sinon-chai',
    ),
    databases: ['sequelize_test'],
    prepare(folder) {
      const dialects = join(folder, 'test/integration/dialects');
      if (existsSync(dialects)) keepOnly(dialects, ['abstract', 'postgres']);
      // Only the code is built: what is copied and what is checked are declarations of types.
      edit(folder, 'build.js', (text) =>
        text
          .replace("const copyFiles = promisify( require('copyfiles'));", '')
          .replace(/const copyFiles = .*/, '')
          .replace(/await copyFiles\([\s\S]*?\);/g, '')
          .replace(/,\s*exec\('tsc', \{[\s\S]*?\n {4}\}\)/, ''),
      );
    },
    build: (_folder) => [[process.execPath, 'build.js']],
    tests: (_folder, { host, port, user }) => ({
      form: 'mocha',
      arguments: ['test/integration/**/*.test.js'],
      environment: { DIALECT: 'postgres', SEQ_PG_HOST: host, SEQ_PG_PORT: port, SEQ_PG_USER: user },
    }),
    // All but those of TSVECTOR fail before a PostgreSQL without hstore, citext, PostGIS and the collation en_US too.
    failing: {
      '[POSTGRES] DataTypes': EXTENSIONS,
      'Dynamic OIDs': EXTENSIONS,
      '[POSTGRES Specific] DAO': EXTENSIONS,
      '[POSTGRES Specific] ExclusionConstraintError': 'exclusion constraints',
      '[POSTGRES] Model constructor': 'an index in the order of a collation of a language',
      '[POSTGRES] Model create': EXTENSIONS,
      '[POSTGRES] Model find': EXTENSIONS,
      '[POSTGRES] Model GEO': EXTENSIONS,
      '[POSTGRES] Model sql injection': EXTENSIONS,
    },
  },

  drizzle: {
    source: 'https://github.com/drizzle-team/drizzle-orm',
    tag: '0.45.2',
    checkout: 'integration-tests',
    ownDependencies: false,
    needs: {
      'async-retry': '1.3.3',
      dockerode: '4.0.6',
      dotenv: '16.4.7',
      'drizzle-orm': '0.45.2',
      'get-port': '7.0.0',
      keyv: '5.2.3',
      pg: '8.23.1',
      postgres: '3.4.9',
      uuid: '9.0.0',
      'vite-tsconfig-paths': '4.3.2',
      vitest: '3.2.4',
    },
    databases: ['drizzle_test'],
    prepare: (folder) => edit(folder, 'tsconfig.json', (text) => text.replace(/"extends": .*/, '')),
    tests: (_folder, { url }) => ({
      form: 'vitest',
      arguments: ['node-postgres', 'postgres-js', 'pg-custom', 'pg-proxy']
        .map((name) => `tests/pg/${name}.test.ts`)
        .concat(['tests/relational/pg.test.ts', 'tests/relational/pg.postgresjs.test.ts']),
      environment: { PG_CONNECTION_STRING: url('drizzle_test'), TZ: 'UTC' },
    }),
    failing: {
      'common select with group by as': ORDER,
      'common mySchema :: select with group by as': ORDER,
      'select with group by as': ORDER,
    },
  },
};
