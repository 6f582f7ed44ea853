/** Backups and restoring, by the command line: of a directory, and of a server that goes on serving. */
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '@phantom/db';
import { startServer } from '@phantom/server';
import { describe, expect, it } from 'vitest';
import { temporaryDirectories } from './support/directories.js';
import { rejected, run } from './support/run.js';

const newDirectory = temporaryDirectories();

async function madeOf(statements: string): Promise<string> {
  const data = join(newDirectory(), 'data');
  const db = await open(data);
  db.exec(statements);
  await db.close();
  return data;
}

async function valuesIn(data: string): Promise<unknown[]> {
  const db = await open(data, { readOnly: true, create: false });
  try {
    return await db.sql`select a from t order by a`;
  } finally {
    await db.close();
  }
}

describe('a backup', () => {
  it('of a directory is restored to another one, and neither is changed', async () => {
    const data = await madeOf(
      'create table t (a int primary key); insert into t values (1), (2); create database other',
    );
    const files = readdirSync(data, { recursive: true });
    const kept = join(newDirectory(), 'kept');
    expect(await run('backup', kept, '--data', data)).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^\S*kept: \d+ entries, [\d.]+ MiB, up to commit \d+; written and read back\n$/),
    });
    expect(readdirSync(data, { recursive: true })).toEqual(files);
    rmSync(data, { recursive: true });
    const { code, out } = await run('restore', kept, '--data', data, '--json');
    expect({ code, ...(JSON.parse(out) as object) }).toMatchObject({
      code: 0,
      directory: data,
      seq: expect.any(Number),
    });
    expect(await valuesIn(data)).toEqual([{ a: 1 }, { a: 2 }]);
    expect(await valuesIn(kept)).toEqual([{ a: 1 }, { a: 2 }]);
    await (await open(data, { database: 'other' })).close();
  });

  it('of a server is made while it serves', async () => {
    const data = await madeOf('create table t (a int primary key); insert into t values (1)');
    const db = await open(data);
    const server = await startServer(db, { host: '127.0.0.1', pgPort: 0, httpPort: 0 });
    const url = `postgres://phantom@127.0.0.1:${server.pg.port}/phantom`;
    const kept = join(newDirectory(), 'kept');
    try {
      expect(await rejected('backup', kept, '--data', data)).toMatchObject({ exitCode: 4, cause: { code: '55006' } });
      const { code, out } = await run('backup', kept, '--url', url, '--json');
      expect({ code, ...(JSON.parse(out) as object) }).toEqual({
        code: 0,
        directory: kept,
        seq: expect.any(Number),
        entries: expect.any(Number),
        bytes: expect.any(Number),
      });
      db.exec('insert into t values (2)');
    } finally {
      await server.close();
      await db.close();
    }
    expect(await valuesIn(kept)).toEqual([{ a: 1 }]);
  });

  it('says what hinders it', async () => {
    const data = await madeOf('create table t (a int)');
    const full = newDirectory();
    writeFileSync(join(full, 'thesis.txt'), '');
    expect(await rejected('backup', full, '--data', data)).toMatchObject({ code: '22023' });
    expect(await rejected('restore', full, '--data', join(full, 'new'))).toMatchObject({ exitCode: 4 });
    writeFileSync(join(data, 'superblock'), new Uint8Array(8192));
    expect(await rejected('backup', join(full, 'new'), '--data', data)).toMatchObject({ exitCode: 3 });
  });
});
