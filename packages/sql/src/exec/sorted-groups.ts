/**
 * The groups at hand of an aggregation whose rows come with equal keys one after another: only the last of them is open, so
 * those before it are final. When a good number of them stands here, or they fill the memory, the results go on and the states
 * begin anew: grouping takes the memory of so many groups, however many there are, and no hash table.
 *
 *   rows    a a a b c c c d ..
 *   states  [a b c]   d waits -> results of a, b and c go on -> [d ..]
 */
import { MemoryShare } from '@phantom/base';
import type { Run } from './run.js';
import type { Sink } from './pipelines.js';
import type { Work } from './program.js';

/** Groups whose results go on together: few at first, for a LIMIT that is soon content, then more. */
const FIRST_GROUPS_MAX = 64;
const GROUPS_MAX = 4096;

export class SortedGroups implements Sink {
  /** Groups that have begun; generated code raises it. */
  count = 0;
  /** Groups after which the next one waits. */
  limit = FIRST_GROUPS_MAX;
  /** The step has met a row of the group after the last one and has returned; generated code sets it. */
  waits = false;
  /** The parts of the last group's key; generated code sets them. */
  readonly last: unknown[] = [];
  /** What keys and states take. */
  readonly memory: MemoryShare;
  private usual = FIRST_GROUPS_MAX;
  private readonly results: () => Work<boolean>;

  /** `results` hands on the groups at hand and makes their states anew; it answers false when nobody wants more. */
  constructor(run: Run, results: () => Work<boolean>) {
    this.memory = new MemoryShare(run.memory);
    this.results = results;
  }

  /** After a new group: no more of them when they have taken half of what is left. */
  grew(): void {
    const { memory } = this;
    if (memory.usedBytes > memory.leftBytes) this.limit = this.count;
  }

  isFull(): boolean {
    return this.waits;
  }

  *flush(): Work<boolean> {
    if (this.count === 0) return true;
    const wantsMore = yield* this.results();
    this.count = 0;
    this.usual = Math.min(this.usual * 4, GROUPS_MAX);
    this.limit = this.usual;
    this.waits = false;
    return wantsMore;
  }
}
