/**
 * Ways of execution among which the planner chooses by cost, by the names under which they are switched off: to compare
 * plans, and by tests, which hold that the answers stay the same.
 */
export const WAYS = [
  'sequential scan',
  'index scan',
  'index-only scan',
  'column scan',
  'index union',
  'index intersection',
  'skip scan',
  'hash join',
  'merge join',
  'nested loop',
  'memoize',
  'sort',
  'sorted aggregation',
  'partial aggregation',
] as const;

export type Way = (typeof WAYS)[number];
