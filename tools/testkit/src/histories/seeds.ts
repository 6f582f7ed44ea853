/**
 * How many seeds a test of random histories tries: a few in `npm test`; as many as fit into its share of the time where
 * `npm run histories -- --minutes N [--seed S]` runs the same test for long. A test that fails names its seed.
 */

/** What tools/run.mjs hands over. */
const MINUTES = Number(process.env['PHANTOM_HISTORIES_MINUTES'] ?? 0);
const FIRST_SEED = Number(process.env['PHANTOM_HISTORIES_SEED'] ?? 1);

/** True in `npm run histories`. */
export const runsForLong = MINUTES > 0;

/** For the timeout of each test. */
export const HISTORIES_TIMEOUT_MS = 120_000 + MINUTES * 60_000;

/** Seeds from the first on: `few` of them, or until one of `tests` equal shares of the time is over. */
export function* seedsToTry(few: number, tests: number): Generator<number> {
  const endMs = performance.now() + (MINUTES * 60_000) / tests;
  for (let seed = FIRST_SEED; runsForLong ? performance.now() < endMs : seed < FIRST_SEED + few; seed++) yield seed;
}
