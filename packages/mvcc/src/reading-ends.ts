/**
 * What those who only read owe to the writers beside them. Serializable: a commit although nothing was written, since others'
 * writes may have made impossible what was read; or a snapshot that no writer can make one regret (Ports and Grittner, section
 * 4.3). Reading ahead: a wait until what was shown is durable.
 */
import type { TransactionRegistry } from './registry.js';
import type { SerializableTransaction } from './serialization-graph.js';
import type { Snapshots } from './snapshots.js';

interface SafeReader extends SerializableTransaction {
  readonly snapshots: Snapshots;
  /** Throws when it is over. */
  checkActive(): void;
}

/** Decides the commit of a serializable transaction without writes; throws 40001 when what it saw cannot be. */
export function commitReads(registry: TransactionRegistry, transaction: SerializableTransaction): void {
  const { graph, store } = registry;
  let earliestOut: number;
  try {
    earliestOut = graph.validate(transaction);
  } catch (error) {
    registry.conflicts++;
    throw error;
  }
  graph.committed(transaction, store.assignedSeq, earliestOut);
}

/** Takes snapshot after snapshot until one is safe: each costs a wait for the writers that it runs beside. */
export async function waitUntilSafe(registry: TransactionRegistry, transaction: SafeReader): Promise<void> {
  const { graph, store } = registry;
  const { snapshots } = transaction;
  // A prepared transaction that nobody can end before a restart, and that may commit behind it.
  const inDoubt = (): Error | undefined => (graph.hasPrepared ? store.failure : undefined);
  for (;;) {
    if (inDoubt() === undefined) await graph.whenDecided(transaction);
    transaction.checkActive();
    if (transaction.reads === undefined) return;
    const failure = inDoubt();
    if (failure !== undefined) throw failure;
    graph.ended(transaction);
    transaction.reads = undefined;
    snapshots.giveUp();
    // What made it unsafe may only be waiting for its sync; a snapshot from before would be as unsafe.
    await store.drain();
    transaction.checkActive();
    snapshots.take();
    if (transaction.reads === undefined) return;
  }
}

/** A promise until every commit that the snapshots have shown is durable; it rejects when nobody knows whether they are. */
export function whenShown({ store, window }: TransactionRegistry, { seqMax }: Snapshots): Promise<void> | undefined {
  if (seqMax <= store.visibleSeq) return undefined;
  const shown = window.whenEnded(seqMax).then(() => {
    if (seqMax > store.visibleSeq && store.failure !== undefined) throw store.failure;
  });
  // Some only ask whether there is something to wait for, and take a road on which they wait later.
  shown.catch(() => undefined);
  return shown;
}
