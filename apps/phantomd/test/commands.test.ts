/** The commands, run in this process. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '@phantom/db';
import { startServer } from '@phantom/server';
import { describe, expect, it } from 'vitest';
import { check } from '../src/check.js';
import { resolveSettings } from '../src/config/resolve.js';
import { makeProgram } from '../src/program.js';
import { serve } from '../src/serve.js';
import { ensureSampleShop } from '../src/sample-shop/sample-shop.js';
import { type SqlOptions, sql } from '../src/sql/command.js';
import { capture } from './support/capture.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();
const ask = (options: Partial<SqlOptions>) =>
  capture(() => sql({ database: 'phantom', commands: [], files: [], format: 'aligned', ...options }));

describe('sql', () => {
  it('runs commands and files on a directory, and keeps what they wrote', async () => {
    const data = newDirectory();
    const file = join(newDirectory(), 'script.sql');
    writeFileSync(
      file,
      'insert into t values (1);\ninsert into t values (2);\ncreate database other;\n\\c other\nselect current_database() as here;\n',
    );
    const first = await ask({ data, commands: ['create table t (a int primary key)'], files: [file] });
    expect(first).toMatchObject({ value: 0, err: '' });
    expect(first.out).toBe(
      'CREATE TABLE\nINSERT 0 1\nINSERT 0 1\nCREATE DATABASE\n here\n-------\n other\n(1 row)\n\n',
    );
    const second = await ask({ data, commands: ['select a from t order by a'], format: 'csv' });
    expect(second.out).toBe('a\n1\n2\n');
  });

  it('runs commands of the shell among those of SQL', async () => {
    const data = newDirectory();
    const answer = await ask({
      data,
      commands: ['create table t (a int)', '\\dt t', '\\d nothing', 'select 1'],
      format: 'csv',
    });
    expect(answer).toMatchObject({ value: 2, out: 'Schema,Name,Type,Owner\npublic,t,table,phantom\n' });
    expect(answer.err).toContain('there is no relation like "nothing"');
  });

  it('makes a command one transaction and stops at an error', async () => {
    const data = newDirectory();
    const failed = await ask({ data, commands: ['create table t (a int); select 1 / 0', 'select 2'] });
    expect(failed).toMatchObject({ value: 2, out: 'CREATE TABLE\n' });
    expect(failed.err).toContain('22012');
    const json = await ask({
      data,
      commands: ['drop table if exists t; select 1 as one', 'select nope'],
      format: 'json',
    });
    expect(json.out.split('\n')[1]).toBe('{"command":"SELECT 1","rowCount":1,"rows":[{"one":1}]}');
    expect(json.err).toContain('NOTICE:  ');
    expect(JSON.parse(json.err.split('\n').at(-2) as string)).toMatchObject({ error: { code: '42703', position: 8 } });
  });

  it('asks a server the same, and cancels there', async () => {
    const database = await open(':memory:');
    const server = await startServer(database, { pgPort: 0 });
    const url = `postgres://phantom@127.0.0.1:${server.pg.port}/phantom`;
    const file = join(newDirectory(), 'script.sql');
    writeFileSync(
      file,
      'create database other;\n\\c other\nselect current_database() as here, null as n;\n;\ncommit;\n',
    );
    const answer = await ask({
      url,
      commands: ['create table t (a int); insert into t values (1), (2); select * from t'],
      files: [file],
    });
    expect(answer).toMatchObject({ value: 0, err: 'WARNING:  there is no transaction in progress\n' });
    expect(answer.out).toContain(
      'INSERT 0 2\n a\n---\n 1\n 2\n(2 rows)\n\nCREATE DATABASE\n here  | n\n-------+---\n other |\n',
    );
    database.exec("create role ada login password 's:e@%c'");
    const asAda = (password: string): string => url.replace('phantom@', `ada${password}@`);
    await expect(ask({ url: asAda(''), commands: ['select 1'] })).rejects.toMatchObject({
      exitCode: 4,
      cause: { code: '28P01', hint: expect.stringContaining('PGPASSWORD') as string },
    });
    expect((await ask({ url: asAda(':s%3Ae%40%25c'), commands: ['select 1'] })).value).toBe(0);
    const { RemoteTarget } = await import('../src/sql/remote-target.js');
    const asked: string[] = [];
    const answered = await RemoteTarget.open(
      asAda(''),
      () => undefined,
      async (user) => {
        asked.push(user);
        return 's:e@%c';
      },
    );
    await answered.connect('phantom');
    await answered.close();
    expect(asked).toEqual(['ada']);
    for (const wrong of ['127.0.0.1:5433', 'mysql://ada@127.0.0.1/x', 'postgres://a b:c'])
      await expect(ask({ url: wrong, commands: ['select 1'] })).rejects.toMatchObject({ exitCode: 1 });
    const failed = await ask({ url, commands: ["select 'ö', nope"] });
    expect(failed).toMatchObject({ value: 2, out: '' });
    expect(failed.err).toContain("LINE 1: select 'ö', nope\n                    ^");
    const latin = await ask({ url, commands: ["set client_encoding = 'LATIN1'", "select 'ö'"] });
    expect(latin).toMatchObject({ value: 2, out: expect.not.stringContaining('ö') as string });
    expect(latin.err).toContain('the client encoding "LATIN1" is not supported by this client');
    const target = await RemoteTarget.open(url, () => undefined);
    const running = target.run('select count(*) from generate_series(1, 100000000)', () => undefined);
    await new Promise((resolve) => setTimeout(resolve, 50));
    target.cancel();
    await expect(running).rejects.toMatchObject({ code: '57014' });
    target.cancel();
    await target.run('begin', () => undefined);
    expect(target.status).toBe('*');
    await expect(target.run('select nope', () => undefined)).rejects.toMatchObject({ code: '42703' });
    expect(target.status).toBe('!');
    const { port } = server.pg;
    await server.close();
    const lost = { code: '08006', hint: expect.stringContaining('connect again') as string };
    await expect(target.run('select 1', () => undefined)).rejects.toMatchObject(lost);
    const second = await startServer(database, { pgPort: port });
    const again = { code: '08006', hint: expect.stringContaining('new connection') as string };
    await expect(target.run('select 1', () => undefined)).rejects.toMatchObject(again);
    const tags: string[] = [];
    await target.run('select 1', ({ tag }) => tags.push(tag));
    await target.run('create table kept (a int)', ({ tag }) => tags.push(tag));
    const ended = target.run('select pg_terminate_backend(pg_backend_pid())', () => undefined);
    await expect(ended).rejects.toMatchObject({ ...again, detail: expect.stringContaining('terminat') as string });
    await target.run('select * from kept', ({ tag }) => tags.push(tag));
    expect(tags).toEqual(['SELECT 1', 'CREATE TABLE', 'SELECT 0']);
    await target.close();
    await second.close();
    await database.close();
    for (const host of ['127.0.0.1', 'localhost']) {
      await expect(ask({ url: url.replace('127.0.0.1', host), commands: ['select 1'] })).rejects.toMatchObject({
        exitCode: 4,
        message: `there is no way to a server at ${host}, port ${port}`,
        cause: { code: '08001', detail: expect.stringContaining('ECONNREFUSED') as string },
      });
    }
  });

  it('copies between a file and a server, more than the socket takes at once', async () => {
    const database = await open(':memory:');
    const server = await startServer(database, { pgPort: 0 });
    const directory = newDirectory();
    const file = join(directory, 'rows.tsv');
    const script = join(directory, 'script.sql');
    writeFileSync(
      script,
      `\\copy (select g, repeat('x', 200) from generate_series(1, 10000) g) to '${file}'\ncreate table t (a int, b text);\n` +
        `\\copy t from '${file}'\n\\copy t (a, b) from '${file}'\nselect count(*), sum(length(b)) from t;\n\\copy t (a) from '${file}'\n`,
    );
    const url = `postgres://phantom@127.0.0.1:${server.pg.port}/phantom`;
    const answer = await ask({ url, files: [script] });
    await server.close();
    await database.close();
    expect(answer.out).toContain('COPY 10000\nCREATE TABLE\nCOPY 10000\nCOPY 10000\n');
    expect(answer.out).toContain(' 20000 | 4000000');
    expect(answer).toMatchObject({
      value: 2,
      err: expect.stringContaining('extra data after last expected column') as string,
    });
  });

  it('says what it cannot open', async () => {
    const data = newDirectory();
    writeFileSync(join(data, 'letter.txt'), 'not a database');
    await expect(ask({ data, commands: ['select 1'] })).rejects.toMatchObject({ exitCode: 4 });
    await expect(ask({ data: newDirectory(), files: ['/no/such/file.sql'] })).rejects.toMatchObject({ exitCode: 2 });
    const other = newDirectory();
    await ask({ data: other, commands: ['select 1'] });
    await expect(ask({ data: other, database: 'nowhere', commands: ['select 1'] })).rejects.toMatchObject({
      exitCode: 4,
    });
  });
});

describe('check', () => {
  it('finds nothing wrong with a whole directory, and leaves it alone', async () => {
    const data = newDirectory();
    await ask({ data, commands: ['create table t (a int); insert into t values (1)'] });
    expect(await capture(() => check({ data, json: false }))).toMatchObject({ value: 0, out: 'no corruption found\n' });
    const { value, out } = await capture(() => check({ data, json: true }));
    expect([value, JSON.parse(out)]).toEqual([0, { ok: true, findings: [] }]);
  });

  it('says corruption with exit code 3, and makes no directory', async () => {
    const data = newDirectory();
    await ask({ data, commands: ['create table t (a int)'] });
    writeFileSync(join(data, 'superblock'), Buffer.alloc(8192, 1));
    await expect(check({ data, json: false })).rejects.toMatchObject({ exitCode: 3 });
    await expect(check({ data: join(data, 'nothing'), json: false })).rejects.toMatchObject({ exitCode: 4 });
  });
});

describe('serve', () => {
  const options = (data: string, more: object = {}) =>
    resolveSettings({ data, pgPort: 0, httpPort: 0, durability: 'os', ...more }, {});

  /** Serves, runs something once it is ready, and stops. */
  const served = (data: string, more: object, use: (line: string) => Promise<void>) =>
    capture(async (live) => {
      const done = serve(options(data, more));
      await expect.poll(() => live.out, { timeout: 15_000 }).toMatch(/ready.*\n/);
      await use(live.out);
      process.emit('SIGTERM', 'SIGTERM');
      return done;
    });

  it('says that it is ready, and serves a shop', async () => {
    const data = newDirectory();
    const { value, out } = await served(data, { sampleShop: true, superuser: 'owner' }, async (line) => {
      expect(line).toMatch(/^phantomd ready pg=127\.0\.0\.1:\d+ http=127\.0\.0\.1:\d+\n/);
      const url = /psql (\S+)/.exec(line)?.[1] as string;
      expect(url).toContain('postgres://owner@');
      const { RemoteTarget } = await import('../src/sql/remote-target.js');
      const target = await RemoteTarget.open(url, () => undefined);
      const counts: (string | null)[] = [];
      await target.run('select count(*) from orders; select count(*) from customers', ({ rows }) =>
        counts.push(rows[0]?.[0] ?? null),
      );
      expect(counts).toEqual(['400', '120']);
      await target.close();
    });
    expect(value).toBe(0);
    expect(out.match(/^phantomd ready/gm)).toHaveLength(1);
    const database = await open(data);
    expect(ensureSampleShop(database)).toBe(false);
    await database.close();
  });

  it('refuses addresses that others can reach, before anything is made', async () => {
    const data = join(newDirectory(), 'new');
    await expect(serve(options(data, { host: '0.0.0.0' }))).rejects.toMatchObject({
      exitCode: 1,
      cause: { code: '55000' },
    });
    await expect(check({ data, json: false })).rejects.toMatchObject({ exitCode: 4 });
  });

  it('fails when a port is taken, and frees the directory', async () => {
    const data = newDirectory();
    const { value } = await served(data, {}, async (line) => {
      const pgPort = Number(/pg=[\d.]+:(\d+)/.exec(line)?.[1]);
      const other = newDirectory();
      await expect(serve(options(other, { pgPort }))).rejects.toMatchObject({
        exitCode: 2,
        cause: { code: 'EADDRINUSE', message: `port ${pgPort} of 127.0.0.1 is in use` },
      });
      await expect(serve(options(other, { superuser: 'nobody' }))).rejects.toMatchObject({
        exitCode: 4,
        cause: { code: '28000', hint: expect.stringContaining('--superuser') as string },
      });
      await (await open(other)).close();
    });
    expect(value).toBe(0);
  });
});

describe('arguments', () => {
  const run = async (...args: string[]) => {
    let code: number | undefined;
    const program = makeProgram((given) => (code = given));
    program.exitOverride();
    for (const command of program.commands) command.exitOverride();
    const captured = await capture(async () => {
      try {
        await program.parseAsync(args, { from: 'user' });
      } catch (error) {
        return error;
      }
      return { exitCode: code };
    });
    const { exitCode, cause } = captured.value as { exitCode?: number; cause?: unknown };
    return { exitCode, cause, out: captured.out, err: captured.err };
  };

  it('has help for everything', async () => {
    for (const command of [
      'serve',
      'config',
      'token',
      'sql',
      'backup',
      'restore',
      'check',
      'repair',
      'import',
      'export',
      'bench',
    ]) {
      const { exitCode, out } = await run(command, '--help');
      expect([command, exitCode]).toEqual([command, 0]);
      expect(out).toContain(`phantomd ${command}`);
    }
    expect((await run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  });

  it('says 0A000 for what is not there yet', async () => {
    expect(await run('bench', '--data', 'x', '--json', 'y')).toMatchObject({ exitCode: 2, cause: { code: '0A000' } });
  });

  it.each([
    [['nonsense']],
    [['serve']],
    [['serve', '--data', 'x', '--pg-port', '70000']],
    [['serve', '--data', 'x', '--durability', 'some']],
    [['sql', '--data', 'x', '--url', 'y']],
    [['sql', '--csv', '--json']],
  ])('ends with 1 on %j', async (args) => {
    expect(await run(...args)).toMatchObject({ exitCode: 1 });
  });

  it('runs sql and check as told', async () => {
    const data = newDirectory();
    expect(await run('sql', '--data', data, '-c', 'select 1 as one', '-c', 'select 2 as two', '--json')).toMatchObject({
      exitCode: 0,
      out: '{"command":"SELECT 1","rowCount":1,"rows":[{"one":1}]}\n{"command":"SELECT 1","rowCount":1,"rows":[{"two":2}]}\n',
    });
    expect(await run('check', '--data', data)).toMatchObject({ exitCode: 0 });
  });
});
