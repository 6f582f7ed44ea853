/** Runs text against a target: whole, or statement by statement, with the few backslash commands that scripts need. */
import { unsupportedError } from '@phantom/base';
import { reportError } from '../failure.js';
import { type OutputFormat, formatResult } from './format.js';
import { splitStatements } from './statement-splitter.js';
import type { SqlTarget } from './target.js';

const HELP = `Statements end with a semicolon and may take several lines.
  \\c NAME   go over to another database
  \\q        leave (so does Ctrl-D)
  \\?        this help
Ctrl-C throws away what is typed, or stops what runs.
`;

export class Runner {
  readonly target: SqlTarget;
  private readonly format: OutputFormat;
  private readonly write: (text: string) => void;

  constructor(target: SqlTarget, format: OutputFormat, write: (text: string) => void) {
    this.target = target;
    this.format = format;
    this.write = write;
  }

  /** Runs a text as one; false when it failed, which has been told then. */
  async run(text: string): Promise<boolean> {
    try {
      await this.target.run(text, (result) => this.write(formatResult(result, this.format)));
      return true;
    } catch (error) {
      reportError(error, this.format === 'json', text);
      return false;
    }
  }

  /** Runs a script statement by statement, each committed by itself; false at the first that failed, or could not be understood. */
  async runScript(script: string): Promise<boolean> {
    let pending = '';
    for (const line of script.split('\n')) {
      if (line.startsWith('\\') && splitStatements(pending).open === undefined) {
        const outcome = await this.command(line);
        if (outcome !== 'done') return outcome === 'quit';
        pending = '';
        continue;
      }
      pending += `${line}\n`;
      // Only a semicolon can end a statement.
      if (!line.includes(';')) continue;
      const { statements, rest } = splitStatements(pending);
      for (const statement of statements) if (!(await this.run(statement.trim()))) return false;
      pending = rest;
    }
    return splitStatements(pending).open === undefined || this.run(pending.trim());
  }

  /** A line that begins with a backslash. */
  async command(line: string): Promise<'done' | 'quit' | 'failed'> {
    const [word, argument] = line.trim().replace(/;$/, '').split(/\s+/, 2) as [string, string | undefined];
    try {
      switch (word) {
        case '\\q':
        case '\\quit':
          return 'quit';
        case '\\?':
          this.write(HELP);
          return 'done';
        case '\\c':
        case '\\connect':
          if (argument === undefined) throw new Error('\\c needs the name of a database');
          await this.target.connect(argument.replace(/^"(.*)"$/, '$1'));
          return 'done';
        default:
          throw unsupportedError(`the command ${word}`, { hint: 'Try \\? for those there are.' });
      }
    } catch (error) {
      reportError(error, this.format === 'json');
      return 'failed';
    }
  }
}
