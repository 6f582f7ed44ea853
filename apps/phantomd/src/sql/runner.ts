/** Runs text against a target: whole, or statement by statement, with the backslash commands of scripts and the shell. */
import { unsupportedError } from '@phantom/base';
import { reportError } from '../failure.js';
import { parseCopyCommand, withCopyEnds } from './copy-command.js';
import { describeRelations, listingQuery } from './describe.js';
import { OUTPUT_FORMATS, type OutputFormat, formatResult } from './format.js';
import { readScriptFile } from './script-text.js';
import type { RunningTime } from './running-time.js';
import type { CopyEnds, SqlTarget, StatementResult } from './target.js';
import { type LineOutcome, TypedLines } from './typed-lines.js';
import { parseWatchCommand, watch } from './watch-command.js';

const HELP = `Statements end with a semicolon and may take several lines.
  \\d [NAME]   relations, or those like NAME with columns, indexes and constraints
  \\dt \\dv \\dm \\di \\ds [NAME]   tables, views, materialized views, indexes, sequences
  \\dn \\du \\df \\l [NAME]   schemas, roles, functions, databases
  \\c NAME     go over to another database
  \\i FILE     run a file
  \\copy T from|to FILE [OPTIONS]   COPY with a file of this machine; (QUERY) to FILE
  \\g \\gx      run what is typed, or the last statement again; \\gx a line a value
  \\watch [SECONDS] [c=TIMES]   run it again and again
  \\p \\r       show, or forget, what is typed
  \\x          a line a value, or tables again
  \\format F   ${OUTPUT_FORMATS.join(', ')}
  \\timing     tell how long statements take, or no more
  \\q          leave (so do exit and Ctrl-D)
  \\?          this help
Tab completes words and names. Ctrl-C throws away what is typed, or stops what runs.
`;
/** Files that run files that run files. */
const FILES_DEEP_MAX = 16;

/** What is in double quotes may have blanks in it. */
const FIRST_WORD = /^(?:"[^"]*"?|[^\s"])+/;

export class Runner {
  readonly target: SqlTarget;
  private readonly write: (text: string) => void;
  private readonly runningTime: RunningTime | undefined;
  private format: OutputFormat;
  /** The format that \x goes back to. */
  private formatBefore: OutputFormat = 'aligned';
  /** Whether somebody sits before it, who is told what a command has done. */
  isTypedTo = false;
  private isTimed = false;
  private filesDeep = 0;
  /** What ran last, for \\watch and \\g. */
  last: string | undefined;
  private watching: AbortController | undefined;

  /** `runningTime` is for a person who waits; without it long statements run in silence. */
  constructor(target: SqlTarget, format: OutputFormat, write: (text: string) => void, runningTime?: RunningTime) {
    this.target = target;
    this.format = format;
    this.write = write;
    this.runningTime = runningTime;
  }

  /** Runs a text as one; false when it failed, which has been told then. */
  async run(text: string, copy?: CopyEnds): Promise<boolean> {
    const { runningTime } = this;
    const startMs = performance.now();
    const receive = (result: StatementResult): void => {
      runningTime?.end();
      this.show(result);
    };
    runningTime?.begin();
    try {
      await this.target.run(text, receive, copy);
      return true;
    } catch (error) {
      runningTime?.end();
      reportError(error, this.format === 'json', text);
      return false;
    } finally {
      runningTime?.end();
      if (this.isTimed) this.write(`Time: ${(performance.now() - startMs).toFixed(3)} ms\n`);
    }
  }

  /** Runs a script statement by statement, each committed by itself; false at the first that failed, or could not be understood. */
  async runScript(script: string): Promise<boolean> {
    const typed = new TypedLines(this, this.write);
    for (const line of script.split('\n')) {
      const outcome = await typed.take(line);
      if (outcome !== 'done') return outcome === 'quit';
    }
    return typed.end();
  }

  /** One statement of a script or of the shell. */
  statement(text: string): Promise<boolean> {
    this.last = text.trim();
    return this.run(this.last);
  }

  /** A statement, or the last one again where it is empty; `isExpanded`: shown a line a value. False when it failed. */
  async go(text: string, isExpanded: boolean): Promise<boolean> {
    const statement = text === '' ? this.last : text;
    if (statement === undefined) return true;
    const { format } = this;
    if (isExpanded) this.format = 'expanded';
    try {
      return await this.statement(statement);
    } finally {
      this.format = format;
    }
  }

  /** Stops what runs now. */
  cancel(): void {
    this.watching?.abort();
    this.target.cancel();
  }

  /** A line that begins with a backslash. */
  async command(line: string): Promise<LineOutcome> {
    const [, word, rest] = /^(\S*)\s*(.*)$/s.exec(line.trim().replace(/;$/, '')) as unknown as [string, string, string];
    if (word === '\\q' || word === '\\quit') return 'quit';
    try {
      return (await this.runCommand(word, rest)) ? 'done' : 'failed';
    } catch (error) {
      reportError(error, this.format === 'json');
      return 'failed';
    }
  }

  /** False when a statement of it failed, which has been told then. */
  private async runCommand(word: string, rest: string): Promise<boolean> {
    const argument = FIRST_WORD.exec(rest)?.[0];
    switch (word) {
      case '\\?':
        this.write(HELP);
        return true;
      case '\\c':
      case '\\connect':
        await this.target.connect(unquoted(needed(word, argument, 'the name of a database')));
        this.tell(`Connected to the database "${this.target.database}".`);
        return true;
      case '\\i':
        return this.include(needed(word, argument, 'the name of a file'));
      case '\\copy':
        return this.copy(rest);
      case '\\watch':
        return this.watch(rest);
      case '\\x':
        if (this.format === 'expanded') this.format = this.formatBefore;
        else {
          this.formatBefore = this.format;
          this.format = 'expanded';
        }
        this.tell(`Rows are shown ${this.format === 'expanded' ? 'a line a value' : `in the format ${this.format}`}.`);
        return true;
      case '\\format':
        this.format = formatNamed(argument);
        return true;
      case '\\timing':
        this.isTimed = !this.isTimed;
        this.write(`Timing is ${this.isTimed ? 'on' : 'off'}.\n`);
        return true;
      case '\\restrict':
        throw unsupportedError('a dump of pg_dump here', { hint: '"phantomd import FILE" loads it, with its data.' });
      default:
    }
    if (word === '\\d' && argument !== undefined) return this.describe(argument);
    const query = listingQuery(word, argument);
    if (query === undefined) throw unsupportedError(`the command ${word}`, { hint: 'Try \\? for those there are.' });
    await this.target.run(query, (result) => this.show(result));
    return true;
  }

  private async describe(pattern: string): Promise<boolean> {
    const found = await describeRelations(this.target, pattern);
    if (found.length === 0) throw new Error(`there is no relation like "${pattern}"`);
    for (const { title, columns, notes } of found) {
      const isForPeople = this.isForPeople();
      if (isForPeople) this.write(`${title}\n`);
      this.write(formatResult(columns, this.format, false));
      if (isForPeople) this.write(`${notes.map((note) => `${note}\n`).join('')}\n`);
    }
    return true;
  }

  private async include(file: string): Promise<boolean> {
    if (this.filesDeep >= FILES_DEEP_MAX) throw new Error(`more than ${FILES_DEEP_MAX} files run one another`);
    this.filesDeep++;
    try {
      return await this.runScript(await readScriptFile(file));
    } finally {
      this.filesDeep--;
    }
  }

  private async copy(text: string): Promise<boolean> {
    const command = parseCopyCommand(text);
    let succeeded = false;
    await withCopyEnds(command, this.write, async (ends) => {
      succeeded = await this.run(command.statement, ends);
    });
    return succeeded;
  }

  private async watch(text: string): Promise<boolean> {
    const command = parseWatchCommand(text);
    const { last } = this;
    if (last === undefined) throw new Error('\\watch has no statement to run: type one first');
    const watching = new AbortController();
    this.watching = watching;
    try {
      return await watch(command, watching.signal, () => {
        this.write(`${new Date().toISOString()} (every ${command.intervalMs / 1000} s)\n\n`);
        return this.run(last);
      });
    } finally {
      this.watching = undefined;
    }
  }

  private tell(text: string): void {
    if (this.isTypedTo) this.write(`${text}\n`);
  }

  /** What is read by programs has rows alone. */
  private isForPeople(): boolean {
    return this.format !== 'csv' && this.format !== 'json';
  }

  private show(result: StatementResult): void {
    this.write(formatResult(result, this.format));
  }
}

function needed(word: string, argument: string | undefined, what: string): string {
  if (argument === undefined) throw new Error(`${word} needs ${what}`);
  return argument;
}

function unquoted(name: string): string {
  return name.replace(/^"(.*)"$/, '$1');
}

function formatNamed(name: string | undefined): OutputFormat {
  const found = OUTPUT_FORMATS.find((format) => format === name);
  if (found === undefined) throw new Error(`\\format needs one of ${OUTPUT_FORMATS.join(', ')}`);
  return found;
}
