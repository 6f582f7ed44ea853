/**
 * Lines of a script or of the shell, put together to statements. A statement runs when its semicolon has come; a backslash
 * outside of quotes begins a command, wherever it stands, which leaves alone what is typed so far:
 *
 *   select *              \x              <- runs at once
 *   from t                select 1 \gx    <- runs what stands before it
 */
import type { Runner } from './runner.js';
import { type SplitText, splitStatements, splitTyped } from './statement-splitter.js';

export type LineOutcome = 'done' | 'quit' | 'failed';

export class TypedLines {
  private readonly runner: Runner;
  private readonly write: (text: string) => void;
  private pending = '';

  constructor(runner: Runner, write: (text: string) => void) {
    this.runner = runner;
    this.write = write;
  }

  /** What is typed and has not run. */
  get text(): string {
    return this.pending;
  }

  /** What the rest of a statement waits for; undefined when nothing is begun. */
  get open(): SplitText['open'] {
    return splitStatements(this.pending).open;
  }

  clear(): void {
    this.pending = '';
  }

  /** `failed` when a statement failed, or could not be understood; what stood behind it on the line is dropped. */
  async take(line: string): Promise<LineOutcome> {
    this.pending += `${line}\n`;
    // Nothing else ends a statement or begins a command.
    if (!/[;\\]/.test(line)) return 'done';
    const { statements, rest, open, command } = splitTyped(this.pending);
    this.pending = open === undefined ? '' : rest;
    for (const statement of statements) if (!(await this.runner.statement(statement))) return 'failed';
    return command === undefined ? 'done' : this.command(command);
  }

  /** Runs what no semicolon has ended; false when it failed. */
  async end(): Promise<boolean> {
    const { open, pending } = this;
    this.pending = '';
    return open === undefined || this.runner.statement(pending);
  }

  private async command(line: string): Promise<LineOutcome> {
    const word = /^\S*/.exec(line)?.[0];
    const statement = this.pending.trim();
    switch (word) {
      case '\\g':
      case '\\gx':
        this.pending = '';
        return (await this.runner.go(statement, word === '\\gx')) ? 'done' : 'failed';
      case '\\p':
        this.write(`${statement === '' ? (this.runner.last ?? '') : statement}\n`);
        return 'done';
      case '\\r':
        this.pending = '';
        this.write('What was typed is forgotten.\n');
        return 'done';
      case '\\watch':
        this.pending = '';
        if (statement !== '') this.runner.last = statement;
        return this.runner.command(line);
      default:
        return this.runner.command(line);
    }
  }
}
