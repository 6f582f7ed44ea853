/** Scripts and the shell over a target that answers without a database. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import { historyFile, readHistory, writeHistory } from '../src/sql/history.js';
import { askFor } from '../src/sql/password-prompt.js';
import { Runner } from '../src/sql/runner.js';
import { RunningTime } from '../src/sql/running-time.js';
import { runShell } from '../src/sql/shell.js';
import type { SqlTarget, StatementResult } from '../src/sql/target.js';
import { capture } from './support/capture.js';
import { temporaryDirectories } from './support/directories.js';

const newDirectory = temporaryDirectories();

class FakeTarget implements SqlTarget {
  database = 'phantom';
  status = '';
  readonly texts: string[] = [];
  cancels = 0;
  finish: (() => void) | undefined;

  async run(text: string, receive: (result: StatementResult) => void): Promise<void> {
    this.texts.push(text);
    if (text.startsWith('wait')) await new Promise<void>((resolve) => (this.finish = resolve));
    if (text.startsWith('fail')) throw Object.assign(new Error('it failed'), { code: '42601', position: 1 });
    if (text.startsWith('begin')) this.status = '*';
    receive({ fields: [], rows: [], tag: text });
  }

  async connect(database: string): Promise<void> {
    if (database === 'nowhere') throw new Error('no such database');
    this.database = database;
  }

  cancel(): void {
    this.cancels++;
    this.finish?.();
  }

  async close(): Promise<void> {
    this.database = '';
  }
}

function runnerOf(target: SqlTarget): { runner: Runner; written: () => string } {
  let written = '';
  const runner = new Runner(target, 'aligned', (text) => (written += text));
  return { runner, written: () => written };
}

describe('scripts', () => {
  it('run statement by statement, over lines', async () => {
    const target = new FakeTarget();
    const { runner } = runnerOf(target);
    expect(await runner.runScript("create table t (\n a int\n);insert 'a;\nb'; -- done;\n\\c other\nselect\n 1")).toBe(
      true,
    );
    expect(target.texts).toEqual(['create table t (\n a int\n);', "insert 'a;\nb';", 'select\n 1']);
    expect(target.database).toBe('other');
  });

  it('stop at the first error and at \\q', async () => {
    const target = new FakeTarget();
    const { runner } = runnerOf(target);
    const { value, err } = await capture(() => runner.runScript('one;\nfail;\nthree;'));
    expect([value, target.texts]).toEqual([false, ['one;', 'fail;']]);
    expect(err).toBe('ERROR:  42601: it failed\nLINE 1: fail;\n        ^\n');
    expect(await runner.runScript('one;\n\\q\nthree;')).toBe(true);
    expect(target.texts).not.toContain('three;');
  });

  it.each([
    '\\c nowhere',
    '\\c',
    '\\d t',
    '\\copy',
    '\\dz',
    '\\format x',
    '\\i',
    '\\i /nowhere/at/all',
    '\\restrict x',
  ])('stop at %s', async (line) => {
    const { runner } = runnerOf(new FakeTarget());
    const { value, err } = await capture(() => runner.runScript(`${line}\n`));
    expect(value).toBe(false);
    expect(err).toMatch(/^ERROR: {2}/);
  });
});

describe('shell', () => {
  async function session(
    use: (type: (text: string) => Promise<void>, target: FakeTarget) => Promise<void>,
    history?: string,
  ): Promise<{ shown: string; err: string; target: FakeTarget }> {
    const input = new PassThrough();
    const output = new PassThrough();
    let shown = '';
    output.on('data', (chunk: Buffer) => (shown += chunk.toString()));
    const target = new FakeTarget();
    const runner = new Runner(target, 'aligned', (text) => output.write(text));
    const { err } = await capture(async () => {
      const done = runShell(runner, { input, output, terminal: true, ...(history === undefined ? {} : { history }) });
      await use(async (text) => {
        input.write(text);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }, target);
      input.end();
      await done;
    });
    const escape = String.fromCharCode(27);
    return { shown: shown.replaceAll(new RegExp(`${escape}\\[[0-9;]*[A-Za-z]`, 'g'), ''), err, target };
  }

  it('runs a statement when its semicolon comes', async () => {
    const { shown, target } = await session(async (type) => {
      await type('select\n');
      await type("'a\n");
      await type("b' (\n");
      await type('1);begin;\n');
      await type('\\?\n');
      await type('\\c other\n');
    });
    expect(target.texts).toEqual(["select\n'a\nb' (\n1);", 'begin;']);
    for (const prompt of ['phantom=> ', 'phantom-> ', "phantom'> ", 'phantom(> ', 'phantom=*> ', 'other=*> '])
      expect(shown).toContain(prompt);
    expect(shown).toContain('\\q          leave');
  });

  it('keeps what was typed for the next one, but no passwords', async () => {
    const history = join(newDirectory(), 'history');
    const lines = ['select 1;', "alter role a password 'hush';", 'select 2;'];
    await session(async (type) => {
      for (const line of lines) await type(`${line}\n`);
    }, history);
    expect(readFileSync(history, 'utf8')).toBe('select 1;\nselect 2;\n');
    const { target } = await session(async (type) => {
      // Up, up: the first of them again.
      await type('\u001B[A\u001B[A\n');
    }, history);
    expect(target.texts).toEqual(['select 1;']);
    expect(historyFile({ PHANTOM_HISTORY: '/x' })).toBe('/x');
    expect(readHistory('/nowhere/at/all')).toEqual([]);
    writeHistory('/nowhere/at/all', ['x']);
  });

  it('goes on after an error, and leaves at \\q', async () => {
    const { err, target } = await session(async (type) => {
      await type('fail; not run;\n');
      await type('run;\n');
      await type('\\q\n');
      await type('never;\n');
    });
    expect(err).toContain('it failed');
    expect(target.texts).toEqual(['fail;', 'run;']);
  });

  it('takes commands in the middle of a statement, and what runs it without a semicolon', async () => {
    const { shown, target } = await session(async (type) => {
      await type('select\n');
      await type('\\timing\n');
      await type('\\p\n');
      await type("1, '\\x' \\gx\n");
      await type('\\g\n');
      await type('select 2; \\c other\n');
      await type('select 3\n');
      await type('\\r\n');
      await type('\\g\n');
      await type('select 4 \\watch c=1\n');
      await type('\\x\n');
      await type('\\x\n');
    });
    const first = "select\n1, '\\x'";
    expect(target.texts).toEqual([first, first, 'select 2;', 'select 2;', 'select 4']);
    for (const text of [
      'Timing is on.',
      'Connected to the database "other".',
      'forgotten',
      'a line a value.',
      'format aligned.',
    ])
      expect(shown).toContain(text);
  });

  it('helps and leaves where people type so', async () => {
    const { shown, target } = await session(async (type) => {
      await type('help\n');
      await type('select\n');
      await type('exit\n');
      await type(';\n');
      await type('quit;\n');
      await type('never;\n');
    });
    expect(shown).toContain('Tab completes words and names');
    expect(target.texts).toEqual(['select\nexit\n;']);
  });

  it('completes on Tab, and leaves tabs alone that are pasted', async () => {
    const { target } = await session(async (type) => {
      await type('sele');
      await type('\t');
      await type('1;\n');
      await type('\\tim');
      await type('\t');
      await type('\n');
      await type('select\ta\tb;\n');
    });
    expect(target.texts).toEqual(['select 1;', 'select\ta\tb;']);
  });

  it('cancels what runs, or throws away what is typed, on Ctrl-C', async () => {
    const { target } = await session(async (type) => {
      await type('half of\n');
      await type('\u0003');
      await type('drop table account;');
      await type('\u0003');
      await type('drop table note;\u001B[D\u001B[D');
      await type('\u0003');
      await type('wait;\n');
      await type('\u0003');
      await type('select;\n');
    });
    expect(target.cancels).toBe(1);
    expect(target.texts).toEqual(['wait;', 'select;']);
  });
});

describe('a password', () => {
  it.each([
    ['hush\n', 'hush'],
    ['hu\u0003', ''],
  ])('typed as %j is not shown', async (typed, answer) => {
    const input = new PassThrough();
    const output = new PassThrough();
    const asked = askFor('ada', input, output);
    input.write(typed);
    expect(await asked).toBe(answer);
    expect(String(output.read())).toBe('Password for ada: \n');
  });
});

describe('a statement that takes long', () => {
  it('says for how long it has been running, on a terminal, until its answer comes', () => {
    vi.useFakeTimers();
    try {
      const written: string[] = [];
      const terminal = { isTTY: true, write: (text: string) => written.push(text) } as unknown as NodeJS.WriteStream;
      const time = new RunningTime(terminal);
      time.begin();
      vi.advanceTimersByTime(900);
      time.end();
      expect(written).toEqual([]);
      time.begin();
      vi.advanceTimersByTime(2100);
      time.end();
      vi.advanceTimersByTime(5000);
      expect(written.map((text) => text.replace('\u001B[K', '|'))).toEqual([
        '\rrunning for 1 s; Ctrl-C stops it|',
        '\rrunning for 2 s; Ctrl-C stops it|',
        '\r|',
      ]);
      new RunningTime({ isTTY: false } as NodeJS.WriteStream).begin();
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });
});
