/**
 * A database of a few lines that is right by its making: every transaction works on a copy of the state it began with, and
 * commits when nobody has committed what it writes (repeatable read), or anything at all (serializable), since.
 */
import { Random } from '@phantom/base';
import { HistoryRecorder, INITIAL, type Level, type OpenRecord, type RecordedTransaction } from '../src/histories.js';

const SESSIONS = 5;
const STEPS = 600;
/** Keys below are lists, the others registers. */
const LISTS = 3;
const KEYS = 6;

interface State {
  readonly lists: Map<number, readonly number[]>;
  readonly registers: Map<number, number>;
}

interface Running extends State {
  readonly record: OpenRecord;
  readonly snapshot: number;
  readonly written: Set<number>;
}

/** A history of random transactions, each a seed of its own. */
export function modelHistory(level: Level, seed: number): readonly RecordedTransaction[] {
  const random = new Random(seed);
  const recorder = new HistoryRecorder();
  const state: State = { lists: new Map(), registers: new Map() };
  const changedBy = new Map<number, number>();
  const running: (Running | undefined)[] = Array.from({ length: SESSIONS }, () => undefined);
  let commits = 0;
  let value = INITIAL;

  const begin = (session: number): Running => ({
    record: recorder.begin(level, session),
    snapshot: commits,
    lists: new Map(state.lists),
    registers: new Map(state.registers),
    written: new Set(),
  });
  const commit = ({ snapshot, written, lists, registers }: Running): boolean => {
    const isLate = (commit: number): boolean => commit > snapshot;
    if (level === 'serializable' ? isLate(commits) : [...written].some((key) => isLate(changedBy.get(key) ?? 0)))
      return false;
    commits++;
    for (const key of written) {
      changedBy.set(key, commits);
      if (key < LISTS) state.lists.set(key, lists.get(key) as number[]);
      else state.registers.set(key, registers.get(key) as number);
    }
    return true;
  };
  const write = ({ record, written, lists, registers }: Running, key: number): void => {
    written.add(key);
    value++;
    record.wrote(key < LISTS ? 'append' : 'write', key, value);
    if (key < LISTS) lists.set(key, [...(lists.get(key) ?? []), value]);
    else registers.set(key, value);
  };

  for (let step = 0; step < STEPS; step++) {
    const session = random.below(SESSIONS);
    const transaction = (running[session] ??= begin(session));
    const { record, lists, registers } = transaction;
    const key = random.below(KEYS);
    switch (random.pick(['end', 'end', 'write', 'write', 'scan', 'read'] as const)) {
      case 'end':
        recorder.end(record, commit(transaction) ? 'committed' : 'aborted');
        running[session] = undefined;
        break;
      case 'write':
        write(transaction, key);
        break;
      case 'scan':
        record.scannedLists(0, LISTS, lists);
        record.scannedRegisters(LISTS, KEYS, registers);
        break;
      case 'read':
        if (key < LISTS) record.readList(key, lists.get(key) ?? []);
        else record.readRegister(key, registers.get(key) ?? INITIAL);
    }
  }
  return recorder.transactions();
}
