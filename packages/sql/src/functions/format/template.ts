/**
 * Templates of to_char and its inverses, cut into parts: keywords with their modifiers, and characters to copy. After
 * parse_format and the keyword tables of PostgreSQL's formatting.c.
 */

export type PartKind = 'keyword' | 'separator' | 'space' | 'character';

export interface TemplatePart {
  readonly kind: PartKind;
  /** The keyword as it was written (its case matters in output), or the character. */
  readonly text: string;
  /** FM: no padding. */
  readonly fill: boolean;
  /** TM: names in the session's language, which is English here, and so unpadded. */
  readonly localized: boolean;
  /** TH or th behind the keyword. */
  readonly ordinal: 'TH' | 'th' | undefined;
}

const DATE_KEYWORDS =
  'A.D. A.M. AD AM B.C. BC CC DAY DDD DD DY Day Dy D FF1 FF2 FF3 FF4 FF5 FF6 FX HH24 HH12 HH IDDD ID IW IYYY IYY IY I J MI MM ' +
  'MONTH MON MS Month Mon OF P.M. PM Q RM SSSSS SSSS SS TZH TZM TZ US WW W Y,YYY YYYY YYY YY Y a.d. a.m. ad am b.c. bc cc day ' +
  'ddd dd dy d ff1 ff2 ff3 ff4 ff5 ff6 fx hh24 hh12 hh iddd id iw iyyy iyy iy i j mi mm month mon ms of p.m. pm q rm sssss ssss ' +
  'ss tzh tzm tz us ww w y,yyy yyyy yyy yy y';
const NUMBER_KEYWORDS = ', . 0 9 B C D EEEE FM G L MI PL PR RN SG SP S TH V b c d eeee fm g l mi pl pr rn sg sp s th v';

/** Longest first, so that the first hit is the right one. */
function byLength(words: string): readonly string[] {
  return words.split(' ').sort((a, b) => b.length - a.length);
}

const dateKeywords = byLength(DATE_KEYWORDS);
const numberKeywords = byLength(NUMBER_KEYWORDS);

function isSeparator(character: string): boolean {
  return /^[!-/:-@[-`{-~]$/.test(character);
}

function cut(template: string, keywords: readonly string[], dates: boolean): TemplatePart[] {
  const parts: TemplatePart[] = [];
  const literal = (kind: PartKind, text: string): void => {
    parts.push({ kind, text, fill: false, localized: false, ordinal: undefined });
  };
  let at = 0;
  while (at < template.length) {
    let fill = false;
    let localized = false;
    if (dates) {
      const prefix = /^(?:FM|fm|TM|tm)/.exec(template.slice(at, at + 2));
      if (prefix !== null) {
        fill = prefix[0].toUpperCase() === 'FM';
        localized = !fill;
        at += 2;
        if (at >= template.length) break;
      }
    }
    const keyword = keywords.find((word) => template.startsWith(word, at));
    if (keyword !== undefined) {
      at += keyword.length;
      let ordinal: 'TH' | 'th' | undefined;
      if (dates) {
        const suffix = /^(?:TH|th|SP)/.exec(template.slice(at, at + 2));
        if (suffix !== null) {
          at += 2;
          if (suffix[0] !== 'SP') ordinal = suffix[0] as 'TH' | 'th';
        }
      }
      parts.push({ kind: 'keyword', text: keyword, fill, localized, ordinal });
      continue;
    }
    if (template[at] === '"') {
      at++;
      while (at < template.length && template[at] !== '"') {
        if (template[at] === '\\' && at + 1 < template.length) at++;
        const character = String.fromCodePoint(template.codePointAt(at) as number);
        literal('character', character);
        at += character.length;
      }
      at++;
      continue;
    }
    if (template[at] === '\\' && template[at + 1] === '"') at++;
    const character = String.fromCodePoint(template.codePointAt(at) as number);
    const kind = dates && isSeparator(character) ? 'separator' : /\s/.test(character) ? 'space' : 'character';
    literal(kind, character);
    at += character.length;
  }
  return parts;
}

const TEMPLATES_KEPT_MAX = 128;
const dateTemplates = new Map<string, readonly TemplatePart[]>();
const numberTemplates = new Map<string, readonly TemplatePart[]>();

function kept(
  cache: Map<string, readonly TemplatePart[]>,
  template: string,
  keywords: readonly string[],
  dates: boolean,
): readonly TemplatePart[] {
  let parts = cache.get(template);
  if (parts === undefined) {
    if (cache.size >= TEMPLATES_KEPT_MAX) cache.clear();
    cache.set(template, (parts = cut(template, keywords, dates)));
  }
  return parts;
}

/** Parts of a template for dates and times. */
export function dateTemplate(template: string): readonly TemplatePart[] {
  return kept(dateTemplates, template, dateKeywords, true);
}

/** Parts of a template for numbers. */
export function numberTemplate(template: string): readonly TemplatePart[] {
  return kept(numberTemplates, template, numberKeywords, false);
}

/** st, nd, rd or th for the number that the text ends in. */
export function ordinalSuffix(digits: string, style: 'TH' | 'th'): string {
  const last = digits[digits.length - 1] ?? '';
  const suffix =
    digits[digits.length - 2] === '1'
      ? 'th'
      : (({ 1: 'st', 2: 'nd', 3: 'rd' } as Record<string, string>)[last] ?? 'th');
  return style === 'TH' ? suffix.toUpperCase() : suffix;
}
