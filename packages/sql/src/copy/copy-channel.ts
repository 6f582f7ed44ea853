/**
 * The client's end of COPY ... FROM STDIN and TO STDOUT: what a session reads its bytes from and writes them to. A server
 * gives its sessions one that speaks the protocol's COPY messages; whoever embeds the database may give one of its own. A
 * session without a channel refuses such statements.
 *
 * In:   startIn, then `advance` and `piece` until the piece is undefined
 * Out:  startOut, then `write` once for each row with `relieve` now and then, then endOut
 */
import type { TypeContext, TypeLookup } from '../types/type.js';
import type { CopyColumn, RowReader } from './copy-rows.js';

export interface CopyChannel {
  /** Its bytes are in the session's client_encoding; else they are UTF-8, where COPY does not say otherwise. */
  readonly followsClientEncoding?: boolean;
  /** Data is awaited from now on. `columns` is the number of values in a row. */
  startIn(isBinary: boolean, columns: number): void;
  /** Moves on to the next piece. A promise: there is none yet; `piece` is set when it resolves. Fails with 57014 when the client gives up. */
  advance(): Promise<void> | undefined;
  /** The piece at hand, borrowed until the next `advance`; undefined at the end of the data. */
  readonly piece: Uint8Array | undefined;
  /** What reads the rows of a client that gives values and no bytes; its pieces only tell that there are more. */
  reader?(table: string, columns: readonly CopyColumn[], types: TypeLookup, context: TypeContext): RowReader;
  startOut(isBinary: boolean, columns: number): void;
  /** One row, or a header or trailer; bytes are borrowed during the call. */
  write(data: string | Uint8Array): void;
  /** A promise while the client does not keep up: write no more before it resolves. */
  relieve(): Promise<void> | undefined;
  endOut(): void;
}
