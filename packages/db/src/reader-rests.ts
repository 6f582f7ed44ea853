/**
 * Rests of the threads that read for long, while the database's own thread answers many short statements and there is no processor to
 * spare for both. A low priority alone does not do: a kernel that sees no idle processor leaves a server and a client that wake each
 * other on one, and the reader has the other for itself. Where the reader sleeps now and then, the two get apart.
 *
 * Invariants:
 *   1. A reader gets a third of a processor at the least, and all of it again within LOOK_MS and one rest of the last burst of
 *      statements.
 *   2. Nothing is looked at while nothing is read.
 */
import { availableParallelism } from 'node:os';
import type { WorkerCall } from '@phantom/runs';

/** How often the statements are counted, while somebody reads. */
const LOOK_MS = 20;
/** Statements from one look to the next that are many: a thousand a second. */
const MANY = 20;
/** Beside 32 ms of work. A kernel needs up to 30 ms of an idle processor before it parts a server and its client. */
const REST_MS = 64;

export class ReaderRests {
  private readonly statements: () => number;
  private readonly processors: number;
  private readonly readers = new Set<Pick<WorkerCall<unknown>, 'rest'>>();
  private timer: NodeJS.Timeout | undefined = undefined;
  private seen = 0;

  /** `statements` counts those that the database's own thread has begun. */
  constructor(statements: () => number, processors: number = availableParallelism()) {
    this.statements = statements;
    this.processors = processors;
  }

  /** A thread reads. */
  begin(reader: Pick<WorkerCall<unknown>, 'rest'>): void {
    this.readers.add(reader);
    if (this.timer !== undefined) return;
    this.seen = this.statements();
    this.timer = setInterval(() => this.look(), LOOK_MS).unref();
  }

  /** It no longer does. */
  end(reader: Pick<WorkerCall<unknown>, 'rest'>): void {
    this.readers.delete(reader);
    if (this.readers.size > 0) return;
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private look(): void {
    const statements = this.statements();
    const areMany = statements - this.seen >= MANY;
    this.seen = statements;
    // The database's own thread needs one, too.
    const isTight = this.readers.size + 1 >= this.processors;
    for (const reader of this.readers) reader.rest(areMany && isTight ? REST_MS : 0);
  }
}
