/** \\copy and \\watch. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseCopyCommand } from '../src/sql/copy-command.js';
import { Runner } from '../src/sql/runner.js';
import type { CopyEnds, SqlTarget, StatementResult } from '../src/sql/target.js';
import { capture } from './support/capture.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();

/** Keeps what is copied in, and copies out what it is given. */
class CopyTarget implements SqlTarget {
  readonly database = 'phantom';
  readonly status = '';
  readonly texts: string[] = [];
  taken = '';
  rows: readonly string[] = [];
  cancels = 0;

  async run(text: string, receive: (result: StatementResult) => void, copy: CopyEnds = {}): Promise<void> {
    this.texts.push(text);
    if (text.startsWith('fail')) throw Object.assign(new Error('it failed'), { code: '42601' });
    for (const piece of copy.input ?? []) this.taken += Buffer.from(piece).toString();
    for (const row of this.rows) await copy.output?.(Buffer.from(row));
    receive({ fields: [], rows: [], tag: 'DONE' });
  }

  async connect(): Promise<void> {}

  cancel(): void {
    this.cancels++;
  }

  async close(): Promise<void> {}
}

function runnerOf(target: SqlTarget): { runner: Runner; written: () => string } {
  let written = '';
  const runner = new Runner(target, 'aligned', (text) => (written += text));
  return { runner, written: () => written };
}

describe('\\\\copy', () => {
  it.each([
    ["t from 'a b.csv' with (format csv)", 'COPY t FROM STDIN with (format csv)', 'a b.csv'],
    ['"from" (a, b) from rows.tsv', 'COPY "from" (a, b) FROM STDIN', 'rows.tsv'],
    [
      "(select ')' from t where a in (1, 2)) to 'it''s'",
      "COPY (select ')' from t where a in (1, 2)) TO STDOUT",
      "it's",
    ],
    ['t TO stdout', 'COPY t TO STDOUT', undefined],
    ["t to 'stdout'", 'COPY t TO STDOUT', 'stdout'],
  ])('says %s', (text, statement, file) => {
    expect(parseCopyCommand(text)).toMatchObject({ statement, file });
  });

  it.each(['', 't', 't from', '(select 1 to x', 't from program ls', 't from stdin', 't to pstdout'])(
    'refuses %j',
    (text) => {
      expect(() => parseCopyCommand(text)).toThrow(/copy/);
    },
  );

  it('reads and writes files, piece by piece', async () => {
    const directory = newDirectory();
    const target = new CopyTarget();
    const { runner, written } = runnerOf(target);
    const lines = Array.from({ length: 20_000 }, (_, i) => `${i}\tname of ${i}\n`);
    writeFileSync(join(directory, 'in'), lines.join(''));
    expect(await runner.command(`\\copy t from '${join(directory, 'in')}'`)).toBe('done');
    expect(target.taken).toBe(lines.join(''));
    target.rows = ['1\tö\n', '2\tb\n'];
    expect(await runner.command(`\\copy (select 1) to ${join(directory, 'out')};`)).toBe('done');
    expect(readFileSync(join(directory, 'out'), 'utf8')).toBe('1\tö\n2\tb\n');
    expect(await runner.command('\\copy t to stdout')).toBe('done');
    expect(written()).toContain('1\tö\n2\tb\n');
  });

  it('tells of a file that is not there', async () => {
    const { runner } = runnerOf(new CopyTarget());
    const told = await capture(() => runner.command('\\copy t from /no/such/file'));
    expect(told.value).toBe('failed');
  });
});

describe('\\\\watch', () => {
  it('runs the last statement as often as it is told', async () => {
    const target = new CopyTarget();
    const { runner, written } = runnerOf(target);
    expect(await runner.runScript('select 1;\n\\watch i=0.001 c=3\n')).toBe(true);
    expect(target.texts).toEqual(['select 1;', 'select 1;', 'select 1;', 'select 1;']);
    expect(written()).toContain('(every 0.001 s)');
  });

  it('ends with what fails, with a cancel, and before it begins when it makes no sense', async () => {
    const target = new CopyTarget();
    const { runner } = runnerOf(target);
    await capture(async () => {
      expect(await runner.command('\\watch')).toBe('failed');
      await runner.statement('select 1;');
      for (const wrong of ['soon', 'c=0', 'c=1.5', '-1'])
        expect(await runner.command(`\\watch ${wrong}`)).toBe('failed');
      setTimeout(() => runner.cancel(), 5);
      expect(await runner.command('\\watch 3600')).toBe('done');
      await runner.statement('fail;');
      expect(await runner.command('\\watch 0')).toBe('failed');
    });
    expect(target.cancels).toBe(1);
    expect(target.texts).toEqual(['select 1;', 'select 1;', 'fail;', 'fail;']);
  });
});
