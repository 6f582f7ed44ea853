/** The options of COPY: both syntaxes, checked as PostgreSQL checks them. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { type TextEncoding, isAbsentEncoding, textEncoding } from '../functions/encodings.js';
import type { Name } from '../text/ast-leaves.js';
import type { Copy, CopyOption } from '../text/ast-session.js';

export type CopyFormat = 'text' | 'csv' | 'binary';

export interface CopySettings {
  readonly format: CopyFormat;
  readonly delimiter: string;
  /** Text that stands for NULL. */
  readonly nullText: string;
  readonly header: 'none' | 'skip' | 'match';
  readonly quote: string;
  readonly escape: string;
  /** Columns named; '*' for all. */
  readonly forceQuote: readonly Name[] | '*';
  readonly forceNotNull: readonly Name[] | '*';
  readonly forceNull: readonly Name[] | '*';
  /** What the data is in, where that is not UTF-8. */
  readonly encoding: TextEncoding | undefined;
  /** The table is to be one that nobody else has seen. */
  readonly freeze: boolean;
}

const KNOWN = new Set([
  'format',
  'freeze',
  'delimiter',
  'null',
  'header',
  'quote',
  'escape',
  'force_quote',
  'force_not_null',
  'force_null',
  'encoding',
]);
/** Characters that mean something after a backslash, or begin an end-of-data mark. */
const NO_TEXT_DELIMITERS = '\\.abcdefghijklmnopqrstuvwxyz0123456789';

/** Reads and checks the options; 42601, 22023 and 0A000 in PostgreSQL's words. `clientEncoding` is that of data of which nothing is said. */
export function copySettings(node: Copy, clientEncoding: string): CopySettings {
  const given = new Map<string, CopyOption>();
  for (const option of node.options) {
    if (!KNOWN.has(option.name)) throw refuse('42601', `option "${option.name}" not recognized`, option);
    if (given.has(option.name)) throw refuse('42601', 'conflicting or redundant options', option);
    given.set(option.name, option);
  }
  const format = formatOf(given.get('format'));
  const isCsv = format === 'csv';
  if (format === 'binary') refuseInBinary(given);
  const freeze = given.get('freeze');
  const encoding = encodingOf(given.get('encoding'), clientEncoding);
  if (format === 'binary' && encoding !== undefined)
    throw unsupportedError(`COPY in the binary format and the encoding "${encoding.name}"`);
  const settings: CopySettings = {
    format,
    delimiter: text(given.get('delimiter')) ?? (isCsv ? ',' : '\t'),
    nullText: text(given.get('null')) ?? (isCsv ? '' : '\\N'),
    header: headerOf(given.get('header'), node),
    quote: text(given.get('quote')) ?? '"',
    escape: text(given.get('escape')) ?? text(given.get('quote')) ?? '"',
    forceQuote: columns(given.get('force_quote')),
    forceNotNull: columns(given.get('force_not_null')),
    forceNull: columns(given.get('force_null')),
    encoding,
    freeze: freeze !== undefined && isTrue(freeze),
  };
  if (format !== 'binary') checkCharacters(settings, isCsv);
  checkCsvOnly(given, settings, node, isCsv);
  return settings;
}

function checkCharacters({ delimiter, nullText }: CopySettings, isCsv: boolean): void {
  if (!isOneByte(delimiter)) throw refuse('0A000', 'COPY delimiter must be a single one-byte character');
  if (delimiter === '\n' || delimiter === '\r')
    throw refuse('22023', 'COPY delimiter cannot be newline or carriage return');
  if (/[\r\n]/.test(nullText)) throw refuse('22023', 'COPY null representation cannot use newline or carriage return');
  if (!isCsv && NO_TEXT_DELIMITERS.includes(delimiter))
    throw refuse('22023', `COPY delimiter cannot be "${delimiter}"`);
  if (nullText.includes(delimiter)) throw refuse('0A000', 'COPY delimiter must not appear in the NULL specification');
}

function checkCsvOnly(
  given: ReadonlyMap<string, CopyOption>,
  settings: CopySettings,
  node: Copy,
  isCsv: boolean,
): void {
  const only = (name: string, what: string): boolean => {
    if (!given.has(name)) return false;
    if (!isCsv) throw refuse('0A000', `COPY ${what} available only in CSV mode`);
    return true;
  };
  if (only('quote', 'quote') && !isOneByte(settings.quote))
    throw refuse('0A000', 'COPY quote must be a single one-byte character');
  if (only('escape', 'escape') && !isOneByte(settings.escape))
    throw refuse('0A000', 'COPY escape must be a single one-byte character');
  if (only('force_quote', 'force quote') && node.direction === 'from')
    throw refuse('0A000', 'COPY force quote only available using COPY TO');
  if (only('force_not_null', 'force not null') && node.direction === 'to')
    throw refuse('0A000', 'COPY force not null only available using COPY FROM');
  if (only('force_null', 'force null') && node.direction === 'to')
    throw refuse('0A000', 'COPY force null only available using COPY FROM');
  if (!isCsv) return;
  if (settings.delimiter === settings.quote) throw refuse('22023', 'COPY delimiter and quote must be different');
  if (settings.nullText.includes(settings.quote))
    throw refuse('0A000', 'CSV quote character must not appear in the NULL specification');
}

function refuseInBinary(given: ReadonlyMap<string, CopyOption>): void {
  for (const name of ['delimiter', 'null'] as const)
    if (given.has(name)) throw refuse('42601', `cannot specify ${name.toUpperCase()} in BINARY mode`);
  const header = given.get('header');
  if (header !== undefined && header.value !== false && header.value !== 'false')
    throw refuse('0A000', 'cannot specify HEADER in BINARY mode');
}

function encodingOf(option: CopyOption | undefined, clientEncoding: string): TextEncoding | undefined {
  const name = option === undefined ? clientEncoding : String(option.value);
  if (isAbsentEncoding(name)) throw unsupportedError(`COPY in the encoding "${name}"`);
  const encoding = textEncoding(name);
  const isKept = /^(?:utf8|unicode|sqlascii)$/i.test(name.replaceAll(/[^a-z0-9]/gi, ''));
  if (encoding === undefined && !isKept)
    throw new PhantomError('22023', 'argument to option "encoding" must be a valid encoding name');
  return encoding;
}

function formatOf(option: CopyOption | undefined): CopyFormat {
  if (option === undefined) return 'text';
  const name = String(option.value).toLowerCase();
  if (name === 'text' || name === 'csv' || name === 'binary') return name;
  throw refuse('22023', `COPY format "${name}" not recognized`, option);
}

function headerOf(option: CopyOption | undefined, node: Copy): CopySettings['header'] {
  if (option === undefined) return 'none';
  if (typeof option.value === 'string' && option.value.toLowerCase() === 'match') {
    if (node.direction === 'to') throw refuse('42601', 'cannot use "match" with HEADER in COPY TO');
    return 'match';
  }
  return isTrue(option) ? 'skip' : 'none';
}

function isTrue({ name, value, position }: CopyOption): boolean {
  if (value === true || value === 1) return true;
  if (value === false || value === 0) return false;
  const word = String(value).toLowerCase();
  if (word === 'true' || word === 'on' || word === '1') return true;
  if (word === 'false' || word === 'off' || word === '0') return false;
  throw refuse('42601', `${name} requires a Boolean value${name === 'header' ? ' or "match"' : ''}`, { position });
}

function columns(option: CopyOption | undefined): readonly Name[] | '*' {
  if (option === undefined) return [];
  if (option.value === '*' || Array.isArray(option.value)) return option.value as readonly Name[] | '*';
  throw refuse('42601', `argument to option "${option.name}" must be a list of column names`, option);
}

function text(option: CopyOption | undefined): string | undefined {
  return option === undefined ? undefined : String(option.value);
}

function isOneByte(character: string): boolean {
  return character.length === 1 && character.charCodeAt(0) < 0x80;
}

function refuse(code: string, message: string, at?: { readonly position: number }): PhantomError {
  return new PhantomError(code, message, at === undefined ? {} : { position: at.position + 1 });
}
