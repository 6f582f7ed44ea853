/**
 * The evaluation context of one session: what functions and type conversion may ask. One object per session, re-aimed for
 * each statement; everything that costs something (clocks, settings) is read when it is first asked for in a statement.
 */
import type { Clock, ErrorFields } from '@phantom/base';
import { PhantomError, Random } from '@phantom/base';
import type { Catalog, Oid, SequenceDescriptor, SequenceRow, Sequences } from '@phantom/catalog';
import type {
  AdvisoryLocks,
  ConnectionEnds,
  EvaluationContext,
  LargeObjectCalls,
  LongCall,
  NotificationPort,
  RoutineCaller,
} from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { Yielded } from '../exec/runtime.js';
import type { TypeContext, TypeLookup, Value } from '../types/type.js';
import { PHANTOM_SCHEMA } from '../system-views/system-view.js';
import type { BackendSignal } from './backend-signals.js';
import { parsePath } from './search-path.js';
import type { StoragePort } from './ports.js';
import { type SnapshotExporter, exportSnapshot } from './exported-snapshots.js';
import { createRestorePoint } from './restore-points.js';
import { readOnlyTransaction } from './session-errors.js';
import { type ServerFacts, reloadServer } from './server-facts.js';
import type { SessionRoles } from './session-roles.js';
import type { Settings } from './settings.js';
import { TextStyle } from './text-style.js';
import type { Cursors } from './cursors.js';

/** Milliseconds from 1970 to 2000, the epoch of SQL's timestamps here. */
const EPOCH_2000_MS = 946_684_800_000;

/** Microseconds since 2000-01-01 UTC of a wall clock in milliseconds since 1970. */
export function microsSince2000(nowMs: number): number {
  return Math.round((nowMs - EPOCH_2000_MS) * 1000);
}

/** What the context needs of its session. */
export interface EvaluationOwner extends SnapshotExporter {
  readonly settings: Settings;
  readonly clock: Clock;
  randomNumbers: Random;
  readonly sequences: Sequences;
  readonly picture: CatalogPort;
  readonly databaseName: string;
  /** Number of the session. */
  readonly id: number;
  /** Number of the transaction that the statement runs in. */
  readonly transactionId: number;
  readonly advisory: AdvisoryLocks;
  readonly routines: RoutineCaller;
  readonly largeObjects: LargeObjectCalls;
  callElsewhere(call: LongCall, args: readonly Value[]): Generator<Yielded, Value, void>;
  readonly activity: { readonly connection: ConnectionEnds | undefined; readonly server: ServerFacts | undefined };
  readonly currentRoleName: string;
  /** What SHOW role says. */
  readonly roles: Pick<SessionRoles, 'setting' | 'actAs' | 'mayReadAllSettings'>;
  /** What pg_temp stands for. */
  readonly temporary: { readonly name: string };
  readonly sessionRoleName: string;
  /** Start of the transaction in microseconds since 2000; undefined outside of one. */
  readonly transactionStartMicros: number | undefined;
  readonly cursors: Cursors;
  signalBackend(pid: number, signal: BackendSignal): boolean;
  readonly engine: SnapshotExporter['engine'] & { readonly catalog: Catalog; readonly storage: StoragePort };
  readonly currentRoleOid: Oid;
  resetStatements(roleOid: Oid, databaseOid: Oid, number: number): void;
  applySetting(name: string, value: string, local: boolean): string;
  readonly notifier: NotificationPort;
  checkSequencePrivilege(oid: Oid, privilege: 'usage' | 'select' | 'update'): void;
  notice(severity: 'NOTICE', code: string, message: string, fields?: ErrorFields): void;
}

export class SessionEvaluation implements EvaluationContext {
  private readonly owner: EvaluationOwner;
  private statementStart: number | undefined;
  private transactionStart: number | undefined;
  private readonly lastValues = new Map<Oid, number | bigint>();
  private lastSequence: Oid | undefined;
  private styleKept: TextStyle | undefined;

  constructor(owner: EvaluationOwner) {
    this.owner = owner;
  }

  /** Begins a new statement: its clock is read anew when asked for. */
  beginStatement(): void {
    this.statementStart = undefined;
    this.transactionStart = undefined;
  }

  /** Goes on with a statement that another session has begun, on its clock. */
  continueStatement(statementMicros: number, transactionMicros: number): void {
    this.statementStart = statementMicros;
    this.transactionStart = transactionMicros;
  }

  /** DISCARD SEQUENCES: currval and lastval are undefined again. */
  forgetSequences(): void {
    this.lastValues.clear();
    this.lastSequence = undefined;
  }

  get timeZone(): string {
    return this.style.timeZone;
  }

  get dateStyle(): TypeContext['dateStyle'] {
    return this.style.dateStyle;
  }

  get dateOrder(): TypeContext['dateOrder'] {
    return this.style.dateOrder;
  }

  get intervalStyle(): TypeContext['intervalStyle'] {
    return this.style.intervalStyle;
  }

  get byteaOutput(): TypeContext['byteaOutput'] {
    return this.style.byteaOutput;
  }

  get xmlOption(): TypeContext['xmlOption'] {
    return this.style.xmlOption;
  }

  get extraFloatDigits(): number {
    return this.style.extraFloatDigits;
  }

  get statementMicros(): number {
    return (this.statementStart ??= this.clockMicros());
  }

  get transactionMicros(): number {
    return (this.transactionStart ??= this.owner.transactionStartMicros ?? this.statementMicros);
  }

  get types(): TypeLookup {
    return this.owner.picture.types;
  }

  notice(severity: 'NOTICE', code: string, message: string, detail?: string): void {
    this.owner.notice(severity, code, message, detail === undefined ? {} : { detail });
  }

  get advisory(): AdvisoryLocks {
    return this.owner.advisory;
  }

  get routines(): RoutineCaller {
    return this.owner.routines;
  }

  get largeObjects(): LargeObjectCalls {
    return this.owner.largeObjects;
  }

  callElsewhere(call: LongCall, args: readonly Value[]): Generator<Yielded, Value, void> {
    return this.owner.callElsewhere(call, args);
  }

  get backendPid(): number {
    return this.owner.id;
  }

  get connection(): ConnectionEnds | undefined {
    return this.owner.activity.connection;
  }

  get filesReadMicros(): number | undefined {
    const { server } = this.owner.activity;
    return server === undefined ? undefined : microsSince2000(server.filesReadMs);
  }

  reloadServer(): boolean {
    return reloadServer(this.owner);
  }

  signalBackend(pid: number, signal: BackendSignal): boolean {
    return this.owner.signalBackend(pid, signal);
  }

  exportSnapshot(): string {
    return exportSnapshot(this.owner);
  }

  createRestorePoint(name: string): number {
    return createRestorePoint(this.owner, name);
  }

  resetStatements(roleOid: Oid, databaseOid: Oid, number: number): void {
    this.owner.resetStatements(roleOid, databaseOid, number);
  }

  get transactionId(): number {
    return this.owner.transactionId;
  }

  get currentUser(): string {
    return this.owner.currentRoleName;
  }

  get sessionUser(): string {
    return this.owner.sessionRoleName;
  }

  get currentDatabase(): string {
    return this.owner.databaseName;
  }

  get currentSchema(): string | undefined {
    const { settings, currentRoleName, picture, temporary } = this.owner;
    const path = parsePath(settings.get('search_path'), currentRoleName);
    return path
      .map((schema) => (schema === 'pg_temp' ? temporary.name : schema))
      .find((schema) => schema !== PHANTOM_SCHEMA && picture.schemaExists(schema));
  }

  get searchPath(): readonly string[] {
    const { picture } = this.owner;
    return picture.searchPath.filter((schema) => picture.schemaExists(schema));
  }

  get catalog(): CatalogPort {
    return this.owner.picture;
  }

  get notifier(): NotificationPort {
    return this.owner.notifier;
  }

  clockMicros(): number {
    return microsSince2000(this.owner.clock.nowMs());
  }

  random(): number {
    return this.owner.randomNumbers.float();
  }

  seedRandom(seed: number): void {
    this.owner.randomNumbers = new Random(Math.round(seed * 0x7fff_ffff));
  }

  sequenceRow(sequenceOid: Oid): SequenceRow {
    return this.owner.sequences.row(this.sequenceNamed(sequenceOid, 'select'));
  }

  cursorKey(cursor: string, tableOid: Oid, tableName: string): Uint8Array {
    return this.owner.cursors.currentKey(cursor, tableOid, tableName);
  }

  setting(name: string, missingOk: boolean): string | null {
    const { settings, roles } = this.owner;
    if (name.toLowerCase() === 'role') return roles.setting;
    if (settings.tryGet(name) === undefined) {
      if (missingOk) return null;
      throw new PhantomError('42704', `unrecognized configuration parameter "${name}"`);
    }
    settings.refuseGuarded(name, roles.mayReadAllSettings);
    return settings.show(name);
  }

  setSetting(name: string, value: string, local: boolean): string {
    if (name.toLowerCase() !== 'role') return this.owner.applySetting(name, value, local);
    const { roles } = this.owner;
    roles.actAs(value === 'none' || value === '' ? undefined : value, local);
    return roles.setting;
  }

  sequence(
    operation: 'nextval' | 'currval' | 'lastval' | 'setval',
    sequenceOid: Oid,
    value?: number | bigint,
    isCalled?: boolean,
  ): number | bigint {
    const { sequences } = this.owner;
    switch (operation) {
      case 'nextval': {
        const sequence = this.sequenceNamed(sequenceOid, 'usage');
        this.refuseReadOnly(sequence, 'nextval()');
        const next = sequences.next(sequence);
        this.lastValues.set(sequenceOid, next);
        this.lastSequence = sequenceOid;
        return next;
      }
      case 'setval': {
        const sequence = this.sequenceNamed(sequenceOid, 'update');
        this.refuseReadOnly(sequence, 'setval()');
        const wanted = value as number | bigint;
        sequences.set(sequence, wanted, isCalled ?? true);
        if (isCalled ?? true) this.lastValues.set(sequenceOid, wanted);
        return wanted;
      }
      case 'currval': {
        const sequence = this.sequenceNamed(sequenceOid, 'select');
        const last = this.lastValues.get(sequenceOid);
        if (last !== undefined) return last;
        throw new PhantomError('55000', `currval of sequence "${sequence.name}" is not yet defined in this session`);
      }
      case 'lastval': {
        const oid = this.lastSequence;
        const exists = oid !== undefined && this.owner.picture.relationByOid(oid) !== undefined;
        if (exists) return this.sequence('currval', oid);
        throw new PhantomError('55000', 'lastval is not yet defined in this session');
      }
    }
  }

  private get style(): TextStyle {
    const { settings } = this.owner;
    if (this.styleKept?.isOf(settings) !== true) this.styleKept = new TextStyle(settings);
    return this.styleKept as TextStyle;
  }

  private refuseReadOnly({ persistence }: SequenceDescriptor, what: string): void {
    if (persistence !== 'temporary' && this.owner.settings.boolean('transaction_read_only'))
      throw readOnlyTransaction(what);
  }

  private sequenceNamed(oid: Oid, privilege: 'usage' | 'select' | 'update'): SequenceDescriptor {
    const relation = this.owner.picture.relationByOid(oid);
    if (relation?.kind !== 'sequence') throw new PhantomError('42809', `object ${oid} is not a sequence`);
    this.owner.checkSequencePrivilege(oid, privilege);
    return relation;
  }
}
