/** Errors as the command line tells them: for people as lines, with --json as one object; always on stderr. */
import { isPhantomError } from '@phantom/base';
import type { ExitCode } from './exit-codes.js';

/** An error that ends the process with a code of its own. */
export class CommandError extends Error {
  readonly exitCode: ExitCode;

  constructor(exitCode: ExitCode, cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.name = 'CommandError';
    this.exitCode = exitCode;
  }
}

/** What is known of an error, whoever threw it: the database, `pg`, the system. */
export interface ErrorFacts {
  readonly message: string;
  readonly code?: string;
  readonly detail?: string;
  readonly hint?: string;
  /** 1-based, in characters of the statement's text. */
  readonly position?: number;
  /** Where who holds a directory can be reached. */
  readonly endpoints?: Readonly<Record<string, string>>;
}

export function errorFacts(thrown: unknown): ErrorFacts {
  const error = thrown instanceof CommandError ? thrown.cause : thrown;
  if (!(error instanceof Error)) return { message: String(error) };
  const fields = error as Error & Record<string, unknown>;
  const position = Number(fields.position);
  return {
    message: error.message === '' ? error.name : error.message,
    ...textField('code', fields.code),
    ...textField('detail', fields.detail),
    ...textField('hint', fields.hint),
    ...(Number.isInteger(position) && position > 0 ? { position } : {}),
    ...endpointsOf(error),
  };
}

function textField<Name extends 'code' | 'detail' | 'hint'>(name: Name, value: unknown): { [key in Name]?: string } {
  return typeof value === 'string' ? ({ [name]: value } as { [key in Name]?: string }) : {};
}

function endpointsOf(error: Error): Pick<ErrorFacts, 'endpoints'> {
  if (!isPhantomError(error)) return {};
  const holder = error.data?.holder as { endpoints?: Readonly<Record<string, string>> } | undefined;
  return holder?.endpoints === undefined ? {} : { endpoints: holder.endpoints };
}

/** The lines a person reads; `text` is the statement, for the line an error points into. */
export function errorLines(facts: ErrorFacts, text?: string): string {
  // The system's own messages begin with their codes.
  const isCodeTold = facts.code === undefined || facts.message.startsWith(`${facts.code}: `);
  let lines = `ERROR:  ${isCodeTold ? '' : `${facts.code}: `}${facts.message}\n`;
  if (facts.position !== undefined && text !== undefined) lines += pointer(text, facts.position);
  if (facts.detail !== undefined) lines += `DETAIL:  ${facts.detail}\n`;
  if (facts.hint !== undefined) lines += `HINT:  ${facts.hint}\n`;
  if (facts.endpoints?.url !== undefined) lines += `It serves clients; connect with:  psql ${facts.endpoints.url}\n`;
  return lines;
}

/** `LINE 2: select x` and a caret under the character, as psql shows it. */
function pointer(text: string, position: number): string {
  const before = [...text].slice(0, position - 1).join('');
  const lineStart = before.lastIndexOf('\n') + 1;
  const lineEnd = text.indexOf('\n', before.length);
  const line = text.slice(lineStart, lineEnd < 0 ? text.length : lineEnd);
  const label = `LINE ${before.split('\n').length}: `;
  const column = Array.from(before.slice(lineStart)).length;
  return `${label}${line.replaceAll('\t', ' ')}\n${' '.repeat(label.length + column)}^\n`;
}

/** Writes an error to stderr. */
export function reportError(error: unknown, asJson: boolean, text?: string): void {
  const facts = errorFacts(error);
  process.stderr.write(asJson ? `${JSON.stringify({ error: facts })}\n` : errorLines(facts, text));
}
