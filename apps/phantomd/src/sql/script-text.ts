/** Scripts are UTF-8: a character that is guessed at would be kept for ever. */
import { isUtf8 } from 'node:buffer';
import { readFile } from 'node:fs/promises';
import { PhantomError } from '@phantom/base';

/** The text of a file. 22021 when it is not UTF-8; the system's own error when it cannot be read. */
export async function readScriptFile(file: string): Promise<string> {
  return scriptText(await readFile(file), file);
}

/** The text of some bytes; `source` names where they come from. */
export function scriptText(bytes: Buffer, source: string): string {
  if (isUtf8(bytes)) return bytes.toString('utf8');
  throw new PhantomError('22021', `invalid byte sequence for encoding "UTF8" in ${source}`, {
    hint: 'Convert it to UTF-8, and leave out its SET client_encoding, or let psql send it as it is.',
  });
}
