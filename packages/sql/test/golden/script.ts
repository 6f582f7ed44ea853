/**
 * Golden scripts: SQL and what it answers, as text a person can review.
 *
 *   # a comment                      kept as it is
 *   > select 1 as a;                 a statement (or several) in the session named "", up to the next blank line or output
 *   b> begin;                        the same in the session `b`: sessions are made when they are first named
 *   a                                output: columns aligned as psql does without its frame, then (n rows) or the command tag
 *   1
 *   (1 row)
 *
 * A statement that has to wait prints `waiting`; its output appears, under `b resumes`, after the statement that let it go
 * on. PHANTOM_REWRITE=1 writes what came instead of comparing.
 */
import { PhantomError } from '@phantom/base';

/** One session's way to the database under test. */
export interface ScriptSession {
  run(sql: string): Promise<string[]>;
}

export type SessionFactory = (name: string) => Promise<ScriptSession>;

interface Input {
  readonly session: string;
  readonly sql: string;
  readonly lines: readonly string[];
}

type Block = { readonly kind: 'text'; readonly line: string } | { readonly kind: 'input'; readonly input: Input };

const INPUT = /^([a-z0-9]*)> (.*)$/;

/** Splits a script into comments and inputs; old output is dropped. */
export function parseScript(text: string): Block[] {
  const blocks: Block[] = [];
  const lines = text.split('\n');
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] as string;
    const match = INPUT.exec(line);
    if (match !== null) {
      const taken = [line];
      const sql = [match[2] as string];
      while (lines[i + 1]?.startsWith('. ') === true) {
        i++;
        taken.push(lines[i] as string);
        sql.push((lines[i] as string).slice(2));
      }
      blocks.push({ kind: 'input', input: { session: match[1] as string, sql: sql.join('\n'), lines: taken } });
    } else if (line.startsWith('#')) {
      blocks.push({ kind: 'text', line });
    }
  }
  return blocks;
}

/** Runs a script and gives it back with the output that came. */
export async function runScript(text: string, open: SessionFactory): Promise<string> {
  const sessions = new Map<string, ScriptSession>();
  const waiting = new Map<string, Promise<string[]>>();
  const finished = new Map<string, string[]>();
  const out: string[] = [];
  for (const block of parseScript(text)) {
    if (block.kind === 'text') {
      if (out.length > 0 && !(out.at(-1) as string).startsWith('#')) out.push('');
      out.push(block.line);
      continue;
    }
    const { session: name, sql, lines } = block.input;
    if (out.length > 0 && !(out.at(-1) as string).startsWith('#')) out.push('');
    out.push(...lines);
    let session = sessions.get(name);
    if (session === undefined) sessions.set(name, (session = await open(name)));
    if (waiting.has(name)) throw new Error(`session ${name} still waits at: ${sql}`);
    const running = session.run(sql);
    const done = await settled(running);
    if (done === undefined) {
      out.push('waiting');
      waiting.set(name, running);
      void running.then((result) => finished.set(name, result));
    } else {
      out.push(...done);
    }
    for (const [other, promise] of waiting) {
      if (other === name && done === undefined) continue;
      if ((await settled(promise)) === undefined) continue;
      out.push(`${other} resumes`, ...(finished.get(other) ?? (await promise)));
      waiting.delete(other);
    }
  }
  return `${out.join('\n')}\n`;
}

/** The result if it comes within some turns of the event loop, else undefined. */
async function settled(promise: Promise<string[]>): Promise<string[] | undefined> {
  let result: string[] | undefined;
  void promise.then((value) => {
    result = value;
  });
  for (let turn = 0; turn < 50 && result === undefined; turn++) await new Promise((resolve) => setImmediate(resolve));
  return result;
}

/** Rows as aligned text; null is `~`, so that it differs from the empty text. */
export function formatRows(names: readonly string[], rows: readonly (readonly (string | null)[])[]): string[] {
  const shown = rows.map((row) => row.map((value) => value ?? '~'));
  const widths = names.map((name, c) => Math.max(name.length, ...shown.map((row) => (row[c] as string).length), 0));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, c) => cell.padEnd(widths[c] as number))
      .join(' | ')
      .trimEnd();
  const count = rows.length === 1 ? '(1 row)' : `(${rows.length} rows)`;
  return names.length === 0 ? [count] : [line(names), ...shown.map(line), count];
}

/** An error with everything that matters of it, one line for each part. */
export function formatError(error: unknown): string[] {
  if (!(error instanceof PhantomError)) throw error;
  const at = error.position === undefined ? '' : ` at ${error.position}`;
  const lines = [`ERROR ${error.code}: ${error.message}${at}`];
  if (error.detail !== undefined) lines.push(`DETAIL: ${error.detail}`);
  if (error.hint !== undefined) lines.push(`HINT: ${error.hint}`);
  return lines;
}
