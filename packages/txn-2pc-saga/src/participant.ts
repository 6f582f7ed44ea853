/**
 * A participant of a two-phase commit: a database that can promise to commit, and keep the promise over a crash. What lies between
 * it and here (a socket, a thread, nothing) is its own affair.
 *
 *   Branch        the work of one transaction at one participant, from its beginning to its vote
 *   Participant   what knows prepared work by its name afterwards, on any connection, after any restart
 */

/** `prepared`: it can commit and can no longer lose. `read-only`: it has written nothing and has ended already. */
export type Vote = 'prepared' | 'read-only';

/** `absent`: nothing of that name is prepared there (any more): it was ended before, or was never prepared. */
export type Ending = 'ended' | 'absent';

export interface Participant {
  /** Decisions are kept under it, so it is the same after a restart: 1 to 64 of `A-Z a-z 0-9 _ -`. */
  readonly name: string;
  /** Commits what is prepared under `gid`, durable on return. Rejects when that is not known to have happened; asked again then. */
  commit(gid: string): Promise<Ending>;
  /** As commit, without its effects. */
  rollback(gid: string): Promise<Ending>;
  /** What is prepared there and not ended, of whomever. */
  inDoubt(): Promise<readonly string[]>;
}

export interface Branch {
  /** Name of the participant, which is registered with the coordinator. */
  readonly participant: string;
  /** Asks for the vote, durable on return. A rejection says no, and leaves open whether something is prepared under `gid`. */
  prepare(gid: string): Promise<Vote>;
  /** Ends work whose vote was never asked for. */
  abandon(): Promise<void>;
}
