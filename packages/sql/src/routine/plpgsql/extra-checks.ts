/**
 * Checks that a body is put to when plpgsql.extra_warnings or plpgsql.extra_errors asks for them, after pl_handler.c.
 *
 *   shadowed_variables        when the function is made: a variable that hides another
 *   too_many_rows             as it runs: INTO of a query with more than one row
 *   strict_multi_assignment   as it runs: INTO of a row with more or fewer columns than there are targets
 */
import { PhantomError, type ErrorFields } from '@phantom/base';
import type { RoutineHost } from '../routine-language.js';

const CHECKS = ['shadowed_variables', 'too_many_rows', 'strict_multi_assignment'] as const;
type ExtraCheck = (typeof CHECKS)[number];

/** The setting's text in canonical form; undefined for what is no list of checks. */
export function extraChecks(text: string): string | undefined {
  const words = text.split(',').map((word) => word.trim().toLowerCase());
  const [only] = words;
  if (words.length === 1 && (only === 'none' || only === 'all')) return only;
  return words.every((word) => (CHECKS as readonly string[]).includes(word)) ? words.join(', ') : undefined;
}

/** Who hears of what a check has found. */
type Level = 'extra_errors' | 'extra_warnings';

function levelOf(host: RoutineHost, check: ExtraCheck): Level | undefined {
  for (const level of ['extra_errors', 'extra_warnings'] as const) {
    const asked = host.setting(`plpgsql.${level}`);
    if (asked === 'all' || asked.split(', ').includes(check)) return level;
  }
  return undefined;
}

/** True where a body that runs is put to the check. */
export function isAsked(host: RoutineHost, check: ExtraCheck): boolean {
  return levelOf(host, check) !== undefined;
}

/** Raises what a check has found, or warns of it; nothing where the check is not asked for. */
export function report(host: RoutineHost, check: ExtraCheck, error: PhantomError): void {
  const level = levelOf(host, check);
  if (level === undefined) return;
  const { code, message, detail, hint, where } = error;
  const shown: ErrorFields = {
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
    ...(where === undefined ? {} : { where }),
  };
  if (level === 'extra_errors') throw error;
  host.notice('WARNING', code, message, shown);
}

/** A row that does not fit the targets of INTO. */
export function checkAssignedCount(host: RoutineHost, given: number, wanted: number): void {
  if (given === wanted) return;
  const level = levelOf(host, 'strict_multi_assignment');
  if (level === undefined) return;
  const message = 'number of source and target fields in assignment does not match';
  report(
    host,
    'strict_multi_assignment',
    new PhantomError('42804', message, {
      detail: `strict_multi_assignment check of ${level} is active.`,
      hint: 'Make sure the query returns the exact list of columns.',
    }),
  );
}
