/**
 * `\copy`: COPY between the database and a file of this machine, which the server need not see.
 *
 *   \copy TABLE [(COLUMNS)] from FILE [OPTIONS]
 *   \copy TABLE [(COLUMNS)] | (QUERY) to FILE | stdout [OPTIONS]
 *
 * The statement that is sent says STDIN or STDOUT in place of the file. Neither direction holds the file in memory.
 */
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { unsupportedError } from '@phantom/base';
import { splitStatements } from './statement-splitter.js';
import type { CopyEnds } from './target.js';

/** Bytes read of a file at once. */
const PIECE_BYTES = 64 * 1024;

export interface CopyCommand {
  readonly statement: string;
  readonly direction: 'from' | 'to';
  /** Undefined: standard output. */
  readonly file: string | undefined;
}

/** Takes apart what follows `\copy`. Throws for what it is not, and 0A000 for programs and standard input. */
export function parseCopyCommand(text: string): CopyCommand {
  const what = text.startsWith('(') ? text.slice(0, endOfParentheses(text)) : '';
  const found = /^(.*?)\s+(from|to)\s+('(?:[^']|'')*'|\S+)(.*)$/is.exec(text.slice(what.length));
  if (found === null) throw new Error('\\copy needs a table or (query), from or to, and a file');
  const [, name, word, end, options] = found as unknown as [string, string, string, string, string];
  const direction = word.toLowerCase() === 'from' ? 'from' : 'to';
  const isQuoted = end.startsWith("'");
  const place = isQuoted ? end.slice(1, -1).replaceAll("''", "'") : end;
  const special = isQuoted ? '' : place.toLowerCase();
  if (special === 'program') throw unsupportedError('\\copy with a program');
  if (special === 'stdin' || special === 'pstdin' || special === 'pstdout')
    throw unsupportedError(`\\copy with ${special}`);
  return {
    statement: `COPY ${what}${name} ${direction === 'from' ? 'FROM STDIN' : 'TO STDOUT'}${options}`,
    direction,
    file: special === 'stdout' ? undefined : place,
  };
}

/** Opens the file and runs `work` with it as the end of a COPY; `write` takes what goes to standard output. */
export async function withCopyEnds(
  { direction, file }: CopyCommand,
  write: (text: string) => void,
  work: (ends: CopyEnds) => Promise<void>,
): Promise<void> {
  if (file === undefined) {
    const decoder = new TextDecoder();
    await work({
      output: (data) => {
        write(decoder.decode(data, { stream: true }));
        return undefined;
      },
    });
    return;
  }
  const descriptor = openSync(file, direction === 'from' ? 'r' : 'w');
  try {
    if (direction === 'from') await work({ input: piecesOf(descriptor) });
    else await work({ output: (data) => writeAll(descriptor, data) });
  } finally {
    closeSync(descriptor);
  }
}

function* piecesOf(descriptor: number): Generator<Uint8Array, void, void> {
  for (;;) {
    const piece = new Uint8Array(PIECE_BYTES);
    const bytes = readSync(descriptor, piece);
    if (bytes === 0) return;
    yield piece.subarray(0, bytes);
  }
}

function writeAll(descriptor: number, data: Uint8Array): undefined {
  for (let at = 0; at < data.length;) at += writeSync(descriptor, data, at);
  return undefined;
}

/** Offset behind the parenthesis that closes the first one. */
function endOfParentheses(text: string): number {
  for (let end = text.indexOf(')') + 1; end > 0; end = text.indexOf(')', end) + 1) {
    const { open } = splitStatements(text.slice(0, end));
    if (open === 'statement') return end;
  }
  throw new Error('\\copy has a parenthesis that does not end');
}
