/**
 * SQL typed line by line. A statement runs once its semicolon has come, whatever the number of lines; the prompt says what
 * is waited for, as psql's does: = a statement, - its rest, ' the end of a quote, * that of a comment, ( a parenthesis.
 */
import { type AsyncCompleter, type Interface, createInterface } from 'node:readline';
import { HISTORY_LINES_MAX, readHistory, writeHistory } from './history.js';
import type { Runner } from './runner.js';
import { Completion } from './completion.js';
import { TypedLines } from './typed-lines.js';

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
  runner.isTypedTo = true;
  const typed = new TypedLines(runner, (text) => output.write(text));
  const completion = new Completion(runner.target, typed);
  const completer: AsyncCompleter = (line, answer) => completion.answer(line, answer);
  const options = { input, output, terminal, completer, historySize: HISTORY_LINES_MAX, history: earlier };
  const lines = createInterface(options);
  let kept: readonly string[] = earlier;
  lines.on('history', (newestFirst: string[]) => (kept = newestFirst.slice()));
  await new Shell(runner, typed, lines, output).run();
  if (history !== undefined) writeHistory(history, kept);
}

class Shell {
  private readonly runner: Runner;
  private readonly lines: Interface;
  private readonly output: NodeJS.WritableStream;
  private readonly typed: TypedLines;
  private running = false;

  constructor(runner: Runner, typed: TypedLines, lines: Interface, output: NodeJS.WritableStream) {
    this.runner = runner;
    this.typed = typed;
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
      this.typed.clear();
      this.clearLine();
      this.output.write('^C\n');
      this.prompt();
    });
    this.output.write(
      'phantomd sql. Statements end with a semicolon; \\? for help, Tab completes names, \\q leaves.\n',
    );
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

  /** Forgets the line that is being typed, wherever its cursor stands: what would still be there ran with the next one. */
  private clearLine(): void {
    this.lines.write(null, { ctrl: true, name: 'e' });
    this.lines.write(null, { ctrl: true, name: 'u' });
  }

  /** One line; false when it says to leave. */
  private async take(line: string): Promise<boolean> {
    // What people type who do not know where they are.
    const word = this.typed.open === undefined ? /^\s*(exit|quit|help)\s*;?\s*$/i.exec(line)?.[1] : undefined;
    if (word !== undefined && word.toLowerCase() !== 'help') return false;
    return (await this.typed.take(word === undefined ? line : '\\?')) !== 'quit';
  }

  private prompt(): void {
    const { open } = this.typed;
    const { database, status } = this.runner.target;
    this.lines.setPrompt(`${database}${open === undefined ? '=' : MARKS[open]}${status}> `);
    this.lines.prompt();
  }
}
