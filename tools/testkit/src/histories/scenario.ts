/**
 * One interleaving for each anomaly, as Kleppmann's Hermitage has them, and at which levels it comes to pass. What happened is
 * for the checker to say: an anomaly occurs when it is found in what the clients saw.
 *
 *     t1 append 7 5      t1 list 7       t1 lists 7 9   (a scan of the keys from 7 to below 9)
 *     t1 write 1 5       t1 read 1       t1 scan 1 4    (registers)
 *     t1 commit          t1 rollback     t3 read only   (before its first statement)
 *
 * A client begins with its first line. One that has to wait goes on with its next line once it may; what follows an error is
 * left out. Registers 1 and 2 hold values before anybody begins; no other register and no list is there.
 */
import type { AnomalyKind } from './anomaly.js';
import { anomaliesOf } from './check-history.js';
import { type HistoryDatabase, RecordingClient, sqlStateOf } from './client.js';
import { HistoryRecorder, type Level, type RecordedTransaction } from './history.js';

export interface Scenario {
  readonly anomaly: AnomalyKind;
  readonly title: string;
  /** The levels at which it occurs; at the others it cannot. */
  readonly occursAt: readonly Level[];
  readonly steps: readonly string[];
}

const LEVELS: readonly Level[] = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'];
const COMMITTED: readonly Level[] = ['read uncommitted', 'read committed'];
const REPEATABLE: readonly Level[] = [...COMMITTED, 'repeatable read'];

export const SCENARIOS: readonly Scenario[] = [
  {
    anomaly: 'G0',
    title: 'dirty write',
    occursAt: [],
    steps: [
      't1 append 7 11',
      't2 append 7 12',
      't1 append 8 21',
      't1 commit',
      't2 append 8 22',
      't2 commit',
      't3 lists 7 9',
      't3 commit',
    ],
  },
  {
    anomaly: 'G1a',
    title: 'aborted read',
    occursAt: [],
    steps: ['t1 append 7 11', 't2 list 7', 't1 rollback', 't2 list 7', 't2 commit'],
  },
  {
    anomaly: 'G1b',
    title: 'intermediate read',
    occursAt: [],
    steps: ['t1 write 1 101', 't2 read 1', 't1 write 1 11', 't1 commit', 't2 read 1', 't2 commit'],
  },
  {
    anomaly: 'G1c',
    title: 'circular information flow',
    occursAt: [],
    steps: ['t1 append 7 11', 't2 append 8 22', 't1 list 8', 't2 list 7', 't1 commit', 't2 commit'],
  },
  {
    anomaly: 'OTV',
    title: 'observed transaction vanishes',
    occursAt: [],
    steps: [
      't1 append 7 11',
      't1 append 8 19',
      't2 append 7 12',
      't1 commit',
      't3 list 7',
      't2 append 8 18',
      't3 list 8',
      't2 commit',
      't3 list 8',
      't3 list 7',
      't3 commit',
    ],
  },
  {
    anomaly: 'PMP',
    title: 'predicate many preceders',
    occursAt: COMMITTED,
    steps: ['t1 scan 3 6', 't2 write 4 30', 't2 commit', 't1 scan 3 6', 't1 commit'],
  },
  {
    anomaly: 'P4',
    title: 'lost update',
    occursAt: COMMITTED,
    steps: ['t1 read 1', 't2 read 1', 't1 write 1 11', 't1 commit', 't2 write 1 12', 't2 commit'],
  },
  {
    anomaly: 'G-single',
    title: 'read skew',
    occursAt: COMMITTED,
    steps: [
      't1 read 1',
      't2 read 1',
      't2 read 2',
      't2 write 1 12',
      't2 write 2 18',
      't2 commit',
      't1 read 2',
      't1 commit',
    ],
  },
  {
    anomaly: 'G2-item',
    title: 'write skew',
    occursAt: REPEATABLE,
    steps: [
      't1 read 1',
      't1 read 2',
      't2 read 1',
      't2 read 2',
      't1 write 1 11',
      't2 write 2 21',
      't1 commit',
      't2 commit',
    ],
  },
  {
    anomaly: 'G2',
    title: 'write skew over a predicate',
    occursAt: REPEATABLE,
    steps: ['t1 scan 3 6', 't2 scan 3 6', 't1 write 3 30', 't2 write 4 42', 't1 commit', 't2 commit'],
  },
  {
    anomaly: 'read-only',
    title: 'read-only transaction anomaly',
    occursAt: REPEATABLE,
    steps: [
      't1 read 1',
      't1 read 2',
      't2 read 2',
      't2 write 2 25',
      't2 commit',
      't3 read only',
      't3 read 1',
      't3 read 2',
      't3 commit',
      't1 write 1 15',
      't1 commit',
    ],
  },
];

/** The table of docs/isolation.md: a row for each anomaly, a column for each level. */
export function anomalyTable(): string[] {
  const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    row(['anomaly', ...LEVELS]),
    row(['---', ...LEVELS.map(() => '---')]),
    ...SCENARIOS.map(({ anomaly, title, occursAt }) =>
      row([`${anomaly}, ${title}`, ...LEVELS.map((level) => (occursAt.includes(level) ? 'occurs' : 'no'))]),
    ),
  ];
}

/** Keys are below. */
export const KEYS_OF_SCENARIO = 10;

/** What the registers hold before anybody begins. */
const BEFORE: readonly (readonly [key: number, value: number])[] = [
  [1, 10],
  [2, 20],
];

/**
 * The levels at which a scenario's anomaly comes to pass, all its transactions being at that level. `settle` resolves when
 * whatever can happen has happened, so that who is not answered by then waits for somebody. `firstKey` begins keys that
 * nobody has used in this database: KEYS_OF_SCENARIO for each level.
 */
export async function levelsOfOccurrence(
  scenario: Scenario,
  database: HistoryDatabase,
  settle: () => Promise<void>,
  firstKey = 0,
): Promise<Level[]> {
  const occursAt: Level[] = [];
  for (const [i, level] of LEVELS.entries()) {
    const history = await runScenario(scenario, database, level, settle, firstKey + i * KEYS_OF_SCENARIO);
    if (anomaliesOf(history).some(({ kind }) => kind === scenario.anomaly)) occursAt.push(level);
  }
  return occursAt;
}

async function runScenario(
  { steps }: Scenario,
  database: HistoryDatabase,
  level: Level,
  settle: () => Promise<void>,
  firstKey: number,
): Promise<readonly RecordedTransaction[]> {
  const recorder = new HistoryRecorder();
  const setUp = new RecordingClient(recorder, await database.client(), 0);
  await setUp.begin(level);
  for (const [key, value] of BEFORE) await setUp.write(firstKey + key, value);
  await setUp.commit();
  const actors = new Map<string, Actor>();
  for (const step of steps) {
    const [name, ...words] = step.split(' ') as [string, ...string[]];
    let actor = actors.get(name);
    if (actor === undefined) {
      actor = new Actor(new RecordingClient(recorder, await database.client(), actors.size + 1), level, firstKey);
      actors.set(name, actor);
    }
    actor.add(words);
    await settle();
  }
  await Promise.all(Array.from(actors.values(), (actor) => actor.finish()));
  return recorder.transactions();
}

/** The lines of one client, one after the other. */
class Actor {
  private readonly client: RecordingClient;
  private readonly level: Level;
  private readonly firstKey: number;
  private isBegun = false;
  private hasFailed = false;
  private last: Promise<void> = Promise.resolve();

  constructor(client: RecordingClient, level: Level, firstKey: number) {
    this.client = client;
    this.level = level;
    this.firstKey = firstKey;
  }

  add(words: readonly string[]): void {
    this.last = this.last.then(() => this.run(words));
  }

  finish(): Promise<void> {
    return this.last;
  }

  private async run(words: readonly string[]): Promise<void> {
    if (this.hasFailed) return;
    try {
      const readOnly = words.join(' ') === 'read only';
      if (!this.isBegun) await this.client.begin(this.level, { readOnly });
      this.isBegun = true;
      if (!readOnly) await this.runStatement(words);
    } catch (error) {
      this.hasFailed = true;
      sqlStateOf(error);
      await this.client.giveUp(error);
    }
  }

  private runStatement([verb, first, second]: readonly string[]): Promise<void> {
    const { client, firstKey } = this;
    const key = firstKey + Number(first);
    switch (verb) {
      case 'append':
        return client.append(key, Number(second));
      case 'write':
        return client.write(key, Number(second));
      case 'list':
        return client.list(key);
      case 'read':
        return client.register(key);
      case 'lists':
        return client.scanLists(key, firstKey + Number(second));
      case 'scan':
        return client.scanRegisters(key, firstKey + Number(second));
      case 'commit':
        return client.commit();
      case 'rollback':
        return client.rollback();
      default:
        throw new Error(`no such step: ${verb}`);
    }
  }
}
