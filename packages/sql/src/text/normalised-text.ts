/**
 * A statement as statistics and logs show it: constants out, parameters in their place, so that statements that differ in their values
 * are one, and no value is told to whoever may read a log.
 *
 *   select *  from t where a = 17 -- by the shop       ->   select * from t where a = $1 and b = $2
 *     and b = 'x'
 *
 * Numbers go on behind the parameters that the text has itself. Comments go, since drivers write what differs each time into them; blanks
 * are one each. Words stay, true and null among them. Of a text that is longer than is shown only that much is read: what the cut has
 * broken goes with it.
 */
import { scan } from './lexer.js';
import type { Token } from './tokens.js';

/** Longest text that is shown; a longer one is shown by its beginning. */
export const SHOWN_CHARACTERS_MAX = 4096;

const CONSTANTS: ReadonlySet<string> = new Set(['String', 'BitString', 'HexString', 'Integer', 'Decimal']);
const NAMES = { parameter: 'Parameter', invalid: 'Invalid' } as const;

/**
 * The text without its constants. `renumbers`: what parameters it has were constants, too (statement-shapes.ts), and are numbered with the
 * others from 1. `escapes`: backslashes in its plain strings are escapes. Never throws: of a text that cannot be read it shows what can.
 */
export function normalisedText(text: string, renumbers = false, escapes = false): string {
  const isCut = text.length > SHOWN_CHARACTERS_MAX;
  const { tokens } = scan(isCut ? wellFormed(text.slice(0, SHOWN_CHARACTERS_MAX)) : text, escapes);
  let number = renumbers ? 0 : parametersOf(tokens);
  let shown = '';
  let end = 0;
  for (const token of tokens) {
    const { name } = token.tokenType;
    if (name === NAMES.invalid) break;
    if (shown !== '' && token.startOffset > end) shown += ' ';
    end = token.endOffset + 1;
    const isReplaced = CONSTANTS.has(name) || (renumbers && name === NAMES.parameter);
    shown += isReplaced ? `$${++number}` : token.image;
  }
  return isCut ? `${shown} ...` : shown.replace(/;$/, '');
}

/** From where a password may be given to a role. */
const ROLE_WORD = /\b(?:role|user|group)\b/i;
const PASSWORD_WORD = /\bpassword\b/i;

/**
 * The text of a statement as activity shows it: whole, but where it may give a role a password. Of such a one it is shown up to that word,
 * and without constants, for the password may have been among them already.
 *
 *   alter role ada login password 'hush'; select 1     ->   alter role ada login password ...
 */
export function withoutPassword(text: string): string {
  const role = text.search(ROLE_WORD);
  const password = role === -1 ? -1 : text.slice(role).search(PASSWORD_WORD);
  return password === -1 ? text : `${normalisedText(text.slice(0, role + password))} password ...`;
}

/** The highest number of a parameter. */
function parametersOf(tokens: readonly Token[]): number {
  let highest = 0;
  for (const { tokenType, value } of tokens)
    if (tokenType.name === NAMES.parameter) highest = Math.max(highest, Number(value));
  return highest;
}

/** Without half a character at its end. */
function wellFormed(text: string): string {
  const last = text.charCodeAt(text.length - 1);
  return last >= 0xd800 && last < 0xdc00 ? text.slice(0, -1) : text;
}
