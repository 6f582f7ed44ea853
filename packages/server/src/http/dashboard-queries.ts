/**
 * What the pages of the dashboard ask of the database: statements that read, run as whoever looks at the page, so that each sees what its
 * rights allow. Whatever is shown can be asked in SQL, too.
 */

/** Rows that one statement may bring to a page. */
const ROWS_MAX = 500;

/** Metrics whose history is drawn. */
const OVERVIEW_SERIES: readonly string[] = [
  'phantom_pg_queries_total',
  'phantom_pg_errors_total',
  'phantom_pg_connections',
  'phantom_pg_response_seconds',
  'phantom_wal_sync_seconds',
  'phantom_wal_appended_bytes_total',
  'phantom_btree_cache_hits_total',
  'phantom_btree_pages_read_total',
  'phantom_mvcc_committed_total',
];

interface PageQueries {
  readonly statements: Readonly<Record<string, string>>;
  readonly series: readonly string[];
}

export const DASHBOARD_PAGES: Readonly<Record<string, PageQueries>> = {
  overview: {
    statements: {
      sessions: `select coalesce(state, 'hidden') as state, count(*) as sessions from pg_stat_activity group by 1 order by 1`,
    },
    series: OVERVIEW_SERIES,
  },
  queries: {
    statements: {
      running: `select pid, usename as role, datname as database, application_name as application, state,
          extract(epoch from now() - query_start) * 1000 as age_ms, wait_event_type, wait_event, query
        from pg_stat_activity where state <> 'idle' and pid <> pg_backend_pid()
        order by age_ms desc nulls last limit ${ROWS_MAX}`,
      statements: `select query, role, database, calls, errors, rows, total_ms, mean_ms, min_ms, max_ms
        from phantom.statements order by total_ms desc limit ${ROWS_MAX}`,
      since: `select stats_reset as since, dealloc as forgotten from pg_stat_statements_info`,
    },
    series: [],
  },
  transactions: {
    statements: {
      transactions: `select id, pid, application_name as application, status, isolation, concurrency, read_only, age_ms, snapshot_seq,
          write_set_bytes, locks, statement
        from phantom.transactions order by age_ms desc limit ${ROWS_MAX}`,
      waits: `select w.transaction, w.pid, w.blocking_transaction, w.blocking_pid, w.mode, w.locked, w.waited_ms,
          a.query, b.query as blocking_query
        from phantom.waits w left join pg_stat_activity a on a.pid = w.pid left join pg_stat_activity b on b.pid = w.blocking_pid
        order by w.waited_ms desc limit ${ROWS_MAX}`,
      prepared: `select gid, owner, database, extract(epoch from now() - prepared) * 1000 as age_ms
        from pg_prepared_xacts order by prepared limit ${ROWS_MAX}`,
      conflicts: `select table_name, key, lost_races, last_commit_seq from phantom.conflicts order by lost_races desc limit ${ROWS_MAX}`,
    },
    series: [],
  },
  storage: {
    statements: {
      tables: `select table_schema as schema, table_name as table, engine, rows_estimate as rows, table_bytes, index_bytes
        from phantom.tables order by table_bytes + index_bytes desc limit ${ROWS_MAX}`,
      advice: `select table_schema as schema, table_name as table, engine, advice, reason, gets, scans, writes, bytes_written
        from phantom.engine_advice where gets + scans + writes > 0 order by gets + scans + writes desc limit ${ROWS_MAX}`,
    },
    series: [
      'phantom_btree_file_bytes',
      'phantom_lsm_file_bytes',
      'phantom_btree_delta_bytes',
      'phantom_lsm_delta_bytes',
    ],
  },
  integrity: { statements: {}, series: ['phantom_store_log_bytes'] },
  limits: {
    statements: {
      settings: `select name, setting, unit, context, short_desc as description from pg_settings order by name`,
    },
    series: [],
  },
};
