/**
 * Limits, each at the limit and one past it. `docs/limits.md` is written from this table (PHANTOM_REWRITE=1 writes it anew), so
 * that the page says nothing that is not tested here.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Database, open } from '@phantom/db';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PORTALS_MAX } from '../src/pg/portals.js';
import { STATEMENTS_MAX } from '../src/pg/prepared-statements.js';
import { type Server, startServer } from '../src/server.js';
import { WireClient, bind, execute, parse, reportFields, sync } from './support/wire-client.js';

/** The server of these tests has a smaller frame than others, so that the limit can be reached quickly. */
const FRAME_BYTES_MAX = 2_000_000;
const CONNECTIONS_MAX = 8;
const PREPARED_MAX = 4;
const INT4_OID = 23;
/** Set by `npm run limits`: those are tried that take gigabytes of memory, and no others. */
const TRIES_LARGE = process.env.PHANTOM_LIMITS_LARGE !== undefined;

let database: Database;
let server: Server;
let client: Client;
beforeAll(async () => {
  database = await open(':memory:', { preparedMax: PREPARED_MAX });
  server = await startServer(database, {
    pgPort: 0,
    frameBytesMax: FRAME_BYTES_MAX,
    connectionsMax: CONNECTIONS_MAX,
    connectionsReserved: 0,
    drainTimeoutMs: 50,
  });
  client = new Client({ ...server.pg, user: 'phantom', database: 'phantom' });
  await client.connect();
});
afterAll(async () => {
  await client.end();
  await server.close();
  await database.close();
});

interface Limit {
  readonly what: string;
  /** The greatest number that is taken. */
  readonly most: number;
  /** Unit, or where the number comes from. */
  readonly of: string;
  /** What one more is told. */
  readonly code: string;
  /** It takes gigabytes of memory: tried by `npm run limits`. */
  readonly isLarge?: boolean;
  /** Tries a number; rejects with the error. */
  readonly attempt: (count: number) => Promise<unknown>;
}

const list = (count: number, item: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => item(i)).join(', ');
const run = (sql: string, values?: unknown[]): Promise<unknown> => client.query(sql, values);
/** Makes something in a transaction that is rolled back. */
const inVain = async (...statements: string[]): Promise<void> => {
  await run('begin');
  try {
    for (const statement of statements) await run(statement);
  } finally {
    await run('rollback');
  }
};

/** What a document of `_id` and one text takes besides that text. */
const DOCUMENT_OVERHEAD_BYTES = 22;
/** What a key of one text takes besides it: the number of its space, and its end. */
const KEY_OVERHEAD_BYTES = 6;
/** What a row of three bytea without a primary key takes besides what is in them: lengths, its number, its place in the log. */
const ROW_OVERHEAD_BYTES = 38;
/** Half of what is in a long row; a text is no longer than that. */
const HALF_ROW_BYTES = 536_870_000;

const insertDocument = (value: string): Promise<void> =>
  inVain('create collection notes', `insert into notes (doc) values (jsonb_build_object('_id', 1, 'a', ${value}))`);

/** Sends messages on a connection of their own; rejects with the first error that is answered. */
async function converse(...messages: Buffer[]): Promise<void> {
  const own = await WireClient.start(server.pg.port);
  const failed = (await own.ask(...messages)).find(({ type }) => type === 'E');
  own.end();
  if (failed !== undefined) throw Object.assign(new Error('refused'), { code: reportFields(failed).C });
}

const limits: Limit[] = [
  {
    what: 'Columns of a table',
    most: 1600,
    of: '',
    code: '54011',
    attempt: (count) => inVain(`create table wide (${list(count, (i) => `c${i} int`)})`),
  },
  {
    what: 'Columns of a result',
    most: 1664,
    of: '',
    code: '54011',
    attempt: (count) => run(`select ${list(count, (i) => String(i))}`),
  },
  {
    what: 'Columns of an index',
    most: 32,
    of: '',
    code: '54011',
    attempt: (count) =>
      inVain(
        `create table t (${list(count, (i) => `c${i} int`)})`,
        `create index on t (${list(count, (i) => `c${i}`)})`,
      ),
  },
  {
    what: 'Parameters of a statement',
    most: 65_535,
    of: '',
    code: '42P02',
    attempt: (count) => {
      const given = Math.min(count, 65_535);
      const values = Array.from({ length: given }, () => '1');
      return converse(
        parse(
          `select $${count}`,
          '',
          Array.from({ length: given }, () => INT4_OID),
        ),
        bind(values),
        execute(),
        sync(),
      );
    },
  },
  {
    what: 'Parentheses in one another',
    most: 496,
    of: '',
    code: '54001',
    attempt: (count) => run(`select ${'('.repeat(count)}1${')'.repeat(count)}`),
  },
  {
    what: 'Levels of a json or jsonb value',
    most: 1000,
    of: '',
    code: '54001',
    attempt: (count) => run(`select (repeat('[', $1) || repeat(']', $1))::jsonb`, [count]),
  },
  {
    what: 'Elements of an xml value in one another',
    most: 256,
    of: '',
    code: '2200N',
    attempt: (count) => run(`select (repeat('<a>', $1) || repeat('</a>', $1))::xml`, [count]),
  },
  {
    what: 'Levels of a document in a collection',
    most: 100,
    of: '',
    code: '54001',
    // The document itself is one.
    attempt: (count) => insertDocument(`(repeat('[', ${count - 1}) || repeat(']', ${count - 1}))::jsonb`),
  },
  {
    what: 'Document in a collection',
    most: 16 * 1024 * 1024,
    of: 'bytes',
    code: '54000',
    attempt: (count) => insertDocument(`repeat('x', ${count - DOCUMENT_OVERHEAD_BYTES})`),
  },
  {
    what: 'Indexes of a collection',
    most: 64,
    of: '',
    code: '54000',
    attempt: (count) =>
      inVain(
        'create collection notes',
        Array.from({ length: count }, (_, i) => `create index on notes ((doc->>'a${i}'))`).join(';'),
      ),
  },
  {
    what: 'Key of a row, or entry of an index',
    most: 2048,
    of: 'bytes as they are stored',
    code: '54000',
    attempt: (count) =>
      inVain(
        'create table keyed (a text primary key)',
        `insert into keyed values (repeat('x', ${count - KEY_OVERHEAD_BYTES}))`,
      ),
  },
  {
    what: 'Row',
    most: 1024 * 1024 * 1024,
    of: 'bytes as they are stored, with its key; tried by `npm run limits`',
    code: '54000',
    isLarge: true,
    attempt: async (count) => {
      const bytea = (bytes: number): string => `convert_to(repeat('x', ${bytes}), 'UTF8')`;
      const rest = count - ROW_OVERHEAD_BYTES - 2 * HALF_ROW_BYTES;
      const values = [HALF_ROW_BYTES, HALF_ROW_BYTES, rest].map(bytea).join(', ');
      await inVain('create table long (a bytea, b bytea, c bytea)', `insert into long values (${values})`);
    },
  },
  {
    what: 'Text',
    most: 536_870_888,
    of: 'UTF-16 units, which is the longest that JavaScript has',
    code: '54000',
    attempt: (count) => run(`select length(repeat('x', ${count}))`),
  },
  {
    what: 'Views over one another',
    most: 64,
    of: '',
    code: '42P17',
    attempt: (count) =>
      inVain(
        'create view v1 as select 1 as a',
        Array.from({ length: count - 1 }, (_, i) => `create view v${i + 2} as select * from v${i + 1}`).join(';'),
        `select * from v${count}`,
      ),
  },
  {
    what: 'Calls of routines inside one another',
    most: 100,
    of: '',
    code: '54001',
    attempt: (count) =>
      inVain(
        `create function f(n int) returns int language plpgsql as 'begin if n = 1 then return 1; end if; return f(n - 1); end'`,
        `select f(${count})`,
      ),
  },
  {
    what: 'Items of an array',
    most: 33_554_432,
    of: '',
    code: '54000',
    attempt: (count) => run(`select cardinality(array_fill(true, array[${count}]))`),
  },
  {
    what: 'Dimensions of an array',
    most: 6,
    of: '',
    code: '54000',
    attempt: (count) => run(`select '${'{'.repeat(count)}1${'}'.repeat(count)}'::int[]`),
  },
  {
    what: 'Pattern of LIKE',
    most: 4_194_304,
    of: 'UTF-16 units',
    code: '54000',
    attempt: (count) => run(`select 'a' like repeat('b', ${count})`),
  },
  {
    what: 'Digits of a numeric that is declared',
    most: 1000,
    of: '',
    code: '22023',
    attempt: (count) => run(`select 1::numeric(${count})`),
  },
  {
    what: 'Length of a varchar that is declared',
    most: 10_485_760,
    of: 'characters',
    code: '22023',
    attempt: (count) => run(`select 'a'::varchar(${count})`),
  },
  {
    what: 'Payload of NOTIFY',
    most: 7999,
    of: 'bytes',
    code: '22023',
    attempt: (count) => run('select pg_notify($1, $2)', ['channel', 'x'.repeat(count)]),
  },
  {
    what: 'Large object',
    most: 4_398_046_509_056,
    of: 'bytes',
    code: '22023',
    attempt: (count) => run("select lo_put(lo_create(0), $1::int8 - 1, 'x')", [count]),
  },
  {
    what: 'Large objects open in a transaction',
    most: 4096,
    of: '',
    code: '53400',
    attempt: (count) =>
      run('select max(lo_open(o, 131072)) from lo_create(0) as o, generate_series(1, $1::int)', [count]),
  },
  {
    what: 'Cursors open in a session',
    most: 1000,
    of: '',
    code: '53400',
    attempt: (count) => inVain(Array.from({ length: count }, (_, i) => `declare c${i} cursor for select 1`).join(';')),
  },
  {
    what: 'Prepared statements of a connection',
    most: STATEMENTS_MAX,
    of: '',
    code: '53400',
    attempt: async (count) => {
      const statements = Array.from({ length: count }, (_, i) => parse('select 1', `s${i}`));
      await converse(...statements, sync());
    },
  },
  {
    what: 'Prepared transactions (`PREPARE TRANSACTION`)',
    most: PREPARED_MAX,
    of: '`preparedMax`, 1000 unless told otherwise',
    code: '53200',
    attempt: async (count) => {
      const prepared: string[] = [];
      try {
        for (let i = 0; i < count; i++) {
          await run(`begin; select pg_advisory_xact_lock(${i})`);
          await run(`prepare transaction 'p${i}'`);
          prepared.push(`p${i}`);
        }
      } finally {
        for (const name of prepared) await run(`rollback prepared '${name}'`);
      }
    },
  },
  {
    what: 'Portals of a connection',
    most: PORTALS_MAX,
    of: '',
    code: '53400',
    attempt: async (count) => {
      const portals = Array.from({ length: count }, (_, i) => bind([], { portal: `p${i}` }));
      await converse(parse('select 1'), ...portals, sync());
    },
  },
  {
    what: 'Channels that a session listens to',
    most: 10_000,
    of: '',
    code: '53400',
    attempt: (count) => inVain(Array.from({ length: count }, (_, i) => `listen c${i}`).join(';')),
  },
  {
    what: 'Advisory locks of transactions',
    most: 100_000,
    of: 'for all of them together',
    code: '53200',
    attempt: (count) => inVain(`select count(pg_advisory_xact_lock(g)) from generate_series(1, ${count}) g`),
  },
  {
    what: 'Columns of a statistics object',
    most: 8,
    of: '',
    code: '54011',
    attempt: (count) =>
      inVain(
        `create table wide (${list(count, (i) => `c${i} int`)})`,
        `create statistics wide_statistics on ${list(count, (i) => `c${i}`)} from wide`,
      ),
  },
  {
    what: 'Clients at once',
    most: CONNECTIONS_MAX,
    of: '`connectionsMax`, 1000 unless told otherwise',
    code: '53300',
    attempt: async (count) => {
      const others: Client[] = [];
      try {
        for (let i = 1; i < count; i++) {
          const other = new Client({ ...server.pg, user: 'phantom', database: 'phantom' });
          await other.connect();
          others.push(other);
        }
      } finally {
        await Promise.all(others.map((other) => other.end()));
        await expect.poll(() => server.connections).toBe(1);
      }
    },
  },
  {
    what: 'Message of a client',
    most: FRAME_BYTES_MAX,
    of: 'bytes: `frameBytesMax`, 128 MiB unless told otherwise',
    code: '08P01',
    attempt: async (count) => {
      const own = new Client({ ...server.pg, user: 'phantom', database: 'phantom' });
      own.on('error', () => undefined);
      await own.connect();
      // The zero at the end of the text counts.
      await own.query('select 1'.padEnd(count - 1));
      await own.end();
    },
  },
];

describe('limits', () => {
  for (const { what, most, code, attempt } of limits.filter(({ isLarge = false }) => isLarge === TRIES_LARGE)) {
    it(`${what}: ${most}, and one more is ${code}`, TRIES_LARGE ? { timeout: 300_000 } : {}, async () => {
      await attempt(most);
      await expect(attempt(most + 1)).rejects.toMatchObject({ code });
    });
  }

  it('are those of docs/limits.md', () => {
    const rows = limits.map(({ what, most, of, code }) => {
      const isSetting = of.includes('unless told otherwise');
      const number = isSetting
        ? of.replace(/^bytes: /, '')
        : `${most.toLocaleString('en')}${of === '' ? '' : ` ${of}`}`;
      return `| ${what} | ${number} | ${code} |`;
    });
    const page = `# Limits

Written from the table in \`packages/server/test/limits.test.ts\`, which tries each of them at the limit and one past it.

| What | At most | One more is |
| --- | --- | --- |
${rows.join('\n')}

The writes of a transaction have no limit but the disk: what does not fit into memory is put aside in files. Bodies and results of
HTTP are limited by \`httpBodyBytesMax\` and \`httpResultBytesMax\`; see the README of \`@phantom/server\`.
The locks that sessions hold beyond their transactions (pg_advisory_lock) are 100,000 for all of them together; one more is 53200.
A session keeps 10,000 statements by PREPARE; one more is 53400.
Notifications that wait for a client who does not read, or stays in its transaction, are 8 MiB; past it the connection ends (53400).
A client of HTTP that takes nothing of its result for \`httpUnreadTimeoutMs\`, a minute unless told otherwise, is cut off, and what its statement
has pinned is let go; one of the PostgreSQL protocol after \`tcp_user_timeout\`, which is never unless it is set. More clients than the process may
have files open (\`ulimit -n\`) are not to be had: a server that is told to let in more says so in its log when it starts.
A function that takes long over a value of 262,144 characters, bytes or eighths of an array's items is called in a reader thread
([ADR 24](adr/0024-long-calls-in-threads.md)). In the database's own thread stay calls of the synchronous API, those of databases without such
threads, those of statements that read or write one row by its key, those in checks, defaults and keys of indexes, casts, aggregates, and functions that take few nanoseconds a character: they hold the others for as
long as they take, 10 to 20 ns a character for length, md5 or ||, 100 to 400 for a cast of a text to jsonb or of an array.
What a query of a collection or a pipeline holds counts as working memory of a query, whatever stage holds it (\`memoryLimitBytes\`,
\`queriesMemoryBytesMax\`); past it 53200 names the stage. Sorts, $group and $bucketAuto go to scratch files instead, as SQL's do (\`scratchBytesMax\`, 53100),
but for one group that does not fit by itself, databases in memory, with \`allowDiskUse: false\`, and where documents hold what no file can: regular expressions, more than 1,000 levels.
What an expression of a collection makes for one document ($map, $concat, objects and arrays of expressions) counts as such memory too,
while it is made and with everything in it: a value that holds another a thousand times is as large as a thousand of them. Past it 53200 names the
operator. Expressions of finds and updates have 64 MiB each. Expressions of one document take 10,000,000 steps at most, a second or two (54001):
a step is an item that an operator looks at, or 64 bytes of what it makes. Between documents statement_timeout and signals are heard, and in one
document statement_timeout of a pipeline is.
A regular expression of a query or a schema of collections that backtracks for more than 500 ms before others have had a turn is refused (54001),
whatever statement_timeout is ([ADR 32](adr/0032-patterns-under-a-watchdog.md)); those of SQL are searched for in linear time or
in 20,000,000 steps (54001).
A text lies whole in the heap of the thread that computes it. A thread of costly reads whose heap is full is ended and its statement told so
(53200), but the main thread's end is that of the process, and nothing in it can prevent that: with \`--max-old-space-size=64\` a statement that
makes two texts of 40 MB ends the daemon. Leave that option at its default, or well above what the largest values of all statements take.
A store keeps the keys of up to 4,096 structures of documents once, of 256 keys and 8,192 bytes each; other documents carry their keys.
`;
    const file = fileURLToPath(new URL('../../../docs/limits.md', import.meta.url));
    if (process.env.PHANTOM_REWRITE !== undefined) writeFileSync(file, page);
    expect(readFileSync(file, 'utf8')).toBe(page);
  });
});
