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

/** Fetches up to `rowsMax` rows (0: all); `receive` writes them to the outlet. At once where nothing has to be waited for. */
export function fetchRows(
  session: LimitedSession,
  portal: DatabasePortal,
  receive: (batch: RowBatch) => void,
  rowsMax: number,
  outlet: Outlet,
  pace: Pace,
): FetchOutcome | Promise<FetchOutcome> {
  if (portal.fields.length === 0) return portal.fetch(0, receive);
  const timeoutMs = session.settings.integer('statement_timeout');
  const deadline = timeoutMs === 0 ? undefined : new Deadline(session, timeoutMs);
  const producedBefore = outlet.producedBytes;
  const first = portal.fetch(rowsMax === 0 ? FIRST_PIECE_ROWS : Math.min(FIRST_PIECE_ROWS, rowsMax), receive);
  if (!(first instanceof Promise) && isAll(first, rowsMax)) return first;
  return fetchRest({ portal, receive, rowsMax, outlet, pace, deadline }, first, producedBefore);
}

interface Fetching {
  readonly portal: DatabasePortal;
  readonly receive: (batch: RowBatch) => void;
  readonly rowsMax: number;
  readonly outlet: Outlet;
  readonly pace: Pace;
  readonly deadline: Deadline | undefined;
}

function isAll(outcome: FetchOutcome, rowsMax: number): boolean {
  return outcome.complete || (rowsMax !== 0 && outcome.rows >= rowsMax);
}

/** What follows the first piece, which may be awaited still. */
async function fetchRest(
  { portal, receive, rowsMax, outlet, pace, deadline }: Fetching,
  first: FetchOutcome | Promise<FetchOutcome>,
  producedAtFirst: number,
): Promise<FetchOutcome> {
  let producedBefore = producedAtFirst;
  let sent = 0;
  try {
    for (let piece = first; ;) {
      const outcome = await piece;
      sent += outcome.rows;
      const all = { ...outcome, rows: sent };
      if (isAll(all, rowsMax)) return all;
      const pieceRows = nextPieceRows(outcome.rows, outlet.producedBytes - producedBefore);
      const wait = outlet.relieve();
      if (wait !== undefined) await wait;
      else if (pace.due) await pace.turn();
      // The database times each fetch by itself; the client's setting is about the statement.
      deadline?.arm();
      producedBefore = outlet.producedBytes;
      piece = portal.fetch(rowsMax === 0 ? pieceRows : Math.min(pieceRows, rowsMax - sent), receive);
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
  private readonly endMs: number;
  private timer: NodeJS.Timeout | undefined;

  constructor(session: LimitedSession, timeoutMs: number) {
    this.session = session;
    this.endMs = performance.now() + timeoutMs;
  }

  arm(): void {
    if (this.timer !== undefined) return;
    const leftMs = Math.max(0, this.endMs - performance.now());
    this.timer = setTimeout(() => this.session.cancel('canceling statement due to statement timeout'), leftMs);
  }

  disarm(): void {
    clearTimeout(this.timer);
  }
}
