/** The built program as a process: exit codes, signals, kill -9. */
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadChecksums } from '@phantom/base';
import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { Daemon, phantomd } from './support/daemon.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();
const files = (directory: string): string[] => readdirSync(directory).filter((name) => !name.startsWith('.'));

async function connect(daemon: Daemon): Promise<Client> {
  const client = new Client({ connectionString: daemon.url });
  client.on('error', () => undefined);
  await client.connect();
  return client;
}

describe('the daemon', () => {
  it('keeps what it acknowledged when it is killed under load', async () => {
    const data = newDirectory();
    let daemon = await Daemon.start('--data', data);
    // Tools of PostgreSQL connect to this database before they do anything else; whoever drops it does without.
    const tool = new Client({ connectionString: daemon.url.replace(/phantom$/, 'postgres') });
    await tool.connect();
    await tool.query('create database made_by_createdb');
    await tool.end();
    const setup = await connect(daemon);
    await setup.query('create table log (writer int, n int, primary key (writer, n))');
    await setup.query('drop database postgres with (force)');
    await setup.end();
    const writers = [0, 1, 2, 3];
    const acknowledged = writers.map(() => 0);
    const sent = writers.map(() => 0);
    for (let round = 0; round < 2; round++) {
      const running = daemon;
      const work = writers.map(async (writer) => {
        const client = await connect(running);
        for (;;) {
          const n = ++(sent as number[])[writer]!;
          await client.query('insert into log values ($1, $2)', [writer, n]);
          acknowledged[writer] = n;
        }
      });
      const ended = Promise.allSettled(work);
      await expect.poll(() => Math.min(...acknowledged), { timeout: 10_000 }).toBeGreaterThan(20 * (round + 1));
      await daemon.end('SIGKILL');
      await ended;
      daemon = await Daemon.start('--data', data);
      const client = await connect(daemon);
      for (const writer of writers) {
        const { rows } = await client.query<{ n: number }>('select n from log where writer = $1', [writer]);
        const found = new Set(rows.map((row) => row.n));
        expect(found.size).toBe(rows.length);
        expect(found.has(acknowledged[writer] as number)).toBe(true);
        expect(Math.max(...found)).toBeLessThanOrEqual(sent[writer] as number);
        sent[writer] = Math.max(...found);
      }
      const databases = await client.query<{ datname: string }>('select datname from pg_database order by datname');
      expect(databases.rows.map(({ datname }) => datname)).toEqual(['made_by_createdb', 'phantom']);
      await client.end();
    }
    expect(await daemon.end('SIGTERM')).toBe(0);
  });

  it('stops on a signal in the middle of work, with clients connected', async () => {
    const data = newDirectory();
    const rules = join(newDirectory(), 'rules');
    writeFileSync(rules, 'host all all all trust\n');
    const daemon = await Daemon.start('--data', data, '--auth-rules', rules);
    const client = await connect(daemon);
    await client.query('create table t (a int)');
    await client.query('begin');
    // Without a terminal this one reads the rules anew, and keeps those it has when they are none.
    for (const [text, told] of [
      ['host all all all trusted', 'is no method'],
      ['host all all all reject', 'are read anew'],
    ] as const) {
      await connect(daemon).then((other) => other.end());
      writeFileSync(rules, text);
      daemon.child.kill('SIGHUP');
      await expect.poll(() => daemon.err, { timeout: 10_000 }).toContain(told);
    }
    await expect(connect(daemon)).rejects.toMatchObject({ code: '28000' });
    await client.query('insert into t values (1)');
    const answer = await fetch(`http://127.0.0.1:${daemon.httpPort}/readyz`);
    expect(answer.status).toBe(200);
    expect(await daemon.end('SIGINT')).toBe(0);
    for (const line of daemon.err.trim().split('\n')) expect(JSON.parse(line)).toHaveProperty('msg');
    expect(daemon.out).toMatch(/^phantomd ready pg=\S+ http=\S+\n$/);
    expect(phantomd(['sql', '--data', data, '--csv', '-c', 'select count(*) from t']).out).toBe('count\n0\n');
  });

  it.runIf(process.platform === 'linux')(
    'has helpers of the runtime stand back behind the thread that answers',
    async () => {
      const daemon = await Daemon.start('--data', newDirectory());
      const priorities = readdirSync(`/proc/${daemon.child.pid}/task`).map((thread) => getPriority(Number(thread)));
      // The thread that answers keeps what the daemon was started with, which is not 0 where the tests themselves stand back.
      expect(getPriority(daemon.child.pid as number)).toBe(getPriority());
      expect(priorities.filter((priority) => priority === 10).length).toBeGreaterThan(1);
      await daemon.end('SIGTERM');
    },
  );

  it('says which process has the directory and how to reach it, and takes no more writes once that is gone', async () => {
    const data = newDirectory();
    const daemon = await Daemon.start('--data', data);
    for (const args of [
      ['serve', '--data', data, '--pg-port', '0', '--http-port', '0'],
      ['sql', '--data', data, '-c', 'select 1'],
      ['check', '--data', data],
    ]) {
      const { code, out, err } = phantomd(args);
      expect([code, out]).toEqual([4, '']);
      expect(err).toContain(`process ${daemon.child.pid}`);
      expect(err).toContain(`psql ${daemon.url}`);
    }
    rmSync(data, { recursive: true });
    const client = await connect(daemon);
    await client.query('create sequence s').catch(() => undefined);
    await expect(client.query('create sequence t')).rejects.toMatchObject({ code: '58P01' });
    expect(await daemon.end('SIGTERM')).toBe(2);
    expect(daemon.err).toContain('removed, moved or replaced');
  });
});

describe('directories that cannot be opened', () => {
  const serve = (data: string) => phantomd(['serve', '--data', data, '--pg-port', '0', '--http-port', '0']);

  it('are left as they are when they hold something else', () => {
    const data = newDirectory();
    writeFileSync(join(data, 'letter.txt'), 'dear');
    expect(serve(data)).toMatchObject({ code: 4, out: '' });
    expect(files(data)).toEqual(['letter.txt']);
  });

  it('are left as they are when a newer release wrote them', async () => {
    const data = newDirectory();
    expect(phantomd(['sql', '--data', data, '-c', 'select 1']).code).toBe(0);
    const path = join(data, 'superblock');
    const bytes = readFileSync(path);
    const checksums = await loadChecksums();
    for (const slot of [0, 4096]) {
      bytes.writeUInt32LE(999, slot + 8);
      bytes.writeUInt32LE(checksums.h32(bytes, slot, slot + 12), slot + 12);
    }
    writeFileSync(path, bytes);
    const before = files(data).map((name) =>
      name.includes('.') || name === 'superblock' ? readFileSync(join(data, name)).toString('hex') : name,
    );
    const { code, err } = serve(data);
    expect(code).toBe(4);
    expect(err).toContain('0A000');
    expect(
      files(data).map((name) =>
        name.includes('.') || name === 'superblock' ? readFileSync(join(data, name)).toString('hex') : name,
      ),
    ).toEqual(before);
  });

  it('are named when they are no directory', () => {
    const file = join(newDirectory(), 'file');
    writeFileSync(file, 'x');
    expect(serve(file)).toMatchObject({ code: 4, out: '' });
    expect(readFileSync(file, 'utf8')).toBe('x');
  });
});

describe('the command line', () => {
  it('answers by exit code', () => {
    expect(phantomd(['--help']).code).toBe(0);
    expect(phantomd([]).code).toBe(1);
    expect(phantomd(['nonsense']).code).toBe(1);
    expect(phantomd(['bench', '--json'])).toMatchObject({
      code: 2,
      err: '{"error":{"message":"phantomd bench is not supported","code":"0A000"}}\n',
    });
    expect(phantomd(['serve', '--data', './nowhere', '--host', '10.1.2.3'])).toMatchObject({ code: 1, out: '' });
    expect(existsSync('./nowhere')).toBe(false);
  });

  it('runs a script from stdin', () => {
    const data = newDirectory();
    const { code, out } = phantomd(
      ['sql', '--data', data, '--csv'],
      'create table t (a int);\ninsert into t values (1),\n (2);\nselect sum(a) from t;\n',
    );
    expect([code, out]).toEqual([0, 'sum\n3\n']);
    expect(phantomd(['sql', '--data', data], 'select nope;')).toMatchObject({ code: 2 });
  });

  it.skipIf(process.platform === 'win32')(
    'reads a pipe that is filled slowly, and is quiet when nobody reads on',
    () => {
      const data = newDirectory();
      const main = fileURLToPath(new URL('../dist/main.js', import.meta.url));
      const pipeline = `(sleep 0.3; yes 'select 1;' | head -2000) | "${process.execPath}" "${main}" sql --data "${data}" | head -1`;
      expect(spawnSync('sh', ['-c', pipeline], { encoding: 'utf8' })).toMatchObject({
        stdout: ' ?column?\n',
        stderr: '',
      });
    },
  );
});
