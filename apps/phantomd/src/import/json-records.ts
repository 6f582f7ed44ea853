/**
 * Cuts a file of JSON into its objects: the items of one array, or values one after the other, over as many lines as they like.
 *
 *   [ {"id": 1},            {"id": 1}
 *     {"id": 2} ]           {"id": 2}
 *
 * Nothing of it is parsed here, so that a file of any length goes through; what is no JSON is found when its record is read.
 */
import { PhantomError } from '@phantom/base';
import { type ImportRecords, RECORD_CHARACTERS_MAX } from './records.js';

/** Values, each with the line it begins in. 22P02 for one that never ends. */
export async function* jsonRecords(chunks: AsyncIterable<string>): ImportRecords {
  let line = 1;
  /** Of the value that is open: its text so far, its first line, and how many brackets are open in it. */
  let text = '';
  let start = 0;
  let depth = 0;
  let isInString = false;
  let isEscaped = false;
  let isInArray = false;
  let isFirst = true;
  for await (const chunk of chunks) {
    let from = 0;
    for (let at = 0; at < chunk.length; at++) {
      const character = chunk[at] as string;
      if (character === '\n') line++;
      if (isInString) {
        if (isEscaped) isEscaped = false;
        else if (character === '\\') isEscaped = true;
        else if (character === '"') isInString = false;
        continue;
      }
      if (start === 0) {
        if (/\s/.test(character)) continue;
        const isMark = isInArray ? character === ',' || character === ']' : isFirst && character === '[';
        if (isMark) {
          if (isFirst) isInArray = true;
          isFirst = false;
          continue;
        }
        isFirst = false;
        start = line;
        from = at;
      }
      if (character === '"') isInString = true;
      else if (character === '{' || character === '[') depth++;
      else if (character === '}' || character === ']') depth--;
      // A value that is no object ends with its line.
      if (depth > 0 || (character !== '}' && character !== ']' && character !== '\n')) continue;
      yield { line: start, text: (text + chunk.slice(from, at + 1)).trimEnd() };
      text = '';
      start = 0;
      depth = 0;
    }
    if (start > 0) text += chunk.slice(from);
    if (text.length > RECORD_CHARACTERS_MAX)
      throw new PhantomError('54000', `line ${start}: a record is longer than ${RECORD_CHARACTERS_MAX} characters`);
  }
  if (start === 0) return;
  if (depth > 0 || isInString) throw new PhantomError('22P02', `line ${start}: a value of JSON is never closed`);
  yield { line: start, text: text.trimEnd() };
}
