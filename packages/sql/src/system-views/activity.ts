/**
 * What is going on: sessions, locks and who waits for whom, transactions, races lost. Statements of others are shown to superusers and
 * to their own role only, as PostgreSQL does it, and a password to nobody.
 */
import { tableOfLockKey } from '@phantom/catalog';
import type { HeldLock } from '@phantom/mvcc';
import { advisoryNumbers } from '../session/advisory-keys.js';
import { microsSince2000 } from '../session/evaluation.js';
import { preparedMeta } from '../session/two-phase.js';
import { withoutPassword } from '../text/normalised-text.js';
import type { Value } from '../types/type.js';
import { socketAddress } from '../types/network-types.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import { databasesOf } from './pg-cluster.js';
import { STATEMENT_VIEWS } from './statements.js';
import { PHANTOM_OID, type SystemView, type SystemViewSource } from './system-view.js';
import { TypeOid } from '../types/type-oids.js';

/** As pg_locks calls them: rows' and advisory locks' four, then tables'. */
const MODE_NAMES = [
  'KeyShareLock',
  'ShareLock',
  'NoKeyUpdateLock',
  'ExclusiveLock',
  'AccessShareLock',
  'RowShareLock',
  'RowExclusiveLock',
  'ShareUpdateExclusiveLock',
  'ShareLock',
  'ShareRowExclusiveLock',
  'ExclusiveLock',
  'AccessExclusiveLock',
] as const;

function view(
  oid: number,
  schemaOid: number,
  name: string,
  columns: SystemView['columns'],
  rows: SystemView['rows'],
): SystemView {
  return { oid, schemaOid, name, columns, rowsEstimate: 100, rows };
}

function pid(session: string | undefined): number | null {
  return session === undefined ? null : Number(session);
}

/** Type, database, relation, and the three numbers of an advisory lock. */
function lockedObject({ key }: HeldLock, { databaseOid }: SystemViewSource): Value[] {
  const table = tableOfLockKey(key);
  if (table !== undefined) return ['relation', databaseOid, table, null, null, null];
  const advisory = advisoryNumbers(key);
  if (advisory === undefined) return ['tuple', databaseOid, null, null, null, null];
  const [first, second] = advisory.numbers;
  if (second !== undefined)
    return ['advisory', advisory.databaseOid, null, Number(first) >>> 0, Number(second) >>> 0, 2];
  const whole = BigInt.asUintN(64, BigInt(first ?? 0));
  return ['advisory', advisory.databaseOid, null, Number(whole >> 32n), Number(whole & 0xffff_ffffn), 1];
}

/** A number as bigint columns have it. */
function whole(value: number): number {
  return Math.round(value);
}

/** What each session waits for that waits for a lock. */
function lockWaits(source: SystemViewSource): Map<number | null, Value> {
  const waits = new Map<number | null, Value>();
  for (const lock of source.activity.mvcc.locks())
    if (!lock.granted) waits.set(pid(lock.session), lockedObject(lock, source)[0]);
  return waits;
}

/** What one does is for superusers, pg_read_all_stats and whoever acts as the same role; that it is there is for everybody. */
function* sessionRows(source: SystemViewSource): Iterable<CatalogRow> {
  const waits = lockWaits(source);
  for (const session of source.sessions()) {
    const { processId, state, client } = session;
    const row = {
      datid: session.databaseOid,
      datname: session.databaseName,
      pid: processId,
      usesysid: session.roleOid,
      usename: session.roleName,
      application_name: session.applicationName,
      backend_type: 'client backend',
    };
    if (!source.activity.maySee(processId)) {
      yield { ...row, query: '<insufficient privilege>' };
      continue;
    }
    const lock = waits.get(processId);
    yield {
      ...row,
      state,
      query: withoutPassword(session.statementText),
      backend_start: session.beganMicros,
      xact_start: session.transactionStartMicros,
      query_start: session.statementStartMicros,
      // Without a socket PostgreSQL's port is -1.
      client_addr: client === undefined ? null : socketAddress(client.address),
      client_port: client?.port ?? -1,
      wait_event_type: lock === undefined ? (state === 'active' ? null : 'Client') : 'Lock',
      wait_event: lock ?? (state === 'active' ? null : 'ClientRead'),
    };
  }
}

/**
 * Sessions by database. Transactions, deadlocks and reads are counted for the whole store, so they stand where PostgreSQL has what
 * belongs to no database; NULL is what nobody counts.
 */
function* databaseRows(source: SystemViewSource): Iterable<CatalogRow> {
  const { committed, rolledBack, deadlocks } = source.activity.mvcc.stats();
  const { pagesRead, cacheHits } = source.storage.reads();
  yield {
    datid: 0,
    numbackends: 0,
    xact_commit: committed,
    xact_rollback: rolledBack,
    blks_read: pagesRead,
    blks_hit: cacheHits,
    deadlocks,
    checksum_failures: 0,
  };
  const sessions = [...source.sessions()];
  for (const { oid, name } of databasesOf(source)) {
    yield { datid: oid, datname: name, numbackends: sessions.filter((one) => one.databaseOid === oid).length };
  }
}

function* lockRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const lock of source.activity.mvcc.locks()) {
    const [locktype, database, relation, classid, objid, objsubid] = lockedObject(lock, source);
    const { owner, session, mode, granted, waitedMs } = lock;
    yield {
      locktype,
      database,
      relation,
      classid,
      objid,
      objsubid,
      virtualtransaction: `${session ?? 0}/${owner}`,
      pid: pid(session),
      mode: MODE_NAMES[mode],
      granted,
      fastpath: false,
      waitstart: waitedMs === undefined ? null : Math.round(source.activity.nowMicros() - waitedMs * 1000),
    };
  }
}

function* preparedRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const one of source.activity.mvcc.prepared()) {
    const { database, owner } = preparedMeta(one);
    const object = source.objectsSeen.object(database);
    yield {
      transaction: one.id,
      gid: one.identifier,
      prepared: microsSince2000(one.preparedMs),
      owner: source.roleNameOf(owner),
      database: object?.kind === 'database' ? object.name : '',
    };
  }
}

export const ACTIVITY_VIEWS: readonly SystemView[] = [
  catalogView('pg_stat_activity', sessionRows),
  catalogView('pg_stat_database', databaseRows),
  catalogView('pg_locks', lockRows),
  catalogView('pg_prepared_xacts', preparedRows),
  view(
    13910,
    PHANTOM_OID,
    'transactions',
    [
      ['id', TypeOid.int8],
      ['pid', TypeOid.int4],
      ['application_name', TypeOid.text],
      ['status', TypeOid.text],
      ['isolation', TypeOid.text],
      ['concurrency', TypeOid.text],
      ['read_only', TypeOid.bool],
      ['priority', TypeOid.int4],
      ['age_ms', TypeOid.int8],
      ['snapshot_seq', TypeOid.int8],
      ['write_set_bytes', TypeOid.int8],
      ['read_set_bytes', TypeOid.int8],
      ['locks', TypeOid.int8],
      ['statement', TypeOid.text],
    ],
    function* ({ activity }) {
      for (const one of activity.mvcc.transactions()) {
        const session = pid(one.session);
        const kind = [one.id, session, one.label ?? null, one.status, one.isolation, one.concurrency, one.readOnly];
        const sizes = [one.priority, whole(one.ageMs), one.snapshotSeq, one.writeSetBytes, one.readSetBytes, one.locks];
        const isShown = one.statement !== undefined && activity.maySee(session);
        yield [...kind, ...sizes, isShown ? withoutPassword(one.statement) : null];
      }
    },
  ),
  ...STATEMENT_VIEWS,
  {
    ...view(
      13930,
      PHANTOM_OID,
      'sagas',
      [
        ['id', TypeOid.text],
        ['name', TypeOid.text],
        ['state', TypeOid.text],
        ['step', TypeOid.text],
        ['attempts', TypeOid.int4],
        ['error', TypeOid.text],
        ['started', TypeOid.timestamptz],
        ['changed', TypeOid.timestamptz],
      ],
      function* ({ activity }) {
        for (const { id, name, state, step, attempts, error, startedMs, changedMs } of activity.sagas()) {
          const moments = [microsSince2000(startedMs), microsSince2000(changedMs)];
          yield [id, name, state, step ?? null, attempts, error ?? null, ...moments];
        }
      },
    ),
    // Errors and ids may hold what others may not read.
    restricted: true,
  },
  view(
    13911,
    PHANTOM_OID,
    'waits',
    [
      ['transaction', TypeOid.int8],
      ['pid', TypeOid.int4],
      ['blocking_transaction', TypeOid.int8],
      ['blocking_pid', TypeOid.int4],
      ['mode', TypeOid.text],
      ['locked', TypeOid.text],
      ['waited_ms', TypeOid.int8],
    ],
    function* ({ activity }) {
      for (const { key, mode, granted, owner, session, blockers, waitedMs } of activity.mvcc.locks()) {
        if (granted) continue;
        const what = [MODE_NAMES[mode], activity.mvcc.describeKey(key), whole(waitedMs ?? 0)];
        for (const blocker of blockers) yield [owner, pid(session), blocker.id, pid(blocker.session), ...what];
      }
    },
  ),
  view(
    13912,
    PHANTOM_OID,
    'conflicts',
    [
      ['table_name', TypeOid.text],
      ['key', TypeOid.text],
      ['lost_races', TypeOid.int8],
      ['error_max', TypeOid.int8],
      ['last_commit_seq', TypeOid.int8],
    ],
    function* ({ activity }) {
      for (const { key, table, count, countErrorMax, lastSeq } of activity.mvcc.conflicts())
        yield [table ?? null, activity.mvcc.describeKey(key), count, countErrorMax, lastSeq];
    },
  ),
];
