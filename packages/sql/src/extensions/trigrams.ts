/**
 * Trigrams of texts, and how alike texts are by them (pg_trgm, after its documentation and the answers of PostgreSQL 15). Words are runs of
 * letters and digits, in lower case; each stands between two blanks before and one behind, and has every three characters that follow
 * each other.
 *
 *   cat  ->  "  c"  " ca"  "cat"  "at "
 *
 * A trigram is a number of 24 bits: its three bytes, or of others than ASCII three bytes of a CRC over all of them, as PostgreSQL keeps and
 * shows it. Numbers are ordered as bytes with a sign are.
 */
import { lower, upper } from '../functions/letter-case.js';

const WORD = /[\p{Alphabetic}\p{Nd}]+/gu;
const WORD_CHARACTER = /^[\p{Alphabetic}\p{Nd}]/u;
const CRC_POLYNOMIAL = 0xedb88320;
const BYTE = 0xff;
const UTF8 = new TextEncoder();

let crcTable: Int32Array | undefined;

/** The table of the CRC-32 of Ethernet. */
function tableOfCrc(): Int32Array {
  return (crcTable ??= Int32Array.from({ length: 256 }, (_, byte) => {
    let entry = byte;
    for (let bit = 0; bit < 8; bit++) entry = entry & 1 ? (entry >>> 1) ^ CRC_POLYNOMIAL : entry >>> 1;
    return entry | 0;
  }));
}

/** PostgreSQL's old sum: the table of the reflected CRC, used as if it were not. */
function oldCrc(bytes: Uint8Array): number {
  const table = tableOfCrc();
  let crc = -1;
  for (const byte of bytes) crc = (table[((crc >>> 24) ^ byte) & BYTE] as number) ^ (crc << 8);
  return ~crc >>> 0;
}

function trigramOf(characters: string): number {
  const bytes = UTF8.encode(characters);
  if (bytes.length === 3) return ((bytes[0] as number) << 16) | ((bytes[1] as number) << 8) | (bytes[2] as number);
  const crc = oldCrc(bytes);
  return ((crc & BYTE) << 16) | (((crc >>> 8) & BYTE) << 8) | ((crc >>> 16) & BYTE);
}

/** Three bytes with signs, most significant first, as an order. */
function signedOrder(trigram: number): number {
  return trigram ^ 0x808080;
}

/** The trigrams of a text as they follow each other, and where its words begin and end among them. */
interface Sequence {
  readonly trigrams: readonly number[];
  readonly starts: ReadonlySet<number>;
  readonly ends: ReadonlySet<number>;
}

/** The characters of a text's words, in lower case, with the blanks around each. */
function* paddedWords(text: string): Iterable<readonly string[]> {
  for (const [word] of lower(text).matchAll(WORD)) yield [...`  ${word} `];
}

function sequenceOf(text: string): Sequence {
  const trigrams: number[] = [];
  const starts = new Set<number>();
  const ends = new Set<number>();
  for (const characters of paddedWords(text)) {
    starts.add(trigrams.length);
    trigrams.push(...trigramsWithin(characters));
    ends.add(trigrams.length - 1);
  }
  return { trigrams, starts, ends };
}

/** The trigrams of a text, each once, in their order. */
export function trigramsOf(text: string): number[] {
  const { trigrams } = sequenceOf(text);
  return [...new Set(trigrams)].sort((a, b) => signedOrder(a) - signedOrder(b));
}

/** A text in which letters are the same that a search without regard to case may take for one: `ſ`, `S` and `s` are `s`. */
export function oneCase(text: string): string {
  return lower(upper(lower(text)));
}

/** What an index over trigrams holds of a text. */
export function foldedTrigramsOf(text: string): number[] {
  return trigramsOf(oneCase(text));
}

/** The trigrams of three characters each that follow each other in a part of a word, in lower case. */
export function trigramsWithin(characters: readonly string[]): number[] {
  const found: number[] = [];
  for (let i = 0; i + 2 < characters.length; i++)
    found.push(trigramOf(`${characters[i]}${characters[i + 1]}${characters[i + 2]}`));
  return found;
}

/** True for a character of words. */
export function isOfWord(character: string): boolean {
  return WORD_CHARACTER.test(character);
}

const PRINTABLE_FIRST = 0x20;
const PRINTABLE_LAST = 0x7e;

/** A trigram as show_trgm shows it: its characters, or what is not such in hexadecimal digits. */
export function shownTrigram(trigram: number): string {
  const bytes = [trigram >>> 16, (trigram >>> 8) & BYTE, trigram & BYTE];
  if (bytes.every((byte) => byte >= PRINTABLE_FIRST && byte <= PRINTABLE_LAST)) return String.fromCharCode(...bytes);
  return `0x${trigram.toString(16).padStart(6, '0')}`;
}

/** What both have of what either has: 0 to 1, as a float4. */
function share(common: number, first: number, second: number): number {
  return Math.fround(common / (first + second - common));
}

/** How alike two texts are: 0 to 1. */
export function similarity(a: string, b: string): number {
  const first = trigramsOf(a);
  const second = new Set(trigramsOf(b));
  if (first.length === 0 || second.size === 0) return 0;
  const common = first.filter((trigram) => second.has(trigram)).length;
  return share(common, first.length, second.size);
}

/**
 * How alike a text is to the most alike stretch of another one: any run of its trigrams, or whole words where it is strict. The stretch
 * grows trigram by trigram at its end; at each end that may be one, what stands at its beginning is let go as long as that makes it more alike.
 */
export function wordSimilarity(text: string, within: string, strict: boolean): number {
  const wanted = new Set(sequenceOf(text).trigrams);
  const { trigrams, starts, ends } = sequenceOf(within);
  if (wanted.size === 0) return 0;
  /** Where each trigram of the stretch stood last. */
  const last = new Map<number, number>();
  let begin = strict ? 0 : -1;
  let distinct = 0;
  let common = 0;
  let most = 0;
  for (let end = 0; end < trigrams.length; end++) {
    const trigram = trigrams[end] as number;
    const isWanted = wanted.has(trigram);
    if (begin >= 0 || isWanted) {
      if (!last.has(trigram)) {
        distinct++;
        if (isWanted) common++;
      }
      last.set(trigram, end);
    }
    if (!(strict ? ends.has(end) : isWanted)) continue;
    if (begin < 0) {
      begin = end;
      distinct = 1;
    }
    const before = begin;
    let best = share(common, wanted.size, distinct);
    let [leftDistinct, leftCommon] = [distinct, common];
    for (let from = before; from <= end; from++) {
      if (!strict || starts.has(from)) {
        const now = share(leftCommon, wanted.size, leftDistinct);
        if (now > best) [best, distinct, begin, common] = [now, leftDistinct, from, leftCommon];
      }
      const leaving = trigrams[from] as number;
      if (last.get(leaving) !== from) continue;
      leftDistinct--;
      if (wanted.has(leaving)) leftCommon--;
    }
    most = Math.max(most, best);
    for (let from = before; from < begin; from++) {
      const gone = trigrams[from] as number;
      if (last.get(gone) === from) last.delete(gone);
    }
  }
  return most;
}
