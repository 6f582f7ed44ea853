/** The settings that switch ways of execution off, by PostgreSQL's names. */
import type { Way } from '../plan/physical/ways.js';

const WAYS_BY_SETTING: Readonly<Record<string, readonly Way[]>> = {
  enable_bitmapscan: ['index union', 'index intersection'],
  enable_columnscan: ['column scan'],
  enable_hashjoin: ['hash join'],
  enable_indexonlyscan: ['index-only scan'],
  enable_indexscan: ['index scan'],
  enable_memoize: ['memoize'],
  enable_mergejoin: ['merge join'],
  enable_nestloop: ['nested loop'],
  enable_seqscan: ['sequential scan'],
  enable_sort: ['sort'],
};

/** The setting that says from which cost on an aggregation is done in parts. */
export const PARALLEL_SETUP_COST = 'parallel_setup_cost';

/** The setting that says which triggers fire, and whether foreign keys are looked after. */
export const REPLICATION_ROLE = 'session_replication_role';

/** True for a setting that plans depend on, or the rules of tables. */
export function isPlannerSwitch(setting: string): boolean {
  return setting === PARALLEL_SETUP_COST || setting === REPLICATION_ROLE || Object.hasOwn(WAYS_BY_SETTING, setting);
}

/** Settings that plans depend on, by name, where they are not at their defaults. */
export function changedPlannerSettings(settings: {
  get(name: string): string;
  defaultOf(name: string): string;
}): Record<string, string> {
  const changed: Record<string, string> = {};
  for (const name of [...Object.keys(WAYS_BY_SETTING), PARALLEL_SETUP_COST, 'search_path']) {
    const value = settings.get(name);
    if (value !== settings.defaultOf(name)) changed[name] = value;
  }
  return changed;
}

/** The ways that are switched off. */
export function switchedOffWays(settings: { boolean(name: string): boolean }): ReadonlySet<Way> {
  const off = new Set<Way>();
  for (const [setting, ways] of Object.entries(WAYS_BY_SETTING)) {
    if (!settings.boolean(setting)) for (const way of ways) off.add(way);
  }
  return off;
}
