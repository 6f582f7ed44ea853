/**
 * Interleaved transactions as text that a person can review. A line `t1: command` is run, and what came of it is written
 * below it, indented; `t2: ...` among it is what another transaction, which waited, was told at that moment. Lines that
 * begin with # are prose. `PHANTOM_REWRITE=1 vitest run` writes what happens into the files; read the difference.
 *
 * `get`, `put`, `update` and so on are statements of their own; `same get ...` belongs to the statement before.
 * `update` and `add` do what a layer above does: at read committed lock, look again, and run the statement anew when the
 * key has changed; elsewhere they write and leave it to validation.
 */
import type { KvCursor } from '@phantom/kv';
import type { Isolation, LockWait, Mvcc, MvccTransaction, Savepoint } from '../src/index.js';
import { LockStrength } from '../src/index.js';
import { ALL, drainCursor, entryOf, keyOf, put, rangeOf, read, remove, settle } from './support.js';

const STRENGTHS: Record<string, LockStrength> = {
  'key-share': LockStrength.KeyShare,
  share: LockStrength.Share,
  'no-key-update': LockStrength.NoKeyUpdate,
  update: LockStrength.Update,
};

class Client {
  readonly name: string;
  transaction: MvccTransaction | undefined;
  readonly savepoints = new Map<string, Savepoint>();
  readonly cursors = new Map<string, KvCursor>();
  /** Set while a command has not been answered. */
  pending: string | undefined;

  constructor(name: string) {
    this.name = name;
  }

  get live(): MvccTransaction {
    if (this.transaction === undefined) throw new Error(`${this.name} has not begun`);
    return this.transaction;
  }
}

/** Runs a script and returns it with the outcomes that were seen. */
export async function runScript(script: string, mvcc: Mvcc): Promise<string> {
  const clients = new Map<string, Client>();
  const lines: string[] = [];
  let answers: string[] = [];
  for (const line of script.split('\n')) {
    if (line.startsWith('  ')) continue;
    lines.push(line);
    const command = /^(\w+): (.*)$/.exec(line);
    if (command === null) continue;
    const [, name, text] = command as unknown as [string, string, string];
    let client = clients.get(name);
    if (client === undefined) clients.set(name, (client = new Client(name)));
    const speaker = client;
    let isAnswered = false;
    answers = [];
    const answer = (told: string): void => {
      speaker.pending = undefined;
      answers.push(isAnswered ? `  ${speaker.name}: ${told}` : `  ${told}`);
    };
    if (speaker.pending !== undefined) throw new Error(`${name} still waits for "${speaker.pending}"`);
    speaker.pending = text;
    run(mvcc, speaker, text.split(' ')).then(answer, (error: unknown) => answer(describe(error)));
    await settle();
    isAnswered = true;
    if (speaker.pending !== undefined) answers.unshift('  waits');
    lines.push(...answers);
  }
  for (const client of clients.values()) if (client.transaction?.status === 'active') client.transaction.rollback();
  return lines.join('\n');
}

function describe(error: unknown): string {
  const { code, message, detail } = error as { code?: string; message: string; detail?: string };
  if (code === undefined) throw error;
  return `${code} ${message}${detail === undefined ? '' : `: ${detail}`}`;
}

async function run(mvcc: Mvcc, client: Client, words: string[]): Promise<string> {
  const [verb, ...rest] = words as [string, ...string[]];
  if (verb === 'begin') return begin(mvcc, client, rest);
  const transaction = client.live;
  if (verb === 'safe') {
    await transaction.whenSafe();
    return 'safe';
  }
  if (verb === 'same') return statement(transaction, client, rest);
  if (verb === 'commit') {
    const { seq } = rest[0] === 'sync' ? transaction.commitSync() : await transaction.commit();
    return transaction.hasWrites || seq > 0 ? 'committed' : 'committed nothing';
  }
  if (verb === 'rollback' && rest.length === 0) {
    transaction.rollback();
    return 'rolled back';
  }
  if (verb === 'update' || verb === 'add') return modify(transaction, verb, rest as [string, string]);
  if (verb !== 'savepoint' && verb !== 'rollback' && verb !== 'release' && verb !== 'restart' && verb !== 'next') {
    transaction.beginStatement(words.join(' '));
  }
  return statement(transaction, client, words);
}

function begin(mvcc: Mvcc, client: Client, words: string[]): string {
  const text = words.join(' ');
  const isolation = (/read committed|repeatable read|serializable/.exec(text)?.[0] ?? 'read committed') as Isolation;
  const options = {
    isolation,
    readOnly: text.includes('read only'),
    label: client.name,
    ...(text.includes('optimistic') ? { concurrency: 'optimistic' as const } : {}),
    ...(text.includes('locking') ? { concurrency: 'locking' as const } : {}),
  };
  client.transaction = mvcc.begin(options);
  return 'begun';
}

/** A statement that changes one row: read it, make sure of it, write it. */
async function modify(transaction: MvccTransaction, verb: string, [key, operand]: [string, string]): Promise<string> {
  const bytes = keyOf(key);
  transaction.beginStatement();
  for (;;) {
    const before = read(transaction, key);
    if (transaction.concurrency === 'locking') {
      const lock = transaction.lock(bytes, 0, bytes.length, LockStrength.NoKeyUpdate, 'wait');
      if (lock !== undefined) await lock;
      if (transaction.changedSinceSnapshot(bytes, 0, bytes.length)) {
        if (transaction.isolation !== 'read committed') throw lostError();
        transaction.restartStatement();
        continue;
      }
    }
    if (before === undefined) return 'no such row';
    const after = verb === 'add' ? String(Number(before) + Number(operand)) : operand;
    put(transaction, key, after);
    return `${before} -> ${after}`;
  }
}

function lostError(): Error {
  return Object.assign(new Error('could not serialize access due to concurrent update'), { code: '40001' });
}

async function statement(transaction: MvccTransaction, client: Client, words: string[]): Promise<string> {
  const [verb, first = '', second = '', third = ''] = words;
  switch (verb) {
    case 'get':
      return read(transaction, first) ?? 'none';
    case 'own':
      return read(transaction, first, 'getOwn') ?? 'none';
    case 'newest':
      return read(transaction, first, 'getNewest') ?? 'none';
    case 'scan':
      return shown(drainCursor(transaction.cursor(second === '' ? ALL : rangeOf(first, second))));
    case 'scan-newest':
      return shown(drainCursor(transaction.cursorNewest(second === '' ? ALL : rangeOf(first, second))));
    case 'open':
      client.cursors.set(first, transaction.cursor(second === '' ? ALL : rangeOf(second, third)));
      return 'opened';
    case 'next': {
      const cursor = client.cursors.get(first) as KvCursor;
      return cursor.next() ? entryOf(cursor) : 'end';
    }
    case 'put':
      put(transaction, first, second);
      return 'written';
    case 'remove':
      remove(transaction, first);
      return 'removed';
    case 'remove-range':
      transaction.removeRange(rangeOf(first, second));
      return 'removed';
    case 'lock':
      return lock(transaction, first, second, (third === '' ? 'wait' : third) as LockWait | 'now');
    case 'changed': {
      const key = keyOf(first);
      return String(transaction.changedSinceSnapshot(key, 0, key.length));
    }
    case 'guard': {
      const key = keyOf(first);
      transaction.guard(key, 0, key.length);
      return 'guarded';
    }
    case 'guard-presence': {
      const key = keyOf(first);
      transaction.guardPresence(key, 0, key.length);
      return 'guarded';
    }
    case 'guard-range':
      transaction.guardRange(rangeOf(first, second));
      return 'guarded';
    case 'restart':
      transaction.restartStatement();
      return 'restarted';
    case 'savepoint':
      client.savepoints.set(first, transaction.savepoint());
      return 'saved';
    case 'rollback':
      transaction.rollbackTo(client.savepoints.get(second) as Savepoint);
      return 'back';
    case 'release':
      transaction.release(client.savepoints.get(first) as Savepoint);
      return 'released';
    default:
      throw new Error(`unknown command "${words.join(' ')}"`);
  }
}

async function lock(
  transaction: MvccTransaction,
  key: string,
  strength: string,
  wait: LockWait | 'now',
): Promise<string> {
  const bytes = keyOf(key);
  const wanted = STRENGTHS[strength] as LockStrength;
  if (wait === 'now') {
    transaction.lockNow(bytes, 0, bytes.length, wanted);
    return 'locked';
  }
  const outcome = transaction.lock(bytes, 0, bytes.length, wanted, wait);
  if (outcome === false) return 'skipped';
  if (outcome !== undefined) await outcome;
  return 'locked';
}

function shown(entries: readonly string[]): string {
  return entries.length === 0 ? 'nothing' : entries.join(' ');
}
