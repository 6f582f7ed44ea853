/** The coordinator of an open database: made when it is first asked for, ended with the database. */
import { PhantomError, identityText } from '@phantom/base';
import { decisionSpace } from '@phantom/catalog';
import { EngineCode } from '@phantom/kv';
import type { Mvcc } from '@phantom/mvcc';
import type { Store } from '@phantom/store';
import { Coordinator, type CoordinatorOptions } from '@phantom/txn-2pc-saga';

type Ports = Pick<CoordinatorOptions, 'clock' | 'logger' | 'metrics' | 'tracer'>;

export class Coordination {
  private readonly mvcc: Mvcc;
  private readonly store: Store;
  private readonly ports: Ports;
  private made: Coordinator | undefined;

  constructor(mvcc: Mvcc, store: Store, ports: Ports) {
    this.mvcc = mvcc;
    this.store = store;
    this.ports = ports;
  }

  /** 25006 for a database that is open read-only, 55000 for one whose commits do not survive a power cut. */
  get coordinator(): Coordinator {
    const { readOnly, durability, identity } = this.store;
    if (readOnly) throw new PhantomError('25006', 'a database that is open read-only cannot decide transactions');
    requireDurable('the database', durability);
    return (this.made ??= new Coordinator(this.mvcc, {
      name: identityText(identity),
      space: decisionSpace(EngineCode.Btree),
      ...this.ports,
    }));
  }

  async close(): Promise<void> {
    await this.made?.close();
  }
}

/** A promise to commit that a power cut takes back is none. */
export function requireDurable(what: string, durability: string): void {
  if (durability === 'fsync') return;
  throw new PhantomError(
    '55000',
    `${what} is open with durability ${durability}, which a transaction over several databases cannot rely on`,
    {
      hint: 'Open it with durability fsync.',
    },
  );
}
