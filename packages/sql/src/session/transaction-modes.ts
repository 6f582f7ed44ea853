/** How a transaction is begun: its modes, from where they come and where clients see them. */
import type { MvccTransaction, SessionLocks, TransactionOptions } from '@phantom/mvcc';
import type { TransactionModes } from '../text/ast-session.js';
import type { Settings } from './settings.js';

export type IsolationLevel = NonNullable<TransactionModes['isolation']>;

const MODE_SETTINGS: readonly string[] = ['transaction_isolation', 'transaction_read_only', 'transaction_deferrable'];

/** True for the settings that are modes of the present transaction. */
export function isMode(name: string): boolean {
  return MODE_SETTINGS.includes(name);
}

/** All modes of a transaction that begins. */
export interface OpeningModes {
  readonly isolation: IsolationLevel;
  readonly readOnly: boolean;
  /** Serializable and read-only: waits at its first statement until no writer can make it fail. */
  readonly deferrable: boolean;
  /** An explicit one of which nothing is answered before its commit: a batch. Others know each statement's outcome at once. */
  readonly answersAtCommit?: boolean;
  /** All that it is shown may be in the log and not durable yet: who runs it answers nothing before its end, nor an error. */
  readonly readsAhead?: boolean;
  /** Id of the first attempt's transaction, when this is another one at the same work. */
  readonly retryOf?: number | undefined;
  /** Default: read committed locks rows as it writes, the others validate at the commit. */
  readonly concurrency?: 'optimistic' | 'locking' | undefined;
  /** It reads by this one's snapshot (SET TRANSACTION SNAPSHOT), from its first moment on. */
  readonly snapshotOf?: MvccTransaction;
}

/**
 * A session's modes, which most transactions begin with and which SHOW tells between two: they are looked up, and shown, anew only
 * when a setting has changed.
 */
export class SessionModes {
  private readonly settings: Settings;
  private readonly locks: SessionLocks;
  /** Version of the settings that what is kept here was read of. */
  private version = -1;
  private kept: { readonly modes: OpeningModes; readonly options: TransactionOptions } | undefined;
  private shown: OpeningModes | undefined;

  constructor(settings: Settings, locks: SessionLocks) {
    this.settings = settings;
    this.locks = locks;
  }

  get defaults(): OpeningModes {
    return this.current().modes;
  }

  /** What the storage below begins a transaction with. */
  storageOptions(modes: OpeningModes, readOnly: boolean): TransactionOptions {
    const { modes: defaults, options } = this.current();
    return modes === defaults && readOnly === modes.readOnly
      ? options
      : storageOptions(modes, readOnly, this.settings, this.locks);
  }

  /** Lets SHOW tell these. */
  show(modes: OpeningModes): void {
    this.current();
    if (this.shown === modes) return;
    const { settings } = this;
    settings.setInternal('transaction_isolation', modes.isolation);
    showReadOnly(settings, modes.readOnly);
    settings.setInternal('transaction_deferrable', modes.deferrable ? 'on' : 'off');
    this.shown = modes;
    this.version = settings.version;
  }

  private current(): NonNullable<SessionModes['kept']> {
    const { settings } = this;
    if (this.kept !== undefined && this.version === settings.version) return this.kept;
    this.version = settings.version;
    this.shown = undefined;
    const modes = defaultModes(settings);
    return (this.kept = { modes, options: storageOptions(modes, modes.readOnly, settings, this.locks) });
  }
}

/** The session's defaults. */
export function defaultModes(settings: Settings): OpeningModes {
  return {
    isolation: settings.get('default_transaction_isolation') as IsolationLevel,
    readOnly: settings.boolean('default_transaction_read_only'),
    deferrable: settings.boolean('default_transaction_deferrable'),
  };
}

/** The modes of the present transaction, as SHOW has them. */
export function shownModes(settings: Settings): OpeningModes {
  return {
    isolation: settings.get('transaction_isolation') as IsolationLevel,
    readOnly: settings.boolean('transaction_read_only'),
    deferrable: settings.boolean('transaction_deferrable'),
  };
}

/** Some modes changed. */
export function withModes(modes: OpeningModes, changed: TransactionModes): OpeningModes {
  return {
    isolation: changed.isolation ?? modes.isolation,
    readOnly: changed.readOnly ?? modes.readOnly,
    deferrable: changed.deferrable ?? modes.deferrable,
  };
}

export function showReadOnly(settings: Settings, readOnly: boolean): void {
  settings.setInternal('transaction_read_only', readOnly ? 'on' : 'off');
}

/** The same for the storage below; read uncommitted is read committed. */
function storageOptions(
  modes: OpeningModes,
  readOnly: boolean,
  settings: Settings,
  sessionLocks: SessionLocks,
): TransactionOptions {
  const { isolation, concurrency, retryOf, snapshotOf } = modes;
  const applicationName = settings.get('application_name');
  return {
    isolation: isolation === 'read uncommitted' ? 'read committed' : isolation,
    readOnly,
    sessionLocks,
    priority: settings.integer('phantom.deadlock_priority'),
    label: applicationName === '' ? undefined : applicationName,
    concurrency,
    retryOf,
    snapshotOf,
  };
}
