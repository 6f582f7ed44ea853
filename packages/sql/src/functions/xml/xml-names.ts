/**
 * Names of SQL as names of XML (ISO 9075-14, 9.1): a character that may not stand there is `_xHHHH_`, its number in
 * hexadecimal. After PostgreSQL's map_sql_identifier_to_xml_name, which goes by the letters of XML's first editions.
 */

const FIRST = /^[\p{L}_:]$/u;
const FURTHER = /^[\p{L}\p{Nd}\p{M}_:.\u00b7-]$/u;
/** Letters of these planes came later. */
const FIRST_EDITION_MAX = 0xffff;

function escaped(code: number): string {
  return `_x${code.toString(16).toUpperCase().padStart(4, '0')}_`;
}

/** What else than impossible characters is escaped. */
export interface NameEscaping {
  /** Every colon, and the `xml` that a name may not begin with: for names of columns. */
  readonly fully?: boolean;
  /** Full stops, which separate names of names. */
  readonly periods?: boolean;
}

/** The name as it stands in XML. */
export function xmlName(name: string, { fully = false, periods = false }: NameEscaping = {}): string {
  let mapped = '';
  let first = true;
  let at = 0;
  for (const character of name) {
    const code = character.codePointAt(0) as number;
    const reserved = fully && first && /^xml/i.test(name);
    const allowed = code <= FIRST_EDITION_MAX && (first ? FIRST : FURTHER).test(character);
    const colon = character === ':' && (first || fully);
    const looksEscaped = character === '_' && name[at + 1] === 'x';
    const isStop = periods && character === '.';
    mapped += reserved || !allowed || colon || looksEscaped || isStop ? escaped(code) : character;
    at += character.length;
    first = false;
  }
  return mapped;
}
