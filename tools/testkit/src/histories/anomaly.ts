/**
 * What can go wrong, and which level forbids it. Names and definitions are those of Adya ("Weak Consistency: A Generalized
 * Theory and Optimistic Implementations for Distributed Transactions", MIT 1999), with P4 of Berenson et al. ("A Critique of
 * ANSI SQL Isolation Levels", SIGMOD 1995), OTV and PMP as Kleppmann's Hermitage has them, and G-nonadjacent for what
 * snapshot isolation forbids (Cerone and Gotsman, "Analysing Snapshot Isolation", PODC 2016).
 *
 *   garbage           a value is read that nobody wrote, or twice in one list
 *   order             two reads of one list cannot both be right, or writes of one register follow each other in a circle
 *   lost write        an acknowledged write is not there for somebody who began afterwards
 *   own writes        a transaction does not see what it wrote itself
 *   G0                dirty write: a circle of overwrites
 *   G1a               aborted read
 *   G1b               intermediate read: of a value that its writer replaced before it committed
 *   G1c               circular information flow: overwrites and reads of what was written, in a circle
 *   OTV               somebody's writes are seen, and later reads of the same transaction do not see them any more
 *   P4                lost update: two replace what both have read
 *   fuzzy read        a row is read twice and differs
 *   PMP               a predicate is read twice and matches more
 *   G-single          read skew: a circle with one anti-dependency (who read what another one replaced)
 *   G-nonadjacent     a circle whose anti-dependencies never follow each other
 *   G2-item, G2       write skew: a circle of any anti-dependencies; over rows, over predicates
 *   read-only         a circle that is only there because of what a transaction that wrote nothing has seen
 *                     (Fekete, O'Neil and O'Neil, "A Read-Only Transaction Anomaly Under Snapshot Isolation", 2004)
 */
import type { Level } from './history.js';

export type AnomalyKind =
  | 'garbage'
  | 'order'
  | 'lost write'
  | 'own writes'
  | 'G0'
  | 'G1a'
  | 'G1b'
  | 'G1c'
  | 'OTV'
  | 'P4'
  | 'fuzzy read'
  | 'PMP'
  | 'G-single'
  | 'G-nonadjacent'
  | 'G2-item'
  | 'G2'
  | 'read-only';

export interface Anomaly {
  readonly kind: AnomalyKind;
  /** Places in the history of those who take part; the first is the one whose level counts. */
  readonly transactions: readonly number[];
  /** For people: who did what, and why that cannot be. */
  readonly text: string;
}

/** The weakest level that forbids each. Read uncommitted is read committed here, as in PostgreSQL. */
const FORBIDDEN_FROM: Record<AnomalyKind, Level> = {
  garbage: 'read uncommitted',
  order: 'read uncommitted',
  'lost write': 'read uncommitted',
  'own writes': 'read uncommitted',
  G0: 'read uncommitted',
  G1a: 'read uncommitted',
  G1b: 'read uncommitted',
  G1c: 'read uncommitted',
  OTV: 'read uncommitted',
  P4: 'repeatable read',
  'fuzzy read': 'repeatable read',
  PMP: 'repeatable read',
  'G-single': 'repeatable read',
  'G-nonadjacent': 'repeatable read',
  'G2-item': 'serializable',
  G2: 'serializable',
  'read-only': 'serializable',
};

const LEVELS: readonly Level[] = ['read uncommitted', 'read committed', 'repeatable read', 'serializable'];

/** True when a level is as strong as another one, or stronger. */
export function isAtLeast(level: Level, least: Level): boolean {
  return LEVELS.indexOf(level) >= LEVELS.indexOf(least);
}

export function isForbidden(kind: AnomalyKind, level: Level): boolean {
  return isAtLeast(level, FORBIDDEN_FROM[kind]);
}
