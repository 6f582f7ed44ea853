/** Where `phantomd sql` sends statements: a database opened in this process, or a server. Both answer in text. */

export interface ResultField {
  readonly name: string;
  readonly typeOid: number;
}

/** What one statement answered. */
export interface StatementResult {
  readonly fields: readonly ResultField[];
  /** Values as text, null for NULL; empty when the statement returns no rows. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** The command tag, e.g. `SELECT 2`; '' for an empty statement. */
  readonly tag: string;
}

/** The caller's ends of COPY FROM STDIN and TO STDOUT; without one such a statement fails, or its rows are dropped. */
export interface CopyEnds {
  /** Read once, a piece whenever there is room for it. */
  readonly input?: Iterable<Uint8Array>;
  /** Takes rows as they come, borrowed during the call; a promise holds up the statement. */
  readonly output?: (data: Uint8Array) => Promise<void> | undefined;
}

/** What COPY FROM STDIN is told where nobody sends anything. */
export const NO_DATA = 'there is no data for it; \\copy takes a file, "phantomd import" a script with its data';

export interface SqlTarget {
  readonly database: string;
  /** `*` inside a transaction, `!` in a failed one, '' otherwise. */
  readonly status: string;
  /** Runs a text of one or more statements, in one transaction unless it says otherwise; each result as it comes. */
  run(text: string, receive: (result: StatementResult) => void, copy?: CopyEnds): Promise<void>;
  /** Goes over to another database of the same server or directory. On an error the old one stays. */
  connect(database: string): Promise<void>;
  /** Stops what runs now. */
  cancel(): void;
  close(): Promise<void>;
}

/** What the database says beside its answers. */
export type NoticeReceiver = (severity: string, message: string) => void;
