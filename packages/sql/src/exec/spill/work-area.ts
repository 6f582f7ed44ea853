/**
 * How much of a query's memory an operator fills before it writes to files: as much as its session says (work_mem), and twice as much
 * each time it has written some pieces of a size. A small area bounds what small statements hold; a large sort has few runs all the
 * same, and grouping reads what waits only so many times:
 *
 *   pieces a size 2    64 kB, 64 kB, 128 kB, 128 kB, 256 kB, ..   up to what the query may have (MemoryBudget)
 *
 * Runs of one size would be as many as the rows ask for, each an open file; passes of one size would read the rest so many times.
 */
export class WorkArea {
  /** Bytes that the operator may hold until it writes the next time. */
  bytesMax: number;
  private readonly piecesMax: number;
  private pieces = 0;

  /** `piecesMax`: how many pieces of a size are written before the next ones may be twice as large. */
  constructor(bytesMax: number, piecesMax: number) {
    this.bytesMax = bytesMax;
    this.piecesMax = piecesMax;
  }

  /** A piece has been written. */
  wrote(): void {
    this.pieces++;
    if (this.pieces < this.piecesMax) return;
    this.pieces = 0;
    this.bytesMax *= 2;
  }
}
