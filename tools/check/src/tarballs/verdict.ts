/** One thing that was tried on the packed packages, and how it ended. */

export interface Verdict {
  /** What was tried, on what: `esm @phantom/wal`. */
  readonly name: string;
  /** What went wrong; undefined when it held. */
  readonly failure: string | undefined;
}

export function verdict(name: string, failure?: string): Verdict {
  return { name, failure };
}
