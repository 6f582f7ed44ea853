/**
 * The encodings of texts that clients, COPY, convert_to and convert_from know: UTF-8, in which every text is kept, and those of one byte a character.
 * Their tables are those of the platform (TextDecoder), but for what PostgreSQL has otherwise: the standards of ISO give 0x80 to 0x9f
 * to control characters, and the code pages of Windows leave some bytes without a meaning. Encodings of several bytes a character raise
 * 0A000: their tables differ from PostgreSQL's.
 */
import { PhantomError } from '@phantom/base';
import { TextPieces } from '../types/text-pieces.js';

interface SingleByte {
  readonly name: string;
  /** As the platform names its table. */
  readonly label: string;
  /** Bytes from 0x80 to 0x9f are control characters, as in ISO's; elsewhere no byte stands for one. */
  readonly hasControls: boolean;
}

/** By what is left of a name without signs. */
const SINGLE_BYTE: ReadonlyMap<string, SingleByte> = new Map(
  [
    ['LATIN1', 'windows-1252', 'latin1', 'iso88591'],
    ['LATIN2', 'iso-8859-2', 'latin2', 'iso88592'],
    ['LATIN3', 'iso-8859-3', 'latin3', 'iso88593'],
    ['LATIN4', 'iso-8859-4', 'latin4', 'iso88594'],
    ['LATIN5', 'windows-1254', 'latin5', 'iso88599'],
    ['LATIN6', 'iso-8859-10', 'latin6', 'iso885910'],
    ['LATIN7', 'iso-8859-13', 'latin7', 'iso885913'],
    ['LATIN8', 'iso-8859-14', 'latin8', 'iso885914'],
    ['LATIN9', 'iso-8859-15', 'latin9', 'iso885915'],
    ['ISO_8859_5', 'iso-8859-5', 'iso88595'],
    ['ISO_8859_6', 'iso-8859-6', 'iso88596'],
    ['ISO_8859_7', 'iso-8859-7', 'iso88597'],
    ['ISO_8859_8', 'iso-8859-8', 'iso88598'],
    ['WIN1250', 'windows-1250', 'win1250', 'windows1250'],
    ['WIN1251', 'windows-1251', 'win1251', 'windows1251', 'win'],
    ['WIN1252', 'windows-1252', 'win1252', 'windows1252'],
    ['WIN1253', 'windows-1253', 'win1253', 'windows1253'],
    ['WIN1254', 'windows-1254', 'win1254', 'windows1254'],
    ['WIN1255', 'windows-1255', 'win1255', 'windows1255'],
    ['WIN1256', 'windows-1256', 'win1256', 'windows1256'],
    ['WIN1257', 'windows-1257', 'win1257', 'windows1257'],
    ['WIN1258', 'windows-1258', 'win1258', 'windows1258', 'abc', 'tcvn', 'tcvn5712', 'vscii'],
    ['WIN866', 'ibm866', 'win866', 'windows866', 'alt'],
    ['WIN874', 'windows-874', 'win874', 'windows874'],
    ['KOI8R', 'koi8-r', 'koi8r', 'koi8'],
  ].flatMap(([name = '', label = '', ...names]) => {
    const encoding = { name, label, hasControls: /^(?:LATIN|ISO)/.test(name) };
    return names.map((one): [string, SingleByte] => [one, encoding]);
  }),
);

/** Those of several bytes a character, and those of one byte whose table the platform lacks or has otherwise. */
const UNSUPPORTED =
  /^(?:euccn|eucjis2004|eucjp|euckr|euctw|gb18030|gbk|johab|koi8u|latin10|iso885916|muleinternal|shiftjis|shiftjis2004|sjis|mskanji|windows932|win932|windows936|win936|windows949|win949|uhc|big5|windows950|win950)$/;

/** Windows' 0x80 to 0x9f, which platforms read as ISO's; a blank where there is none. */
const WINDOWS_1252 = '€ ‚ƒ„…†‡ˆ‰Š‹Œ Ž  ‘’“”•–—˜™š›œ žŸ';
/** What platforms have in these tables beyond the code pages: control characters, those for private use, and one of Greek. */
const BEYOND: Readonly<Record<string, RegExp>> = { WIN1253: /[\u0080-\u009f\u00aa\ufffd]/ };
const BEYOND_ANY = /[\u0080-\u009f\ue000-\uf8ff\ufffd]/;

/** Between these PostgreSQL converts without UTF-8. */
const CYRILLIC: readonly string[] = ['KOI8R', 'WIN1251', 'WIN866', 'ISO_8859_5'];
const CENTRAL_EUROPEAN: readonly string[] = ['LATIN2', 'WIN1250'];

/** A table of one byte a character, made when it is first used: a character is not there where it is undefined. */
interface Table {
  readonly characters: readonly (string | undefined)[];
  readonly bytes: ReadonlyMap<string, number>;
}

const tables = new Map<string, Table>();

function tableOf({ name, label, hasControls }: SingleByte): Table {
  let table = tables.get(name);
  if (table === undefined) {
    const decoder = new TextDecoder(label);
    const beyond = BEYOND[name] ?? BEYOND_ANY;
    const characters = Array.from({ length: 256 }, (_, byte): string | undefined => {
      const isControl = byte >= 0x80 && byte <= 0x9f;
      if (byte < 0x80 || (isControl && hasControls)) return String.fromCharCode(byte);
      const isWestern = name === 'WIN1252' && isControl;
      const character = isWestern ? WINDOWS_1252[byte - 0x80] : decoder.decode(Uint8Array.of(byte));
      return character === undefined || character === ' ' || beyond.test(character) ? undefined : character;
    });
    const known = characters.flatMap((character, byte): [string, number][] =>
      character === undefined ? [] : [[character, byte]],
    );
    tables.set(name, (table = { characters, bytes: new Map(known) }));
  }
  return table;
}

/** UTF-8, bytes that nobody looks into (SQL_ASCII), or one of one byte a character. */
type Encoding = 'UTF8' | 'SQL_ASCII' | SingleByte;

/** 22023 for a name that there is none of, 0A000 for one whose table is not here. */
function encodingNamed(name: string, what: 'source' | 'destination'): Encoding {
  const plain = plainName(name);
  if (plain === 'utf8' || plain === 'unicode') return 'UTF8';
  if (plain === 'sqlascii') return 'SQL_ASCII';
  const found = SINGLE_BYTE.get(plain);
  if (found !== undefined) return found;
  if (UNSUPPORTED.test(plain)) throw new PhantomError('0A000', `conversion of encoding "${name}" is not supported`);
  throw new PhantomError('22023', `invalid ${what} encoding name "${name}"`);
}

/** An encoding of one byte a character; ASCII is the same in each. */
export interface TextEncoding {
  /** As PostgreSQL tells of it. */
  readonly name: string;
  /** 22021 and 22P05 for bytes that are no text. */
  decode(bytes: Uint8Array): string;
  /** 22P05 for a character that it lacks. */
  encode(text: string): Uint8Array;
  /** A question mark for each character that it lacks: for what has to be told anyway. */
  encodeLossy(text: string): Uint8Array;
}

/** The encoding of one byte a character of that name, however it is spelt; undefined for all others. */
export function textEncoding(name: string): TextEncoding | undefined {
  const encoding = SINGLE_BYTE.get(plainName(name));
  if (encoding === undefined) return undefined;
  return {
    name: encoding.name,
    decode: (bytes) => decode(encoding, bytes),
    encode: (text) => encode(encoding, text),
    encodeLossy: (text) => {
      const { bytes } = tableOf(encoding);
      return Uint8Array.from(text, (character) => bytes.get(character) ?? QUESTION_MARK);
    },
  };
}

/** True for encodings that PostgreSQL has and whose tables are not here. */
export function isAbsentEncoding(name: string): boolean {
  return UNSUPPORTED.test(plainName(name));
}

const QUESTION_MARK = 0x3f;

function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, '');
}

/** The text that the bytes are in the encoding; 22021 and 22P05 for what is none, also for the character 0, which no text has. */
export function textIn(encodingName: string, bytes: Uint8Array): string {
  return decode(encodingNamed(encodingName, 'source'), bytes);
}

/** The text's bytes in the encoding; 22P05 for a character that it lacks. */
export function bytesIn(encodingName: string, text: string): Uint8Array {
  return encode(encodingNamed(encodingName, 'destination'), text);
}

/** The same text in another encoding. */
export function converted(bytes: Uint8Array, sourceName: string, destinationName: string): Uint8Array {
  const source = encodingNamed(sourceName, 'source');
  const destination = encodingNamed(destinationName, 'destination');
  if (source === 'SQL_ASCII' || destination === 'SQL_ASCII') return bytes;
  const text = decode(source, bytes);
  if (source !== 'UTF8' && destination !== 'UTF8' && source !== destination) {
    const [from, to] = [source.name, destination.name];
    if (![CYRILLIC, CENTRAL_EUROPEAN].some((family) => family.includes(from) && family.includes(to)))
      throw new PhantomError('42883', `default conversion function for encoding "${from}" to "${to}" does not exist`);
  }
  return encode(destination, text);
}

function decode(encoding: Encoding, bytes: Uint8Array): string {
  if (typeof encoding === 'string') return utf8Text(bytes);
  const { characters } = tableOf(encoding);
  const { name } = encoding;
  const text = new TextPieces();
  for (const byte of bytes) {
    if (byte === 0) throw new PhantomError('22021', `invalid byte sequence for encoding "${name}": 0x00`);
    text.add(characters[byte] ?? withoutEquivalent(Uint8Array.of(byte), name, 'UTF8'));
  }
  return text.text();
}

function encode(encoding: Encoding, text: string): Uint8Array {
  if (typeof encoding === 'string') return new TextEncoder().encode(text);
  const { bytes } = tableOf(encoding);
  const encoded = new Uint8Array(text.length);
  let length = 0;
  for (const character of text) {
    const byte = bytes.get(character);
    encoded[length++] = byte ?? withoutEquivalent(new TextEncoder().encode(character), 'UTF8', encoding.name);
  }
  return encoded;
}

function withoutEquivalent(bytes: Uint8Array, from: string, to: string): never {
  const sequence = [...bytes].map((byte) => `0x${byte.toString(16).padStart(2, '0')}`).join(' ');
  throw new PhantomError(
    '22P05',
    `character with byte sequence ${sequence} in encoding "${from}" has no equivalent in encoding "${to}"`,
  );
}

/** Text of UTF-8; 22021 for what is none, and for the character 0, which no text has. */
function utf8Text(bytes: Uint8Array): string {
  if (bytes.includes(0)) throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8": 0x00');
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new PhantomError('22021', 'invalid byte sequence for encoding "UTF8"');
  }
}
