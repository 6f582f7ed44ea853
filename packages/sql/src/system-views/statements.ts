/**
 * What statements have cost, by their texts: `phantom.statements`, and the same as PostgreSQL's extension pg_stat_statements tells it
 * (version 1.10), for what watches servers. Everybody sees that there are statements, and what they cost; texts are for their own role,
 * superusers and pg_read_all_stats, since they name what others may not know of.
 *
 * What PostgreSQL counts of a statement and nobody counts here (plans, blocks, log, compilation) is NULL.
 */
import { microsSince2000 } from '../session/evaluation.js';
import type { StatementUse } from '../session/statement-uses.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { PG_CATALOG_OID, PHANTOM_OID, type SystemView, type SystemViewSource } from './system-view.js';

const HIDDEN = '<insufficient privilege>';
const ROWS_ESTIMATE = 100;

const counts = (...names: readonly string[]): SystemView['columns'] => names.map((name) => [name, TypeOid.int8]);
const times = (...names: readonly string[]): SystemView['columns'] => names.map((name) => [name, TypeOid.float8]);

/** Columns that are filled; the others follow them or stand between them. */
const COLUMNS: SystemView['columns'] = [
  ['userid', TypeOid.oid],
  ['dbid', TypeOid.oid],
  ['toplevel', TypeOid.bool],
  ['queryid', TypeOid.int8],
  ['query', TypeOid.text],
  ...counts('plans'),
  ...times('total_plan_time', 'min_plan_time', 'max_plan_time', 'mean_plan_time', 'stddev_plan_time'),
  ...counts('calls'),
  ...times('total_exec_time', 'min_exec_time', 'max_exec_time', 'mean_exec_time', 'stddev_exec_time'),
  ...counts('rows'),
  ...counts('shared_blks_hit', 'shared_blks_read', 'shared_blks_dirtied', 'shared_blks_written'),
  ...counts('local_blks_hit', 'local_blks_read', 'local_blks_dirtied', 'local_blks_written'),
  ...counts('temp_blks_read', 'temp_blks_written'),
  ...times('blk_read_time', 'blk_write_time', 'temp_blk_read_time', 'temp_blk_write_time'),
  ...counts('wal_records', 'wal_fpi'),
  ['wal_bytes', TypeOid.numeric],
  ...counts('jit_functions'),
  ...times('jit_generation_time'),
  ...counts('jit_inlining_count'),
  ...times('jit_inlining_time'),
  ...counts('jit_optimization_count'),
  ...times('jit_optimization_time'),
  ...counts('jit_emission_count'),
  ...times('jit_emission_time'),
];

function meanOf({ totalMs, calls }: StatementUse): number {
  return calls === 0 ? 0 : totalMs / calls;
}

function* extensionRows({ activity }: SystemViewSource): Iterable<readonly Value[]> {
  for (const use of activity.statementUses()) {
    const isShown = activity.maySeeRole(use.roleOid);
    const row: Readonly<Record<string, Value>> = {
      userid: use.roleOid,
      dbid: use.databaseOid,
      toplevel: true,
      queryid: isShown ? use.number : null,
      query: isShown ? use.text : HIDDEN,
      calls: use.calls,
      total_exec_time: use.totalMs,
      min_exec_time: use.minMs,
      max_exec_time: use.maxMs,
      mean_exec_time: meanOf(use),
      rows: use.rows,
    };
    yield COLUMNS.map(([name]) => row[name] ?? null);
  }
}

export const STATEMENT_VIEWS: readonly SystemView[] = [
  {
    oid: 13919,
    schemaOid: PHANTOM_OID,
    name: 'statements',
    rowsEstimate: ROWS_ESTIMATE,
    columns: [
      ['database', TypeOid.name],
      ['role', TypeOid.name],
      ['query', TypeOid.text],
      ...counts('calls', 'errors', 'rows'),
      ...times('total_ms', 'mean_ms', 'min_ms', 'max_ms'),
    ],
    *rows({ activity, objectsSeen, roleNameOf }) {
      for (const use of activity.statementUses()) {
        const database = objectsSeen.object(use.databaseOid);
        const query = activity.maySeeRole(use.roleOid) ? use.text : HIDDEN;
        const where = [database?.kind === 'database' ? database.name : null, roleNameOf(use.roleOid), query];
        const { calls, errors, rows, totalMs, minMs, maxMs } = use;
        yield [...where, calls, errors, rows, totalMs, calls === 0 ? null : meanOf(use), minMs, maxMs];
      }
    },
  },
  {
    oid: 13918,
    schemaOid: PG_CATALOG_OID,
    name: 'pg_stat_statements',
    rowsEstimate: ROWS_ESTIMATE,
    columns: COLUMNS,
    rows: extensionRows,
  },
  {
    oid: 13917,
    schemaOid: PG_CATALOG_OID,
    name: 'pg_stat_statements_info',
    rowsEstimate: 1,
    columns: [
      ['dealloc', TypeOid.int8],
      ['stats_reset', TypeOid.timestamptz],
    ],
    rows: ({ activity }) => [[activity.statementsForgotten(), microsSince2000(activity.statementsSinceMs())]],
  },
];
