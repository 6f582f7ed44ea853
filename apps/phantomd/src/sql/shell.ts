/**
 * SQL typed line by line. A statement runs once its semicolon has come, whatever the number of lines; the prompt says what
 * is waited for, as psql's does: = a statement, - its rest, ' the end of a quote, * that of a comment, ( a parenthesis.
 */
import { type Interface, createInterface } from 'node:readline';
import { HISTORY_LINES_MAX, readHistory, writeHistory } from './history.js';
import type { Runner } from './runner.js';
import { splitStatements } from './statement-splitter.js';

const MARKS = { quote: "'", comment: '*', parenthesis: '(', statement: '-' } as const;

export interface ShellStreams {
  readonly input: NodeJS.ReadableStream;
  readonly output: NodeJS.WritableStream;
  readonly terminal: boolean;
  /** File of what was typed before; undefined: none is kept. */
  readonly history?: string;
}

/** Reads and runs until \q or the end of input. */
export async function runShell(runner: Runner, { input, output, terminal, history }: ShellStreams): Promise<void> {
  const earlier = history === undefined ? [] : readHistory(history);
  const lines = createInterface({ input, output, terminal, historySize: HISTORY_LINES_MAX, history: earlier });
  let typed: readonly string[] = earlier;
  lines.on('history', (newestFirst: string[]) => (typed = newestFirst.slice()));
  await new Shell(runner, lines, output).run();
  if (history !== undefined) writeHistory(history, typed);
}

class Shell {
  private readonly runner: Runner;
  private readonly lines: Interface;
  private readonly output: NodeJS.WritableStream;
  private pending = '';
  private running = false;

  constructor(runner: Runner, lines: Interface, output: NodeJS.WritableStream) {
    this.runner = runner;
    this.lines = lines;
    this.output = output;
  }

  async run(): Promise<void> {
    const { lines, runner } = this;
    lines.on('SIGINT', () => {
      if (this.running) {
        runner.cancel();
        return;
      }
      this.pending = '';
      this.output.write('\n');
      this.prompt();
    });
    this.output.write('phantomd sql. Statements end with a semicolon; \\? for help, \\q to leave.\n');
    this.prompt();
    for await (const line of lines) {
      this.running = true;
      const goesOn = await this.take(line);
      this.running = false;
      if (!goesOn) break;
      this.prompt();
    }
    lines.close();
  }

  /** One line; false when it says to leave. */
  private async take(line: string): Promise<boolean> {
    const { runner } = this;
    if (line.trimStart().startsWith('\\') && splitStatements(this.pending).open === undefined) {
      this.pending = '';
      return (await runner.command(line)) !== 'quit';
    }
    this.pending += `${line}\n`;
    const { statements, rest, open } = splitStatements(this.pending);
    this.pending = open === undefined ? '' : rest;
    for (const statement of statements) if (!(await runner.statement(statement))) break;
    return true;
  }

  private prompt(): void {
    const { open } = splitStatements(this.pending);
    const { database, status } = this.runner.target;
    this.lines.setPrompt(`${database}${open === undefined ? '=' : MARKS[open]}${status}> `);
    this.lines.prompt();
  }
}
