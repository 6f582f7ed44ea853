/**
 * Transactions that live for long are named, each once: one that was forgotten, or whose iterator was, keeps its snapshot and
 * its locks, and with the snapshot what files and memory hold only for it. They are looked for from time to time, the oldest
 * first, so a transaction pays nothing for it.
 */
import type { Seq } from '@phantom/kv';
import type { TransactionRegistry } from './registry.js';

/** How often it is looked at the least, however long a transaction may live. */
const LOOK_MS_MAX = 30_000;

export class LongTransactions {
  private readonly registry: TransactionRegistry;
  private readonly timer: NodeJS.Timeout | undefined;
  /** Transactions up to this id have been named. */
  private namedId = 0;

  constructor(registry: TransactionRegistry) {
    this.registry = registry;
    const { longTransactionMs } = registry.options;
    if (longTransactionMs === 0) return;
    this.timer = setInterval(() => this.look(), Math.min(LOOK_MS_MAX, Math.ceil(longTransactionMs / 2)));
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  private look(): void {
    const { logger, longTransactionMs } = this.registry.options;
    for (const transaction of this.registry.liveTransactions()) {
      const { id, label, session, statement, ageMs, snapshotSeq, locks, cursors, began } = transaction.info();
      if (ageMs < longTransactionMs) return;
      if (id <= this.namedId) continue;
      this.namedId = id;
      logger.warn('a transaction lives for long: it keeps old versions and its locks', {
        transaction: id,
        ageMs: Math.round(ageMs),
        snapshotSeq,
        locks,
        cursors,
        ...(label === undefined ? {} : { label }),
        ...(session === undefined ? {} : { session }),
        ...(statement === undefined ? {} : { statement }),
        ...(began === undefined ? {} : { began }),
      });
    }
  }
}

/** The longest-lived transaction whose snapshot is of that seq, in words for an error; undefined when there is none. */
export function nameReader(registry: TransactionRegistry, seq: Seq): string | undefined {
  for (const transaction of registry.liveTransactions()) {
    const { id, label, session, statement, ageMs, snapshotSeq } = transaction.info();
    if (snapshotSeq !== seq) continue;
    const names = [label, session === undefined ? undefined : `session ${session}`].filter(
      (name) => name !== undefined,
    );
    const by = names.length === 0 ? '' : ` (${names.join(', ')})`;
    const last = statement === undefined ? '' : `, last statement: ${statement}`;
    return `transaction ${id}${by}, which lives for ${Math.round(ageMs / 1000)} s${last}`;
  }
  return undefined;
}
