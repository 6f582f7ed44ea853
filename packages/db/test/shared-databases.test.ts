import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { MetricsRegistry } from '@phantom/base';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Database, isPhantomError, open } from '../src/index.js';

let home: string;
let directory: string;

beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), 'phantom-shared-'));
  directory = join(home, 'data');
});

afterEach(() => rmSync(home, { recursive: true, force: true }));

it('gives whoever opens a directory again a handle on the same, however it is named', async () => {
  const [one, two] = await Promise.all([open(directory), open(relative(process.cwd(), directory))]);
  symlinkSync(directory, join(home, 'link'));
  const three = await open(join(home, 'link'));
  expect(new Set([one, two, three]).size).toBe(3);
  one.exec('create table t (id int primary key); insert into t values (1)');
  await two.query('insert into t values (2)');
  expect(three.prepare('select count(*)::int as n from t').get()).toEqual({ n: 2 });
  expect(three.stats().store).toEqual(one.stats().store);
  await one.collection('posts').insertOne({ title: 'shared' });
  expect(await two.collection('posts').countDocuments({})).toBe(1);
  await Promise.all([one.close(), two.close(), three.close()]);
  const again = await open(directory, { readOnly: true });
  expect(again.prepare('select count(*)::int as n from t').get()).toEqual({ n: 2 });
  await again.close();
});

it('ends the sessions of the handle that is closed, and no others', async () => {
  const one = await open(directory);
  const two = await open(directory);
  one.exec('create table t (id int primary key)');
  const left = one.createSession({ database: 'phantom', user: 'phantom' });
  const open1 = one.transaction(async (tx) => {
    await tx.query('insert into t values (1)');
    await one.close();
    await tx.query('insert into t values (2)');
  });
  await expect(open1).rejects.toMatchObject({ code: '57P01' });
  await one.close();
  expect(left.watch.isEnded).toBe(true);
  expect(() => one.prepare('select 1')).toThrow(expect.objectContaining({ code: '57P01' }));
  await two.transaction(async (tx) => {
    await tx.query('insert into t values (3)');
  });
  expect(two.prepare('select id from t').all()).toEqual([{ id: 3 }]);
  await two.close();
});

it('opens anew for who comes while the last handle is being closed', async () => {
  const one = await open(directory);
  one.exec('create table t (id int primary key); insert into t values (1)');
  const closing = one.close();
  const two = await open(directory);
  expect(two.prepare('select id from t').all()).toEqual([{ id: 1 }]);
  await closing;
  two.exec('insert into t values (2)');
  await two.close();
});

it('refuses another option than what holds, and takes the same one', async () => {
  const metrics = new MetricsRegistry();
  const one = await open(directory, { durability: 'os', metrics });
  const given = [
    { durability: 'fsync' },
    { metrics: new MetricsRegistry() },
    { readOnly: true },
    { user: 'nobody' },
  ] as const;
  for (const options of given) {
    await expect(open(directory, options)).rejects.toMatchObject({
      code: '55006',
      message: expect.stringMatching(new RegExp(`another ${Object.keys(options)[0]}$`)) as string,
    });
  }
  const two = await open(directory, {
    durability: 'os',
    metrics,
    readOnly: false,
    create: false,
    user: 'phantom',
    bigint: 'auto',
  });
  await one.close();
  expect(two.prepare('select 1 as one').get()).toEqual({ one: 1 });
  await two.close();
});

it('forgets what could not be opened, and directories that are gone', async () => {
  const [refused, opened] = await Promise.allSettled([open(directory, { create: false }), open(directory)]);
  expect(refused.status).toBe('rejected');
  const one = (opened as PromiseFulfilledResult<Database>).value;
  await one.close();
  await expect(open(directory, { user: 'nobody' })).rejects.toMatchObject({ code: '28000' });
  const again = await open(directory, { durability: 'os' });
  rmSync(directory, { recursive: true });
  const two = await open(directory);
  two.exec('create table t (id int)');
  await two.close();
  await again.close().catch(() => undefined);
});

it('tells why a path cannot be looked at as opening does', async () => {
  const loop = join(home, 'loop');
  symlinkSync(loop, loop);
  await expect(open(loop)).rejects.toSatisfy(isPhantomError);
});
