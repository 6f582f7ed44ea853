/**
 * How many columns of a terminal a text takes, and what of it a terminal may be shown.
 *
 *   'abc' 3     '日本' 4     'é' as e and an accent 1     '👍🏽' 2 (thumb and colour are one sign)
 *
 * Signs are graphemes, as Unicode cuts text; one is two columns wide when it has a wide character or is shown as an emoji. Very
 * old terminals draw the parts of an emoji side by side; tables are ragged there.
 */

/** Latin letters, one column each. */
const PLAIN = /^[\x20-\x7e\xa0-\u02ff]*$/;
const INVISIBLE = /^[\p{Mark}\p{Format}]+$/u;
/** East Asian wide and full-width characters, by script and, where signs are shared, by block; and what is an emoji by itself. */
const WIDE =
  /[\p{Script=Han}\p{Script=Hangul}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Bopomofo}\p{Script=Yi}\p{Emoji_Presentation}\u3000-\u303E\u31F0-\u33FF\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]|\uFE0F/u;
/** Katakana and Hangul of half the width. */
const NARROW = /[\uFF61-\uFFDC]/u;
/** What moves the cursor, rings, changes colours or types for the user: C0 without the line feed and the tab, DEL and C1. */
const CONTROL = /[^\P{Control}\n\t]/gu;

const graphemes = new Intl.Segmenter(undefined, { granularity: 'grapheme' });

export function textWidth(text: string): number {
  if (PLAIN.test(text)) return text.length;
  let columns = 0;
  for (const { segment } of graphemes.segment(text)) {
    if (INVISIBLE.test(segment)) continue;
    columns += WIDE.test(segment) && !NARROW.test(segment) ? 2 : 1;
  }
  return columns;
}

/** Control characters as psql writes them: `\x1B`. A value of a row never commands the terminal. */
export function shownText(text: string): string {
  return text.replace(CONTROL, (character) => {
    if (character === '\r') return '\\r';
    return `\\x${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`;
  });
}
