/**
 * How often and from which seed properties are held against an oracle. Tests repeat the same runs; whoever looks for more sets
 * PHANTOM_ORACLE_SEED, and PHANTOM_ORACLE_TIMES for so many times the runs.
 */
const { PHANTOM_ORACLE_SEED: seedGiven, PHANTOM_ORACLE_TIMES: timesGiven = '1' } = process.env;

export function runs(numRuns: number, seed: number): { readonly numRuns: number; readonly seed: number } {
  return { numRuns: numRuns * Number(timesGiven), seed: seedGiven === undefined ? seed : Number(seedGiven) };
}
