/**
 * What monitoring asks: the store's work since it was opened, and the views of PostgreSQL's statistics that are about one part of what
 * others tell whole. NULL is what nobody counts here; replication and the progress of single commands are among what is not told.
 */
import { spaceRange } from '@phantom/kv';
import { microsSince2000 } from '../session/evaluation.js';
import { type CatalogRow, catalogView, emptyViews } from './catalog-view.js';
import { databasesOf } from './pg-cluster.js';
import { listedSystemViews, relationsOf } from './pg-objects.js';
import { type SystemView, type SystemViewSource, isSystemTable } from './system-view.js';

/** One row for each table of users, with what is counted of it. */
function* tableRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'table') continue;
    yield {
      relid: relation.oid,
      schemaname: source.schemaNameOf(relation.schemaOid),
      relname: relation.name,
      n_live_tup: source.storage.estimate(spaceRange(relation.space)).keys,
      // No version stays in a table for somebody to clear away.
      n_dead_tup: 0,
    };
  }
}

/** The catalogs: nothing of them is stored, so there is nothing to count. */
function* systemTableRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const view of listedSystemViews(source)) {
    if (isSystemTable(view))
      yield { relid: view.oid, schemaname: source.schemaNameOf(view.schemaOid), relname: view.name };
  }
}

function* allTableRows(source: SystemViewSource): Iterable<CatalogRow> {
  yield* systemTableRows(source);
  yield* tableRows(source);
}

function* indexRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind !== 'index') continue;
    yield {
      relid: relation.tableOid,
      indexrelid: relation.oid,
      schemaname: source.schemaNameOf(relation.schemaOid),
      relname: source.objectsSeen.object(relation.tableOid)?.name ?? null,
      indexrelname: relation.name,
    };
  }
}

function* sequenceRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const relation of relationsOf(source)) {
    if (relation.kind === 'sequence')
      yield { relid: relation.oid, schemaname: source.schemaNameOf(relation.schemaOid), relname: relation.name };
  }
}

/** Checkpoints by time and by need are counted together. */
function* checkpointRows({ storage }: SystemViewSource): Iterable<CatalogRow> {
  yield { checkpoints_timed: 0, checkpoints_req: storage.work().checkpoints };
}

function* logRows({ storage }: SystemViewSource): Iterable<CatalogRow> {
  const { logRecords, logBytes, logWrites, logSyncs } = storage.work();
  yield { wal_records: logRecords, wal_fpi: 0, wal_bytes: logBytes, wal_write: logWrites, wal_sync: logSyncs };
}

/** Commits are archived, not files of the log: the newest of them stands where PostgreSQL names a file. */
function* archiveRows({ storage }: SystemViewSource): Iterable<CatalogRow> {
  const { archive } = storage.work();
  if (archive === undefined) yield { archived_count: 0, failed_count: 0 };
  else {
    yield {
      archived_count: archive.lastSeq,
      last_archived_wal: archive.lastSeq === 0 ? null : String(archive.lastSeq),
      last_archived_time: archive.lastMs === undefined ? null : microsSince2000(archive.lastMs),
      failed_count: archive.failures,
    };
  }
}

/** What a standby would have to cancel: there is none. */
function* conflictRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { oid, name } of databasesOf(source)) {
    yield {
      datid: oid,
      datname: name,
      confl_tablespace: 0,
      confl_lock: 0,
      confl_snapshot: 0,
      confl_bufferpin: 0,
      confl_deadlock: 0,
    };
  }
}

export const MONITORING_VIEWS: readonly SystemView[] = [
  catalogView('pg_stat_user_tables', tableRows),
  catalogView('pg_stat_sys_tables', systemTableRows),
  catalogView('pg_stat_all_tables', allTableRows),
  catalogView('pg_stat_xact_user_tables', tableRows),
  catalogView('pg_stat_xact_sys_tables', systemTableRows),
  catalogView('pg_stat_xact_all_tables', allTableRows),
  catalogView('pg_statio_user_tables', tableRows),
  catalogView('pg_statio_sys_tables', systemTableRows),
  catalogView('pg_statio_all_tables', allTableRows),
  catalogView('pg_stat_user_indexes', indexRows),
  catalogView('pg_stat_all_indexes', indexRows),
  catalogView('pg_statio_user_indexes', indexRows),
  catalogView('pg_statio_all_indexes', indexRows),
  catalogView('pg_statio_user_sequences', sequenceRows),
  catalogView('pg_statio_all_sequences', sequenceRows),
  catalogView('pg_stat_bgwriter', checkpointRows),
  catalogView('pg_stat_wal', logRows),
  catalogView('pg_stat_archiver', archiveRows),
  catalogView('pg_stat_database_conflicts', conflictRows),
  ...emptyViews(
    'pg_backend_memory_contexts',
    'pg_replication_origin',
    'pg_replication_origin_status',
    'pg_replication_slots',
    'pg_shmem_allocations',
    'pg_stat_progress_analyze',
    'pg_stat_progress_basebackup',
    'pg_stat_progress_cluster',
    'pg_stat_progress_copy',
    'pg_stat_progress_create_index',
    'pg_stat_progress_vacuum',
    'pg_stat_recovery_prefetch',
    'pg_stat_replication',
    'pg_stat_replication_slots',
    'pg_stat_slru',
    'pg_stat_subscription',
    'pg_stat_subscription_stats',
    'pg_stat_sys_indexes',
    'pg_stat_user_functions',
    'pg_stat_wal_receiver',
    'pg_stat_xact_user_functions',
    'pg_statio_sys_indexes',
    'pg_statio_sys_sequences',
    'pg_subscription_rel',
  ),
];
