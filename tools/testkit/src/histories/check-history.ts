/**
 * The checker: which anomalies a history shows, and which of them its levels forbid.
 *
 *   history ─► versions.ts ─► observations.ts                     anomalies in what one transaction saw
 *                    └──────► dependency-graph.ts ─► cycles.ts    circles among several
 *
 * The order of time counts as a dependency (whoever had ended comes before whoever begins later), so that what passes at
 * `serializable` is strictly serializable, and what passes at `repeatable read` is snapshot isolation whose snapshots are
 * not old. It proves anomalies, never their absence: another order of versions may have been the true one only where a
 * history does not show it.
 *
 * In a history of several levels, each level is judged by the transactions that have at least that level, and by the
 * dependencies between them. Snapshots have to be of one moment whoever has written, so for them whatever comes later counts; an
 * order of serializable transactions is promised as far as they depend on each other directly (PostgreSQL's promise, too):
 *
 *   a reads x ──anti──► b overwrites x ──► c overwrites it again       b not serializable: nobody watches it, and between
 *                                                                     a and c there is nothing
 *
 * Of registers the order of b and c may be unknown. Where a has found a row, c is held against it whoever came between. Where it
 * has found none, c counts only if no b can have come first: what a looked through (an index, say) is changed by whoever makes
 * the row, and not by who writes another value into it.
 */
import { type Anomaly, isAtLeast, isForbidden } from './anomaly.js';
import { type Cycle, informationCycles, serializationCycles, snapshotCycles } from './cycles.js';
import { DependencyGraph, type Edge, EdgeKind } from './dependency-graph.js';
import { INITIAL, type Level, type Operation, type RecordedTransaction, isWrite } from './history.js';
import { observedAnomalies } from './observations.js';
import { Versions } from './versions.js';

type Search = (graph: DependencyGraph, time: number) => Cycle[];

/** Every anomaly of the history, whatever its levels allow; of circles a few of each kind. */
export function anomaliesOf(transactions: readonly RecordedTransaction[]): Anomaly[] {
  const versions = new Versions(transactions);
  const graph = graphOf(versions, 'read uncommitted');
  const cycles = [informationCycles, snapshotCycles, serializationCycles].flatMap((search) => search(graph, 0));
  return explained(versions, [
    ...versions.anomalies,
    ...observedAnomalies(versions),
    ...cycles.map(anomalyOfCycle),
    ...cycles.flatMap((cycle) => readOnlyAnomaly(versions, graph, cycle)),
  ]);
}

/** The anomalies that should not be there: what the level of whoever suffered forbids. Empty when the history is sound. */
export function violationsOf(transactions: readonly RecordedTransaction[]): Anomaly[] {
  const versions = new Versions(transactions);
  const observed = [...versions.anomalies, ...observedAnomalies(versions)].filter(({ kind, transactions: [first] }) =>
    isForbidden(kind, (transactions[first as number] as RecordedTransaction).level),
  );
  const searches: readonly (readonly [Level, Search])[] = [
    ['read uncommitted', informationCycles],
    ['repeatable read', snapshotCycles],
    ['serializable', serializationCycles],
  ];
  const cycles = searches.flatMap(([level, search]) => search(graphOf(versions, level), EdgeKind.Time));
  return explained(versions, [...observed, ...cycles.map(anomalyOfCycle)]);
}

/** Dependencies among the committed transactions that have at least the level. */
function graphOf(versions: Versions, level: Level): DependencyGraph {
  const { transactions, isCommitted } = versions;
  const isNode = transactions.map((transaction, i) => isCommitted[i] === true && isAtLeast(transaction.level, level));
  const graph = new DependencyGraph(transactions.length);
  const later = (key: number, version: number): readonly number[] =>
    level === 'serializable'
      ? versions.nextOf(key, version, (transaction) => isNode[transaction] === true)
      : versions.followersOf(key, version);
  for (const key of versions.keys()) {
    for (const [version, { transaction }] of versions.committedWrites(key)) {
      for (const next of later(key, version)) {
        const follower = versions.writeOf(key, next)?.transaction;
        if (follower !== undefined) graph.add(transaction, follower, EdgeKind.Overwrite, key);
      }
    }
  }
  for (const { transaction, key, version, scan } of versions.reads.flat()) {
    const writer = versions.writeOf(key, version)?.transaction;
    if (writer !== undefined) graph.add(writer, transaction, EdgeKind.Read, key);
    const anti = scan !== undefined && version === INITIAL ? EdgeKind.PredicateAnti : EdgeKind.Anti;
    for (const next of later(key, version)) {
      const follower = versions.writeOf(key, next)?.transaction;
      if (follower !== undefined) graph.add(transaction, follower, anti, key);
    }
  }
  const restricted = graph.restrictedTo((node) => isNode[node] === true);
  addTime(
    restricted,
    transactions.flatMap((transaction, node) => (isNode[node] === true ? [{ transaction, node }] : [])),
  );
  return restricted;
}

interface PlacedTransaction {
  readonly transaction: RecordedTransaction;
  readonly node: number;
}

/** Edges from who had ended to who began, without those that follow from others. */
function addTime(graph: DependencyGraph, placed: readonly PlacedTransaction[]): void {
  const events = placed
    .flatMap((place) => [
      { moment: place.transaction.began, place, isEnd: false },
      { moment: place.transaction.ended, place, isEnd: true },
    ])
    .filter(({ moment }) => moment < Number.POSITIVE_INFINITY)
    .sort((a, b) => a.moment - b.moment);
  let latest: PlacedTransaction[] = [];
  for (const { place, isEnd } of events) {
    if (isEnd) {
      latest = latest.filter(({ transaction }) => transaction.ended >= place.transaction.began);
      latest.push(place);
    } else {
      for (const { node } of latest) graph.add(node, place.node, EdgeKind.Time);
    }
  }
}

function anomalyOfCycle({ kind, edges }: Cycle): Anomaly {
  const steps = edges.map((edge) => `${edge.from} ${relation(edge)} ${edge.to}`);
  return { kind, transactions: edges.map(({ from }) => from), text: `transaction ${steps.join(', ')}` };
}

function relation({ kind, key }: Edge): string {
  switch (kind) {
    case EdgeKind.Overwrite:
      return `was overwritten in key ${key} by`;
    case EdgeKind.Read:
      return `was read in key ${key} by`;
    case EdgeKind.Anti:
      return `read key ${key} as it was before`;
    case EdgeKind.PredicateAnti:
      return `did not find key ${key}, which came from`;
    case EdgeKind.Time:
      return `had ended before the beginning of`;
  }
}

/** The circle as one of a reader, when there is none among those who wrote. */
function readOnlyAnomaly(versions: Versions, graph: DependencyGraph, cycle: Cycle): Anomaly[] {
  const wrote = (node: number): boolean =>
    (versions.transactions[node] as RecordedTransaction).operations.some(isWrite);
  if (!cycle.kind.startsWith('G2') || cycle.edges.every(({ from }) => wrote(from))) return [];
  const writers = graph.restrictedTo(wrote);
  return serializationCycles(writers, 0).length > 0 ? [] : [{ ...anomalyOfCycle(cycle), kind: 'read-only' }];
}

/** With what the transactions did, so that a reader need not look for them. */
function explained(versions: Versions, anomalies: readonly Anomaly[]): Anomaly[] {
  return anomalies.map((anomaly) => {
    const who = [...new Set(anomaly.transactions)].map(
      (i) => `  ${i}: ${describeTransaction(versions.transactions[i] as RecordedTransaction)}`,
    );
    return { ...anomaly, text: [`${anomaly.kind}: ${anomaly.text}`, ...who].join('\n') };
  });
}

function describeTransaction({ level, session, outcome, operations }: RecordedTransaction): string {
  return `${level}, session ${session}, ${outcome}: ${operations.map(describeOperation).join('; ')}`;
}

function describeOperation(operation: Operation): string {
  const { key } = operation;
  if (isWrite(operation)) return `${operation.kind} ${operation.value} to ${key}`;
  const content = operation.kind === 'list' ? `[${operation.values.join(' ')}]` : operation.value;
  return `${operation.scan === undefined ? 'read' : 'scanned'} ${key} as ${content}`;
}
