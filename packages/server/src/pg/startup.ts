/** What a start-up message asks for: user, database, settings, and what of it is not known. */
import type { StartupMessage } from './frontend-messages.js';
import { fatal } from './reports.js';
import { StartupCode } from './protocol.js';

export interface StartupRequest {
  readonly user: string;
  readonly database: string;
  readonly settings: Readonly<Record<string, string>>;
  /** Options of the protocol that are not known here, to be named in NegotiateProtocolVersion. */
  readonly unknownOptions: readonly string[];
  /** True when the client asked for a newer minor version. */
  readonly isNewer: boolean;
}

const MINOR_VERSION = StartupCode.Version3 & 0xffff;
/** Parameters that are not settings. */
const NOT_SETTINGS = new Set(['user', 'database', 'options', 'replication']);
const FALSE_WORDS = new Set(['false', 'off', 'no', '0']);

/** Reads the parameters of a message of protocol 3; FatalError with 0A000 for other protocols and for replication. */
export function startupRequest(message: StartupMessage): StartupRequest {
  const major = message.code >> 16;
  const minor = message.code & 0xffff;
  if (major !== 3) {
    throw fatal('0A000', `unsupported frontend protocol ${major}.${minor}: server supports 3.0 to 3.0`);
  }
  const { parameters } = message;
  const user = parameters.get('user') ?? '';
  if (user === '') throw fatal('28000', 'no PostgreSQL user name specified in startup packet');
  const replication = parameters.get('replication');
  if (replication !== undefined && !FALSE_WORDS.has(replication.toLowerCase())) {
    throw fatal('0A000', 'the replication protocol is not supported');
  }
  const settings: Record<string, string> = Object.create(null) as Record<string, string>;
  const unknownOptions: string[] = [];
  const options = parameters.get('options');
  if (options !== undefined) Object.assign(settings, parseOptions(options));
  for (const [name, value] of parameters) {
    if (name.startsWith('_pq_.')) unknownOptions.push(name);
    else if (!NOT_SETTINGS.has(name)) settings[name] = value;
  }
  const database = parameters.get('database') ?? '';
  return {
    user,
    database: database === '' ? user : database,
    settings,
    unknownOptions,
    isNewer: minor > MINOR_VERSION,
  };
}

/** The words of `options`: `-c name=value` and `--name=value`; a backslash takes the next character as it is. */
export function parseOptions(text: string): Record<string, string> {
  const settings: Record<string, string> = Object.create(null) as Record<string, string>;
  const words = splitWords(text);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as string;
    let assignment: string | undefined;
    if (word === '-c') assignment = words[++i];
    else if (word.startsWith('-c')) assignment = word.slice(2);
    else if (word.startsWith('--')) assignment = word.slice(2);
    const equals = assignment?.indexOf('=') ?? -1;
    if (assignment === undefined || equals < 1) {
      throw fatal('42601', `invalid command-line argument for server process: ${word}`);
    }
    settings[assignment.slice(0, equals).replaceAll('-', '_')] = assignment.slice(equals + 1);
  }
  return settings;
}

function splitWords(text: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    if (/\s/.test(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      word = (word ?? '') + (character === '\\' && i + 1 < text.length ? text.charAt(++i) : character);
    }
  }
  if (word !== undefined) words.push(word);
  return words;
}
