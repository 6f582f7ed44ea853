/**
 * One number is commit sequence and snapshot timestamp: a safe integer, 1 for the first commit of a store, 0 for "before
 * everything". A view at seq s shows exactly the commits with seq <= s.
 */
export type Seq = number;

/** The sequence before the first commit. */
export const SEQ_NONE: Seq = 0;
