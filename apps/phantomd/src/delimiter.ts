/** What stands between the values of CSV, for import and export alike. */
import { extname } from 'node:path';

/** As given, where `\t` is how a tab is typed; else a tab for files named .tsv, and a comma for others. */
export function delimiterOf(given: string | undefined, file: string): string {
  if (given === undefined) return extname(file).toLowerCase() === '.tsv' ? '\t' : ',';
  return given === '\\t' ? '\t' : given;
}
