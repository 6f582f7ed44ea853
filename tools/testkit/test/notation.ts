/**
 * Histories in short. One line for each transaction, all of them under way at once unless `began-ended` says otherwise:
 *
 *     a1.5        appends 5 to list 1            l1.4,5      reads list 1 as [4 5]; l1. as the empty list
 *     w1.5        writes 5 to register 1         r1.5        reads register 1 as 5; r1. as nobody wrote it
 *     s1.4,5      reads list 1 in a scan         p1.5        reads register 1 in a scan
 *     |           the next scan begins           aborted, unknown: how it ended, else it committed
 */
import { INITIAL, type Level, type Operation, type Outcome, type RecordedTransaction } from '../src/histories.js';

/** Every line at one level, or at the level it is paired with. */
export function historyOf(
  level: Level,
  ...lines: readonly (string | readonly [Level, string])[]
): RecordedTransaction[] {
  return lines.map((line, session) =>
    typeof line === 'string' ? transactionOf(level, line, session) : transactionOf(line[0], line[1], session),
  );
}

function transactionOf(level: Level, line: string, session: number): RecordedTransaction {
  const operations: Operation[] = [];
  let [began, ended]: [number, number] = [0, 1];
  let outcome = 'committed' as Outcome;
  let scan = 0;
  for (const word of line.split(' ')) {
    const times = /^(\d+)-(\d+)$/.exec(word);
    const operation = /^([alwrsp])(\d+)\.([\d,]*)$/.exec(word);
    if (times !== null) [began, ended] = [Number(times[1]), Number(times[2])];
    else if (word === '|') scan++;
    else if (operation === null) outcome = word as Outcome;
    else operations.push(operationOf(operation as unknown as string[], scan));
  }
  return { level, session, operations, outcome, began, ended: outcome === 'unknown' ? Infinity : ended };
}

function operationOf([, kind = '', keyText, rest = '']: readonly string[], scan: number): Operation {
  const key = Number(keyText);
  const values = rest === '' ? [] : rest.split(',').map(Number);
  const value = values[0] ?? INITIAL;
  switch (kind) {
    case 'a':
      return { kind: 'append', key, value };
    case 'w':
      return { kind: 'write', key, value };
    case 'l':
      return { kind: 'list', key, values };
    case 's':
      return { kind: 'list', key, values, scan };
    case 'r':
      return { kind: 'register', key, value };
    default:
      return { kind: 'register', key, value, scan };
  }
}
