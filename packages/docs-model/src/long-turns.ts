/**
 * Turns of the event loop in which something took long that nothing could divide: a search for a pattern, an expression over one document.
 * Whoever works through many documents asks before the next one, and gives others a turn first.
 */
let isLong = false;
let number = 0;

function endTurn(): void {
  isLong = false;
  number++;
}

/** Notes long work in the present turn. Gives its number: calls of one turn give the same one. */
export function noteLongWork(): number {
  if (!isLong) setImmediate(endTurn);
  isLong = true;
  return number;
}

/** True once long work was noted in the present turn. */
export function turnIsLong(): boolean {
  return isLong;
}
