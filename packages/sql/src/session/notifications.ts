/**
 * LISTEN, UNLISTEN and NOTIFY. What a transaction says is kept until it commits: then its listening begins or ends, and its
 * notifications go to every session that listens, in the order of commits; a rollback, also to a savepoint, forgets them.
 *
 * Invariants:
 *   1. A session hears of a notification exactly when its LISTEN was committed before the notification was.
 *   2. The same channel and payload said twice in one transaction is one notification.
 *   3. Notifications of one transaction arrive in the order in which they were said, those of two in the order of commits.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import type { NotificationPort } from '../functions/registry.js';
import type { Notify } from '../text/ast-session.js';
import type { SqlSession } from './session.js';
import type { Utility } from './statement.js';

/** Longest payload, as in PostgreSQL. */
const PAYLOAD_BYTES_MAX = 7999;
/** Longest name of a channel. */
const CHANNEL_BYTES_MAX = 63;
/** Notifications one transaction may keep until it commits. */
const NOTIFICATIONS_MAX = 100_000;

/** Channels that one session listens to. */
const CHANNELS_MAX = 10_000;

/** What a listening client is told. */
export interface Notification {
  /** Session that said it. */
  readonly processId: number;
  readonly channel: string;
  readonly payload: string;
}

type Action =
  | { readonly kind: 'listen'; readonly channel: string }
  | { readonly kind: 'unlisten'; readonly channel: string | undefined }
  | { readonly kind: 'notify'; readonly channel: string; readonly payload: string };

/** What a transaction has said so far. */
export class PendingNotifications {
  private readonly actions: Action[] = [];
  /** What is said already: made when something is. */
  private said: Set<string> | undefined = undefined;
  private listened = 0;

  /** Where a savepoint stands. */
  get mark(): number {
    return this.actions.length;
  }

  get all(): readonly Action[] {
    return this.actions;
  }

  /** How often LISTEN has been said. */
  get listens(): number {
    return this.listened;
  }

  add(action: Action): void {
    if (action.kind === 'listen') this.listened++;
    if (action.kind === 'notify') {
      const key = `${action.channel}\0${action.payload}`;
      const said = (this.said ??= new Set());
      if (said.has(key)) return;
      if (said.size >= NOTIFICATIONS_MAX) {
        throw new PhantomError('54000', `a transaction keeps at most ${NOTIFICATIONS_MAX} notifications`, {
          data: { notificationsMax: NOTIFICATIONS_MAX },
        });
      }
      said.add(key);
    }
    this.actions.push(action);
  }

  rollbackTo(mark: number): void {
    for (let i = mark; i < this.actions.length; i++) {
      const action = this.actions[i] as Action;
      if (action.kind === 'listen') this.listened--;
      if (action.kind === 'notify') this.said?.delete(`${action.channel}\0${action.payload}`);
    }
    this.actions.length = mark;
  }
}

/** Who listens to what, in all databases of an engine. */
export class Notifications {
  private readonly listeners = new Map<string, Set<SqlSession>>();
  /** Channels of each session that listens. */
  private readonly counts = new Map<SqlSession, number>();

  /** A transaction of the session has committed. */
  apply(session: SqlSession, pending: PendingNotifications): void {
    for (const action of pending.all) {
      if (action.kind === 'listen') this.listen(session, action.channel);
      else if (action.kind === 'unlisten') this.unlisten(session, action.channel);
      else this.publish(session, action.channel, action.payload);
    }
  }

  /** How many channels a session listens to. */
  countOf(session: SqlSession): number {
    return this.counts.get(session) ?? 0;
  }

  /** Channels of a session, in the order in which it began to listen. */
  channelsOf(session: SqlSession): string[] {
    const channels: string[] = [];
    for (const [key, sessions] of this.listeners) if (sessions.has(session)) channels.push(channelOf(key));
    return channels;
  }

  /** Ends the listening to a channel, or to all. */
  unlisten(session: SqlSession, channel: string | undefined): void {
    if (channel !== undefined) this.forget(session, keyOf(session.databaseOid, channel));
    else for (const key of Array.from(this.listeners.keys())) this.forget(session, key);
  }

  private listen(session: SqlSession, channel: string): void {
    const key = keyOf(session.databaseOid, channel);
    let sessions = this.listeners.get(key);
    if (sessions === undefined) this.listeners.set(key, (sessions = new Set()));
    if (sessions.has(session)) return;
    sessions.add(session);
    this.counts.set(session, this.countOf(session) + 1);
  }

  private forget(session: SqlSession, key: string): void {
    const sessions = this.listeners.get(key);
    if (sessions?.delete(session) !== true) return;
    if (sessions.size === 0) this.listeners.delete(key);
    const left = this.countOf(session) - 1;
    if (left === 0) this.counts.delete(session);
    else this.counts.set(session, left);
  }

  private publish(from: SqlSession, channel: string, payload: string): void {
    const sessions = this.listeners.get(keyOf(from.databaseOid, channel));
    if (sessions === undefined) return;
    const notification: Notification = { processId: from.id, channel, payload };
    for (const session of sessions) session.notifier.hear(notification);
  }
}

function keyOf(databaseOid: Oid, channel: string): string {
  return `${databaseOid} ${channel}`;
}

function channelOf(key: string): string {
  return key.slice(key.indexOf(' ') + 1);
}

/** LISTEN, UNLISTEN and NOTIFY as statements. */
export function notifyUtility(node: Notify): Utility {
  return {
    fields: [],
    parameterTypes: [],
    transaction: 'required',
    *run(session) {
      const channel = node.channel?.text;
      if (node.kind === 'notify') notify(session, channel as string, node.payload?.value ?? '');
      else if (node.kind === 'unlisten') session.ensureTransaction().notifications.add({ kind: 'unlisten', channel });
      else listen(session, channel as string);
      return 0;
    },
  };
}

/** A session's end of it: what it says and what it hears. */
export class Notifier implements NotificationPort {
  private readonly session: SqlSession;
  private readonly onNotification: ((notification: Notification) => void) | undefined;

  constructor(session: SqlSession, onNotification: ((notification: Notification) => void) | undefined) {
    this.session = session;
    this.onNotification = onNotification;
  }

  get processId(): number {
    return this.session.id;
  }

  notify(channel: string, payload: string): void {
    notify(this.session, channel, payload);
  }

  listening(): readonly string[] {
    return this.session.engine.notifications.channelsOf(this.session);
  }

  hear(notification: Notification): void {
    this.onNotification?.(notification);
  }
}

/** Listens from the commit of the transaction on. 53400 past CHANNELS_MAX channels, those of the transaction among them. */
function listen(session: SqlSession, channel: string): void {
  const { notifications } = session.ensureTransaction();
  if (session.engine.notifications.countOf(session) + notifications.listens >= CHANNELS_MAX) {
    throw new PhantomError('53400', `a session listens to at most ${CHANNELS_MAX} channels`, {
      data: { channelsMax: CHANNELS_MAX },
    });
  }
  notifications.add({ kind: 'listen', channel });
}

/** Says something when the transaction commits. 22023 for a channel without a name and for names and payloads that are too long. */
function notify(session: SqlSession, channel: string, payload: string): void {
  if (channel === '') throw new PhantomError('22023', 'channel name cannot be empty');
  if (Buffer.byteLength(channel) > CHANNEL_BYTES_MAX) throw new PhantomError('22023', 'channel name too long');
  if (Buffer.byteLength(payload) > PAYLOAD_BYTES_MAX) throw new PhantomError('22023', 'payload string too long');
  session.ensureTransaction().notifications.add({ kind: 'notify', channel, payload });
}
