/**
 * Where the columns of the current row are, while code is being written for it. A column is decoded at its first use and
 * kept in a local for as long as the block of that use is open: late materialization by construction.
 */
import type { ColumnId } from '../../expr/expression.js';
import type { Block, Emitter } from '../code/emitter.js';
import { binary, literal, type Code, type Local } from '../code/ir.js';

/** A value in generated code: an atom, and whether it may be null. */
export interface Operand {
  readonly code: Code;
  readonly nullable: boolean;
}

/** A text column where it stands in the row: whether it is null (undefined: never), and the first arguments of isTextAmong. */
export interface TextBytes {
  readonly isNull: Code | undefined;
  readonly bytes: readonly Code[];
}

/** A decimal as a number and its scale, which is the same for all rows of a call; NaN where it is none, or none with that scale. */
export interface Scaled {
  readonly unscaled: Code;
  readonly scale: Code;
}

/**
 * One column of the row. `produce` writes what gets its value; called again where the first result is out of sight. With a
 * `home`, the block in which the row is at hand, a value that loops within it ask for is read in their first turn that does.
 */
export class ColumnSource {
  readonly nullable: boolean;
  /** Set for text that may be tested without being decoded. */
  readonly text: TextBytes | undefined;
  /** Set for decimals that are at hand as numbers. */
  readonly scaled: ((emitter: Emitter) => Scaled) | undefined;
  private readonly produce: (emitter: Emitter) => Code;
  private readonly home: Block | undefined;
  private known: { readonly code: Code; readonly block: Block; readonly emitter: Emitter } | undefined;
  /** The value as the turns of loops keep it, undefined until one of them has read it; and the block around the loops. */
  private kept: { readonly local: Local; readonly block: Block } | undefined;

  constructor(
    nullable: boolean,
    produce: (emitter: Emitter) => Code,
    text?: TextBytes,
    scaled?: (emitter: Emitter) => Scaled,
    home?: Block,
  ) {
    this.home = home;
    this.nullable = nullable;
    this.produce = produce;
    this.text = text;
    this.scaled = scaled;
  }

  /** True where the value has been decoded already. */
  isKnown(emitter: Emitter): boolean {
    return this.known !== undefined && this.known.emitter === emitter && this.known.block.open;
  }

  get(emitter: Emitter): Operand {
    const { known } = this;
    if (known !== undefined && this.isKnown(emitter)) return { code: known.code, nullable: this.nullable };
    const around = this.home === undefined ? undefined : emitter.aroundLoops(this.home);
    const code = around === undefined ? emitter.atom(this.produce(emitter)) : this.keep(emitter, around);
    this.known = { code, block: emitter.block, emitter };
    return { code, nullable: this.nullable };
  }

  private keep(emitter: Emitter, around: Block): Local {
    if (this.kept?.block !== around) this.kept = { local: emitter.letIn(around), block: around };
    const { local } = this.kept;
    emitter.if(binary('===', local, literal(undefined)), () => emitter.assign(local, this.produce(emitter)));
    return local;
  }
}

/** The columns at hand. */
export class Row {
  private readonly sources = new Map<ColumnId, ColumnSource>();

  /** A row with the columns of several. */
  static of(...rows: readonly Row[]): Row {
    const all = new Row();
    for (const row of rows) for (const [column, source] of row.sources) all.sources.set(column, source);
    return all;
  }

  set(column: ColumnId, source: ColumnSource): void {
    this.sources.set(column, source);
  }

  get(column: ColumnId): ColumnSource | undefined {
    return this.sources.get(column);
  }

  /** The same columns, each of which may be null: the far side of an outer join. */
  columns(): IterableIterator<ColumnId> {
    return this.sources.keys();
  }
}
