/** Comparing answers of different databases: numbers by value (floats to nine digits), dates and texts as text. */

/** A row in one line, alike for every database. */
export function lineOf(row) {
  return row.map(plain).join(' | ');
}

/** What two answers differ in, first difference first; undefined when they agree. */
export function differenceOf(rows, expected) {
  if (rows.length !== expected.length) return `${rows.length} rows instead of ${expected.length}`;
  for (let r = 0; r < rows.length; r++) {
    const line = lineOf(rows[r]);
    const wanted = lineOf(expected[r]);
    if (line !== wanted) return `row ${r}: ${line} instead of ${wanted}`;
  }
  return undefined;
}

function plain(value) {
  if (value === null || value === undefined) return '';
  if (value instanceof Date) return localDate(value);
  const text = String(value);
  if (/^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) && !/^0\d/.test(text))
    return Number(Number(text).toPrecision(9)).toString();
  return text;
}

/** A date as ISO text, whether its driver made it at midnight of here or of Greenwich. */
function localDate(date) {
  const atGreenwich = date.getUTCHours() === 0 && date.getUTCMinutes() === 0;
  const shifted = atGreenwich ? date : new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 10);
}
