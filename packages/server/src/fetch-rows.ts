/**
 * Moves the rows of a portal to the client, piece by piece, so that a client that does not read holds up the query and not
 * the process's memory: after each piece the output is sent, and the next one waits until the socket takes more. Pieces are
 * as many rows as fill about PIECE_BYTES, learned from the rows that went before.
 */
import type { FetchOutcome, RowBatch } from '@phantom/db/session';
import type { Pace } from './pace.js';
import type { DatabasePortal, DatabaseSession } from './pg/database-session.js';

/** Rows of the first piece, when nothing is known of their length. */
const FIRST_PIECE_ROWS = 128;
const PIECE_BYTES = 256 * 1024;
const PIECE_ROWS_MAX = 16 * 1024;

/** Where rows leave the process. */
export interface Outlet {
  /** Bytes handed in so far. */
  readonly producedBytes: number;
  /** Sends what there is; a promise when the next rows have to wait for the client. */
  relieve(): Promise<void> | undefined;
}

/** What limits of time need of a session. */
type LimitedSession = Pick<DatabaseSession, 'settings' | 'cancel'>;

/** Fetches up to `rowsMax` rows (0: all); `receive` writes them to the outlet. */
export async function fetchRows(
  session: LimitedSession,
  portal: DatabasePortal,
  receive: (batch: RowBatch) => void,
  rowsMax: number,
  outlet: Outlet,
  pace: Pace,
): Promise<FetchOutcome> {
  if (portal.fields.length === 0) return portal.fetch(0, receive);
  let pieceRows = FIRST_PIECE_ROWS;
  let sent = 0;
  let deadline: Deadline | undefined;
  try {
    for (;;) {
      const wanted = rowsMax === 0 ? pieceRows : Math.min(pieceRows, rowsMax - sent);
      const producedBefore = outlet.producedBytes;
      deadline ??= new Deadline(session);
      const outcome = await portal.fetch(wanted, receive);
      sent += outcome.rows;
      if (outcome.complete || (rowsMax !== 0 && sent >= rowsMax)) return { ...outcome, rows: sent };
      pieceRows = nextPieceRows(outcome.rows, outlet.producedBytes - producedBefore);
      const wait = outlet.relieve();
      if (wait !== undefined) await wait;
      else if (pace.due) await pace.turn();
      // The database times each fetch by itself; the client's setting is about the statement.
      deadline.arm();
    }
  } finally {
    deadline?.disarm();
  }
}

function nextPieceRows(rows: number, bytes: number): number {
  if (rows === 0) return FIRST_PIECE_ROWS;
  const rowBytes = Math.max(1, bytes / rows);
  return Math.max(1, Math.min(PIECE_ROWS_MAX, Math.floor(PIECE_BYTES / rowBytes)));
}

/** statement_timeout over all pieces of a statement. */
class Deadline {
  private readonly session: LimitedSession;
  private readonly startMs: number;
  private readonly timeoutMs: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(session: LimitedSession) {
    this.session = session;
    this.timeoutMs = session.settings.integer('statement_timeout');
    this.startMs = this.timeoutMs === 0 ? 0 : performance.now();
  }

  arm(): void {
    if (this.timeoutMs === 0 || this.timer !== undefined) return;
    const leftMs = Math.max(0, this.startMs + this.timeoutMs - performance.now());
    this.timer = setTimeout(() => this.session.cancel('canceling statement due to statement timeout'), leftMs);
  }

  disarm(): void {
    clearTimeout(this.timer);
  }
}
