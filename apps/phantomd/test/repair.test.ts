/** `phantomd repair`, by the command line, of real files. */
import { closeSync, existsSync, openSync, readFileSync, readdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { open } from '@phantom/db';
import { describe, expect, it } from 'vitest';
import { temporaryDirectories } from './support/directories.js';
import { run } from './support/run.js';

const newDirectory = temporaryDirectories();
const ROWS = 400;

/** A copy of a database: everything is in files. */
async function made(): Promise<string> {
  const base = newDirectory();
  const db = await open(join(base, 'first'));
  db.exec(`create table t (a int primary key, b text); create index t_b on t (b);
    insert into t select n, 'row number ' || n from generate_series(1, ${ROWS}) n`);
  await db.backup(join(base, 'data'));
  await db.close();
  return join(base, 'data');
}

function damage(data: string, text: string, bytes: number): void {
  const folder = join(data, 'btree');
  const name = readdirSync(folder).find((one) => one.endsWith('.run')) as string;
  const at = readFileSync(join(folder, name)).indexOf(text);
  const file = openSync(join(folder, name), 'r+');
  writeSync(
    file,
    Buffer.from(text, 'latin1').map((byte) => byte ^ 1),
    0,
    bytes,
    at,
  );
  closeSync(file);
}

async function countIn(data: string): Promise<unknown> {
  const db = await open(data, { readOnly: true, create: false });
  try {
    return (await db.sql`select count(*)::int as n from t`)[0];
  } finally {
    await db.close();
  }
}

describe('phantomd repair', () => {
  it('leaves a directory alone in which nothing is wrong', async () => {
    const data = await made();
    expect(await run('repair', '--data', data)).toEqual({ code: 0, out: 'nothing is wrong\n' });
    expect(existsSync(`${data}-repaired`)).toBe(false);
  });

  it('makes another directory, and names what is lost', async () => {
    const data = await made();
    damage(data, 'row number 200', 10);
    expect((await run('repair', '--data', data, '--dry-run')).out).toContain('nothing was written');
    expect(existsSync(`${data}-repaired`)).toBe(false);
    const { code, out } = await run('repair', '--data', data);
    expect(code).toBe(3);
    expect(out).toMatch(/lost: public\.t from \(a\)=\(\d+\) to \(a\)=\(\d+\): at most \d+ entries\n/);
    expect(out).toMatch(/lost row: public\.t \(a\)=\(\d+\)\n/);
    expect(out).toMatch(/and \d+ more lost rows/);
    expect(out).toContain('rebuilt: public.t_b\n');
    expect(out).toContain('what is lost may be in a backup');
    expect((await run('check', '--data', `${data}-repaired`)).code).toBe(0);
    const json = await run('repair', '--data', data, '--to', join(newDirectory(), 'other'), '--json');
    const { lostRows, to } = JSON.parse(json.out) as { lostRows: unknown[]; to: string };
    expect(await countIn(to)).toEqual({ n: ROWS - lostRows.length });
    const taken = await run('repair', '--data', data).catch((error: unknown) => error);
    expect(taken).toMatchObject({ exitCode: 2, cause: { code: '22023' } });
  });

  it('mends a bit, and cannot open what is not there', async () => {
    const data = await made();
    damage(data, 'row number 200', 1);
    expect((await run('check', '--data', data)).code).toBe(3);
    const { code, out } = await run('repair', '--data', data);
    expect({ code, isMended: out.startsWith('mended: ') }).toEqual({ code: 0, isMended: true });
    expect(out).toContain('nothing is lost\n');
    expect(await countIn(`${data}-repaired`)).toEqual({ n: ROWS });
    const missing = await run('repair', '--data', join(data, 'none')).catch((error: unknown) => error);
    expect(missing).toMatchObject({ exitCode: 4, cause: { code: '58P01' } });
  });
});
