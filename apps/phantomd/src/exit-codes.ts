/** What the process says by its exit code. */
export const ExitCode = {
  Done: 0,
  /** Wrong arguments. */
  Usage: 1,
  /** The command did not succeed. */
  Failed: 2,
  /** Stored bytes are not what was written. */
  Corruption: 3,
  /** The directory is in use, unreadable, of a newer format, or no database. */
  CannotOpen: 4,
} as const;

export type ExitCode = (typeof ExitCode)[keyof typeof ExitCode];
