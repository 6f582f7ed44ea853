/** What the tests share: stores in memory that can lose their power, and a world of three databases of which one coordinates. */
import { PhantomError, type Logger } from '@phantom/base';
import { btree } from '@phantom/btree';
import { ByteSlot, EngineCode, makeSpaceId } from '@phantom/kv';
import { type Mvcc, type MvccTransaction, createMvcc } from '@phantom/mvcc';
import { type Store, openStore } from '@phantom/store';
import { MemoryVfs } from '@phantom/vfs/testing';
import {
  type Branch,
  Coordinator,
  type CoordinatorOptions,
  type Participant,
  SagaRunner,
  type SagaRunnerOptions,
  localParticipant,
} from '../src/index.js';

const UTF8_OUT = new TextEncoder();
const UTF8_IN = new TextDecoder();
const DATA_SPACE = makeSpaceId(EngineCode.Btree, 9);
export const PREPARED_SPACE = makeSpaceId(EngineCode.Btree, 2);
export const SAGA_SPACE = makeSpaceId(EngineCode.Btree, 4);
export const DECISION_SPACE = makeSpaceId(EngineCode.Btree, 3);

/** Keys of one space. */
export function keyOf(text: string, space: number = DATA_SPACE): Uint8Array {
  const key = new Uint8Array(4 + text.length);
  new DataView(key.buffer).setUint32(0, space);
  key.set(UTF8_OUT.encode(text), 4);
  return key;
}

export function put(transaction: MvccTransaction, key: string, value: string, space?: number): void {
  const bytes = keyOf(key, space);
  const content = UTF8_OUT.encode(value);
  transaction.put(bytes, 0, bytes.length, content, 0, content.length);
}

export function read(transaction: MvccTransaction, key: string): string | undefined {
  const slot = new ByteSlot();
  const bytes = keyOf(key);
  return transaction.getOwn(bytes, 0, bytes.length, slot) ? UTF8_IN.decode(slot.copy()) : undefined;
}

/** Everything in a space, as text. */
export function contentOf(mvcc: Mvcc, space: number = DATA_SPACE): Record<string, string> {
  const reader = mvcc.begin({ readOnly: true });
  const cursor = reader.cursor({ lower: keyOf('', space), upper: keyOf('', space + 1) });
  const content: Record<string, string> = {};
  while (cursor.next()) {
    content[UTF8_IN.decode(cursor.key.copy().subarray(4))] = UTF8_IN.decode(cursor.value.copy());
  }
  cursor.close();
  reader.rollback();
  return content;
}

/** A store with transactions over it, on a disk that can be crashed. */
export class Node {
  readonly vfs: MemoryVfs;
  readonly store: Store;
  readonly mvcc: Mvcc;

  private constructor(vfs: MemoryVfs, store: Store) {
    this.vfs = vfs;
    this.store = store;
    this.mvcc = createMvcc(store, { preparedSpace: PREPARED_SPACE });
  }

  static async open(vfs: MemoryVfs = new MemoryVfs()): Promise<Node> {
    return new Node(vfs, await openStore('/db', { vfs, engines: [btree()] }));
  }

  async close(): Promise<void> {
    await this.mvcc.close();
    await this.store.close({ checkpoint: false });
  }
}

export const QUICK = { answerMsMax: 2000, retryMs: 1, retryMsMax: 4 } satisfies Partial<CoordinatorOptions>;

export function coordinatorOf(node: Node, options: Partial<CoordinatorOptions> = {}): Coordinator {
  return new Coordinator(node.mvcc, { name: 'home', space: DECISION_SPACE, ...QUICK, ...options });
}

export function runnerOf(
  node: Node,
  options: Partial<SagaRunnerOptions<MvccTransaction>> = {},
): SagaRunner<MvccTransaction> {
  return new SagaRunner({
    mvcc: node.mvcc,
    space: SAGA_SPACE,
    transact: (work) => node.mvcc.run((tx) => work(tx, async (write) => write(tx))),
    ...options,
  });
}

/** A database behind a connection that breaks: whatever is asked while it is down is refused. */
export class Remote implements Participant {
  readonly name: string;
  node: Node | undefined;
  /** Called before a question goes out and after it has taken effect, with what it was. */
  readonly point: (what: string) => Promise<void>;

  constructor(name: string, node: Node | undefined, point: (what: string) => Promise<void> = async () => undefined) {
    this.name = name;
    this.node = node;
    this.point = point;
  }

  begin(): { transaction: MvccTransaction; branch: Branch } {
    const transaction = this.up.mvcc.begin({ isolation: 'repeatable read' });
    transaction.beginStatement();
    const local = localParticipant(this.name, this.up.mvcc).branch(transaction);
    const branch: Branch = {
      participant: this.name,
      prepare: (gid) => this.ask('prepare', () => local.prepare(gid)),
      abandon: () => local.abandon(),
    };
    return { transaction, branch };
  }

  commit(gid: string): ReturnType<Participant['commit']> {
    return this.ask('commit', () => localParticipant(this.name, this.up.mvcc).commit(gid));
  }

  rollback(gid: string): ReturnType<Participant['rollback']> {
    return this.ask('rollback', () => localParticipant(this.name, this.up.mvcc).rollback(gid));
  }

  async inDoubt(): Promise<readonly string[]> {
    return localParticipant(this.name, this.up.mvcc).inDoubt();
  }

  private get up(): Node {
    if (this.node === undefined) throw new PhantomError('08006', `${this.name} is down`);
    return this.node;
  }

  private async ask<T>(what: string, question: () => Promise<T>): Promise<T> {
    await this.point(`before ${what} at ${this.name}`);
    const { up } = this;
    const answer = await question();
    await this.point(`after ${what} at ${this.name}`);
    if (this.node !== up) throw new PhantomError('08006', `${this.name} went down before it answered`);
    return answer;
  }
}

/** Keeps what was said. */
export function keepingLogger(): { logger: Logger; lines: string[] } {
  const lines: string[] = [];
  const keep = (message: string): void => void lines.push(message);
  return { logger: { debug: keep, info: keep, warn: keep, error: keep }, lines };
}
