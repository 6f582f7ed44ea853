/** Anomalies that one transaction's own reads and writes show, without a walk around a circle. */
import { type Anomaly, isAtLeast } from './anomaly.js';
import { INITIAL, type Level, type RecordedTransaction, isWrite } from './history.js';
import type { ExternalRead, Versions } from './versions.js';

/** Reads that differ, that go back in time, that miss what was acknowledged; updates that are lost. */
export function observedAnomalies(versions: Versions): Anomaly[] {
  const found: Anomaly[] = [];
  const say = (kind: Anomaly['kind'], transactions: readonly number[], text: string): void => {
    found.push({ kind, transactions, text: `transaction ${transactions[0]} ${text}` });
  };
  const since = visibleSince(versions);
  for (const reads of versions.reads) {
    findDifferingReads(reads, say);
    findVanished(versions, reads, say);
    findLostWrites(versions, reads, since, say);
  }
  findLostUpdates(versions, say);
  return found;
}

type Say = (kind: Anomaly['kind'], transactions: readonly number[], text: string) => void;

function findDifferingReads(reads: readonly ExternalRead[], say: Say): void {
  const first = new Map<number, ExternalRead>();
  for (const read of reads) {
    const { key, version, transaction } = read;
    const before = first.get(key);
    if (before === undefined) {
      first.set(key, read);
    } else if (before.version !== version) {
      const isPhantom = before.version === INITIAL && before.scan !== undefined && read.scan !== undefined;
      say(isPhantom ? 'PMP' : 'fuzzy read', [transaction], `read key ${key} as ${before.version}, then as ${version}`);
    }
  }
}

/** OTV: what a writer did is seen, then not any more; in one scan, it is half seen. */
function findVanished(versions: Versions, reads: readonly ExternalRead[], say: Say): void {
  const seenIn = new Map<number, ExternalRead>();
  for (const read of reads) {
    for (const value of read.values) {
      const writer = versions.writeOf(read.key, value)?.transaction;
      if (writer !== undefined && !seenIn.has(writer)) seenIn.set(writer, read);
    }
  }
  for (const { transaction, key, version, position, scan } of reads) {
    for (const later of versions.laterThan(key, version)) {
      const writer = versions.writeOf(key, later)?.transaction as number;
      const seen = seenIn.get(writer);
      if (seen === undefined || (seen.position > position && (scan === undefined || seen.scan !== scan))) continue;
      say(
        'OTV',
        [transaction, writer],
        `saw transaction ${writer} in key ${seen.key} and missed its ${later} of key ${key}`,
      );
      break;
    }
  }
}

/** Whoever begins sees what was acknowledged before, and what somebody had seen who ended before. */
function findLostWrites(versions: Versions, reads: readonly ExternalRead[], since: VisibleSince, say: Say): void {
  for (const { transaction, key, version } of reads) {
    const { began } = versions.transactions[transaction] as RecordedTransaction;
    for (const later of versions.laterThan(key, version)) {
      if ((since.get(key)?.get(later) ?? Number.POSITIVE_INFINITY) >= began) continue;
      const writer = versions.writeOf(key, later)?.transaction as number;
      say('lost write', [transaction, writer], `read key ${key} as ${version}, though ${later} was there before`);
      break;
    }
  }
}

/** By key and version: the moment from which on everybody sees it. */
type VisibleSince = ReadonlyMap<number, ReadonlyMap<number, number>>;

function visibleSince(versions: Versions): VisibleSince {
  const since = new Map<number, Map<number, number>>();
  const note = (key: number, version: number, moment: number): void => {
    let moments = since.get(key);
    if (moments === undefined) since.set(key, (moments = new Map()));
    moments.set(version, Math.min(moment, moments.get(version) ?? Number.POSITIVE_INFINITY));
  };
  const endOf = (transaction: number): number => (versions.transactions[transaction] as RecordedTransaction).ended;
  for (const key of versions.keys()) {
    for (const [version, write] of versions.committedWrites(key)) note(key, version, endOf(write.transaction));
  }
  for (const { transaction, key, version } of versions.reads.flat()) note(key, version, endOf(transaction));
  return since;
}

/** P4: two have read one version and both replaced it. */
function findLostUpdates(versions: Versions, say: Say): void {
  const replacedBy = new Map<string, ExternalRead>();
  for (const reads of versions.reads) {
    const own = new Set<number>();
    for (const read of reads) {
      const { transaction, key, version } = read;
      if (own.has(key) || lastWrite(versions, transaction, key) === undefined) continue;
      own.add(key);
      const name = `${key} ${version}`;
      const other = replacedBy.get(name);
      replacedBy.set(name, read);
      if (other === undefined) continue;
      const [later, earlier] = inOrder(versions, transaction, other.transaction, key);
      say('P4', [later, earlier], `and transaction ${earlier} both replaced ${version} of key ${key}`);
    }
  }
}

/** Who wrote the key later comes first, since it should have known; where nobody knows, the one of the weaker level. */
function inOrder(versions: Versions, a: number, b: number, key: number): [number, number] {
  const [versionOfA, versionOfB] = [lastWrite(versions, a, key), lastWrite(versions, b, key)] as [number, number];
  if (versions.isBefore(key, versionOfB, versionOfA)) return [a, b];
  if (versions.isBefore(key, versionOfA, versionOfB)) return [b, a];
  const levelOf = (i: number): Level => (versions.transactions[i] as RecordedTransaction).level;
  return isAtLeast(levelOf(b), levelOf(a)) ? [a, b] : [b, a];
}

function lastWrite(versions: Versions, transaction: number, key: number): number | undefined {
  const { operations } = versions.transactions[transaction] as RecordedTransaction;
  return operations.filter(isWrite).findLast((write) => write.key === key)?.value;
}
