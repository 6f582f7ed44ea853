/**
 * What tools ask while they watch a server: who blocks whom, what there is of extensions and settings, where things lie.
 *
 * Several of PostgreSQL's views stand over functions that may be called by themselves; here it is the other way about, and such a function
 * reads its view. A server that is never a standby answers what is asked of one as PostgreSQL's primary does.
 */
import { PhantomError } from '@phantom/base';
import type { DatabaseDescriptor, ObjectReader, Oid, RelationDescriptor, ViewDescriptor } from '@phantom/catalog';
import { type Interval, MICROS_PER_SECOND, SqlArray } from '@phantom/codec';
import { spaceRange } from '@phantom/kv';
import { EXTENSIONS } from '../ddl/extensions.js';
import type { CatalogPort, VirtualRelation } from '../plan/catalog-port.js';
import { DEFAULT_TABLESPACE_OID } from '../system-views/oids.js';
import { TypeOid } from '../types/type-oids.js';
import type { Value } from '../types/type.js';
import { postmasterStartMicros } from './catalog-functions.js';
import { type Implementations, type SetCode, contextual, setOf } from './implementation.js';
import type { EvaluationContext } from './registry.js';

interface MonitoredCatalog extends CatalogPort {
  readonly objects: ObjectReader;
  /** Handed in, as the texts of catalog-functions.ts are. */
  readonly writableColumns: (view: ViewDescriptor) => ReadonlySet<string> | undefined;
}

function catalogOf(context: EvaluationContext): MonitoredCatalog {
  return context.catalog as MonitoredCatalog;
}

/** Rows of a system view with these columns, by default all of it. */
function* viewRows(
  context: EvaluationContext,
  schema: string,
  name: string,
  columns?: readonly string[],
): Iterable<readonly Value[]> {
  const view = catalogOf(context).relation({ schema, name }) as VirtualRelation;
  const places = columns?.map((column) => view.columns.findIndex((candidate) => candidate.name === column));
  for (const row of view.rows(context)) yield places === undefined ? row : places.map((place) => row[place] as Value);
}

/** The function behind a view of pg_catalog. */
function behindView(name: string, columns?: readonly string[]): SetCode {
  return setOf(
    (context: EvaluationContext) => viewRows(context, 'pg_catalog', name, columns) as unknown as Iterable<Value>,
    { context: true },
  );
}

/** What INSERT, UPDATE and DELETE are in the sum that pg_relation_is_updatable returns. */
const EVENT_BITS = { insert: 8, update: 4, delete: 16 } as const;
const ALL_EVENTS = EVENT_BITS.insert + EVENT_BITS.update + EVENT_BITS.delete;

function relationOf(oid: Oid, context: EvaluationContext): RelationDescriptor | undefined {
  const relation = catalogOf(context).relationByOid(oid);
  return relation?.kind === 'virtual' ? undefined : relation;
}

function updatableEvents(oid: Oid, withTriggers: boolean, context: EvaluationContext): number {
  const relation = relationOf(oid, context);
  if (relation?.kind === 'table') return relation.materialized === undefined ? ALL_EVENTS : 0;
  if (relation?.kind !== 'view') return 0;
  if (catalogOf(context).writableColumns(relation) !== undefined) return ALL_EVENTS;
  return withTriggers ? (relation.insteadOf ?? []).reduce((sum, event) => sum | bitOf(event), 0) : 0;
}

function bitOf(event: string): number {
  return event === 'insert' || event === 'update' || event === 'delete' ? EVENT_BITS[event] : 0;
}

/** A column is when the relation can be both updated and deleted from by the same way. */
function isColumnUpdatable(oid: Oid, number: number, withTriggers: boolean, context: EvaluationContext): boolean {
  const relation = relationOf(oid, context);
  const both = EVENT_BITS.update + EVENT_BITS.delete;
  if (number <= 0 || (updatableEvents(oid, withTriggers, context) & both) !== both) return false;
  if (relation?.kind !== 'view') return true;
  const writable = catalogOf(context).writableColumns(relation);
  return writable === undefined || writable.has(relation.columns[number - 1]?.name ?? '');
}

function databases(context: EvaluationContext): DatabaseDescriptor[] {
  return [...catalogOf(context).objects.objects()].filter((object) => object.kind === 'database');
}

/** All that is stored lies in pg_default. */
function tablespaceBytes(tablespaceOid: Oid, context: EvaluationContext): number {
  if (tablespaceOid !== DEFAULT_TABLESPACE_OID) return 0;
  const { statistics, objects } = catalogOf(context);
  let bytes = 0;
  for (const object of objects.objects())
    if (object.kind === 'table' || object.kind === 'index') bytes += statistics.range(spaceRange(object.space)).bytes;
  return Math.round(bytes);
}

function blockers(pid: number, context: EvaluationContext): SqlArray {
  const found = new Set<number>();
  for (const [waiting, blocking] of viewRows(context, 'phantom', 'waits', ['pid', 'blocking_pid']))
    // What is prepared has no session, and counts as 0.
    if (waiting === pid) found.add(Number(blocking ?? 0));
  return SqlArray.of(TypeOid.int4, [...found]);
}

export const monitoringFunctions: Implementations = {
  pg_show_all_settings: behindView('pg_settings'),
  pg_lock_status: behindView('pg_locks'),
  pg_cursor: behindView('pg_cursors'),
  pg_prepared_statement: behindView('pg_prepared_statements'),
  pg_available_extensions: behindView('pg_available_extensions', ['name', 'default_version', 'comment']),
  pg_available_extension_versions: setOf(() =>
    EXTENSIONS.map(({ name, version, description }) => [
      name,
      version,
      true,
      false,
      false,
      'pg_catalog',
      null,
      description,
    ]),
  ),
  pg_blocking_pids: contextual(blockers),
  current_query: contextual((context: EvaluationContext) => {
    for (const [pid, query] of viewRows(context, 'pg_catalog', 'pg_stat_activity', ['pid', 'query']))
      if (pid === context.backendPid) return query as Value;
    return null;
  }),
  // Numbers run around: what is 2^31 and more ahead is behind. Those below 3 are older than any.
  xid_age: contextual((xid: number, context: EvaluationContext) =>
    xid < 3 ? 0x7fff_ffff : (context.transactionId - xid) | 0,
  ),
  pg_conf_load_time: contextual(
    (context: EvaluationContext) => context.filesReadMicros ?? postmasterStartMicros(context),
  ),
  pg_reload_conf: contextual((context: EvaluationContext) => context.reloadServer()),
  pg_jit_available: () => false,
  not_in_recovery: () => {
    throw new PhantomError('55000', 'recovery is not in progress', {
      hint: 'Recovery control functions can only be executed during recovery.',
    });
  },
  nothing_replayed: () => null,
  pg_relation_is_updatable: contextual(updatableEvents),
  pg_column_is_updatable: contextual(isColumnUpdatable),
  pg_relation_filenode: contextual((oid: Oid, context: EvaluationContext) => {
    for (const [relation, file] of viewRows(context, 'pg_catalog', 'pg_class', ['oid', 'relfilenode']))
      if (relation === oid) return file === 0 ? null : (file as Value);
    return null;
  }),
  pg_sequence_last_value: contextual((oid: Oid, context: EvaluationContext) => {
    const sequence = relationOf(oid, context);
    if (sequence?.kind !== 'sequence') throw new PhantomError('42809', `"${sequence?.name ?? oid}" is not a sequence`);
    const { isCalled, lastValue } = context.sequenceRow(oid);
    return isCalled ? lastValue : null;
  }),
  pg_tablespace_size_oid: contextual(tablespaceBytes),
  pg_tablespace_size_name: contextual((name: string, context: EvaluationContext) => {
    for (const [oid, found] of viewRows(context, 'pg_catalog', 'pg_tablespace', ['oid', 'spcname']))
      if (found === name) return tablespaceBytes(oid as number, context);
    throw new PhantomError('42704', `tablespace "${name}" does not exist`);
  }),
  pg_tablespace_databases: setOf(
    (oid: Oid, context: EvaluationContext) =>
      oid === DEFAULT_TABLESPACE_OID ? databases(context).map((database) => database.oid) : [],
    { context: true },
  ),
  pg_sleep_for: contextual((span: Interval, context: EvaluationContext) => {
    context.advisory.sleep(Math.max(0, Number(span.span()) / MICROS_PER_SECOND));
    return '';
  }),
  pg_sleep_until: contextual((micros: number, context: EvaluationContext) => {
    context.advisory.sleep(Math.max(0, (micros - context.clockMicros()) / MICROS_PER_SECOND));
    return '';
  }),
};
