/**
 * When do runs go into the pages? A pure function of what there is, so that a test can ask it anything.
 *
 * A merge reads and writes each leaf that it touches; each entry that it takes in saves its own bytes from being looked for
 * twice. So it pays once the entries are many compared with the leaves they touch, at once where keys ascend, late where
 * they are scattered over a large tree. Until then runs are merged with each other, newest first and alike in size, which
 * rewrites only them.
 *
 * Readers pay for waiting: each lookup asks the runs before the pages. Once lookups have paid as much as the merge costs, it
 * is done, whatever else speaks for waiting; then nobody has paid more than twice what the best foresight would have cost
 * (Karlin, Manasse, Rudolph and Sleator, "Competitive snoopy caching", 1988).
 *
 * Where the pages or some runs are damaged (held-merges.ts), the others are merged with each other as long as that takes, so that
 * writing goes on.
 */

export interface MergeCandidate {
  readonly bytes: number;
}

export interface MergeSituation {
  /** Newest first. */
  readonly runs: readonly MergeCandidate[];
  /** Pages of the tree that the entries of all runs would touch: see touchedPages. */
  readonly touchedPages: number;
  readonly pageBytes: number;
  readonly runsMax: number;
  /** Blocks that readers have looked into since the runs were made: see runLookups. */
  readonly lookups: number;
  /** Nothing was written for a while. */
  readonly idle: boolean;
}

export type MergeChoice =
  | { readonly kind: 'none' }
  /** All runs into the pages. */
  | { readonly kind: 'tree' }
  /** The runs [from, to) into one. */
  | { readonly kind: 'runs'; readonly from: number; readonly to: number };

/** Page bytes read and written for each byte of runs, up to which a merge costs no more later than now. */
const CHEAP = 0.5;
/** Up to which a merge pays once there are a few runs. */
const PAYS = 6;
/** Up to which it is better than merging runs with each other for ever. */
const BEARABLE = 24;
/** Lookups in blocks of runs that cost readers as much as merging a page costs. */
const LOOKUPS_PER_PAGE = 25;
/** Questions that a filter answers, for each lookup in a block that costs as much. */
const MISSES_PER_LOOKUP = 16;

/** What to do next. */
export function chooseMerge(situation: MergeSituation): MergeChoice {
  const { runs, runsMax, touchedPages, idle } = situation;
  if (runs.length === 0) return { kind: 'none' };
  if (idle || isPaidFor(situation)) return { kind: 'tree' };
  const cost = treeMergeCost(situation);
  // An empty tree waits: what comes next may be scattered over all of it.
  if (touchedPages > 0 && cost <= CHEAP) return { kind: 'tree' };
  if (runs.length * 2 >= runsMax && cost <= PAYS) return { kind: 'tree' };
  if (runs.length < runsMax) return { kind: 'none' };
  const alike = runsAlike(runs);
  // Merging runs with each other stops paying when one of them is nearly everything.
  if (cost <= BEARABLE || alike < 2) return { kind: 'tree' };
  return { kind: 'runs', from: 0, to: alike };
}

/**
 * What to do next while nothing may go into the pages: the newest runs side by side that are alike enough, or the two that cost least.
 * Held runs stay where they are.
 */
export function chooseAround(
  runs: readonly (MergeCandidate & { readonly isHeld: boolean })[],
  runsMax: number,
): MergeChoice {
  if (runs.length < runsMax) return { kind: 'none' };
  let choice: MergeChoice = { kind: 'none' };
  let least = Number.POSITIVE_INFINITY;
  for (let from = 0; from + 1 < runs.length; from++) {
    const [run, next] = runs.slice(from, from + 2) as [(typeof runs)[number], (typeof runs)[number]];
    if (run.isHeld || next.isHeld) continue;
    const wall = runs.findIndex((other, at) => at > from && other.isHeld);
    const alike = runsAlike(runs.slice(from, wall === -1 ? undefined : wall));
    if (alike > 1) return { kind: 'runs', from, to: from + alike };
    if (run.bytes + next.bytes >= least) continue;
    least = run.bytes + next.bytes;
    choice = { kind: 'runs', from, to: from + 2 };
  }
  return choice;
}

/** Bytes of pages read and written for each byte of runs, if all runs were merged into the pages now. */
export function treeMergeCost(situation: MergeSituation): number {
  const bytes = bytesOf(situation.runs);
  return bytes === 0 ? 0 : (2 * situation.touchedPages * situation.pageBytes) / bytes;
}

/** What readers have paid for runs, in lookups in blocks. */
export function runLookups(counters: { filterMisses: number; blockHits: number; blocksRead: number }): number {
  return counters.blockHits + counters.blocksRead + counters.filterMisses / MISSES_PER_LOOKUP;
}

/** Whether lookups have cost as much by now as it costs to merge everything: the pages there are, and the new ones. */
function isPaidFor({ runs, touchedPages, pageBytes, lookups }: MergeSituation): boolean {
  return lookups >= LOOKUPS_PER_PAGE * (touchedPages + bytesOf(runs) / pageBytes);
}

function bytesOf(runs: readonly MergeCandidate[]): number {
  let bytes = 0;
  for (const run of runs) bytes += run.bytes;
  return bytes;
}

/** How many of so many pages so many entries touch when they are spread evenly over them. */
export function touchedPages(pages: number, entries: number): number {
  return pages === 0 ? 0 : pages * (1 - Math.exp(-entries / pages));
}

/** How many of the newest runs are alike enough in size to be merged: each at most twice what lies above it. */
function runsAlike(runs: readonly MergeCandidate[]): number {
  let bytes = (runs[0] as MergeCandidate).bytes;
  let count = 1;
  for (; count < runs.length; count++) {
    const next = (runs[count] as MergeCandidate).bytes;
    if (next > bytes * 2) break;
    bytes += next;
  }
  return count;
}
