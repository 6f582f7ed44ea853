/**
 * Which engines there are, by the code in a key's first byte, and which space numbers have been handed out.
 *
 * Space numbers come in blocks, and the superblock has the end of a block durably before a number of it is in any commit: an
 * opening reserves one with its epoch, the next ones are written when the one before is used up. The log would not do: with
 * less than durability `fsync` a power cut may take its end while the files of an engine stay ahead of it, and a number that is
 * given away twice shows one table the rows of another. A crash loses the rest of a block; a clean close does not.
 *
 * Earlier releases wrote the limit into the log, as a record of its own: it is read, and no longer written.
 */
import { PhantomError, SqlState, assert, corruptionError, readU32 } from '@phantom/base';
import { type EngineCode, type KeyRange, type KvEngine, SPACE_NUMBER_MAX, engineOfKey } from '@phantom/kv';
import { SPACE_BLOCK_NUMBERS } from './options.js';

const ENGINE_CODES = 16;

/** An engine in its place: `bit` is its bit in the engine mask of a write batch. */
export interface PlacedEngine {
  readonly code: EngineCode;
  readonly bit: number;
  readonly name: string;
  /** Its content ends with the store's closing: recovery gives it nothing. */
  readonly volatile: boolean;
  readonly engine: KvEngine;
  /** Where a file of the engine's own lies. */
  pathOf(file: string): string;
}

export class SpaceCatalog {
  /** In the order in which the store was given them. */
  readonly engines: readonly PlacedEngine[];
  /** Bits of all engines. */
  readonly mask: number;
  private readonly byCode: (PlacedEngine | undefined)[];
  private next: number;
  private limit: number;

  /** Numbers below `spaceLimit` may have been handed out before. */
  constructor(engines: readonly PlacedEngine[], spaceLimit: number) {
    this.engines = engines;
    this.byCode = Array.from({ length: ENGINE_CODES }, () => undefined);
    let mask = 0;
    for (const placed of engines) {
      this.byCode[placed.code] = placed;
      mask |= placed.bit;
    }
    this.mask = mask;
    this.next = spaceLimit;
    this.limit = spaceLimit;
  }

  engine(code: EngineCode): PlacedEngine | undefined {
    return this.byCode[code];
  }

  /** See KvEngine.locate, of whichever engine the file belongs to. */
  locate(file: string, offset: number | undefined): KeyRange | undefined {
    for (const { engine } of this.engines) {
      const range = engine.locate?.(file, offset);
      if (range !== undefined) return range;
    }
    return undefined;
  }

  /** The engine a whole key belongs to; 22023 when the store has none with its code. */
  engineOfKey(key: Uint8Array, start: number): PlacedEngine {
    const code = engineOfKey(key, start);
    const placed = this.byCode[code];
    if (placed === undefined) throw unknownEngineError(code);
    return placed;
  }

  /** 22023 when a batch has operations of an engine that the store does not have. */
  checkEngines(mask: number): void {
    if ((mask & ~this.mask) === 0) return;
    for (let code = 0; code < ENGINE_CODES; code++) {
      if ((mask & ~this.mask & (1 << code)) !== 0) throw unknownEngineError(code);
    }
  }

  /** Reserves a block, once the superblock has the limit that this returns. */
  reserveBlock(): number {
    this.limit = this.nextLimit();
    return this.limit;
  }

  /** First number not handed out at all: what a clean close records. */
  get spaceNext(): number {
    return this.next;
  }

  /** A number never used before. `reserve` must make the new limit durable; it throws when it cannot. */
  allocate(reserve: (limit: number) => void): number {
    if (this.next > SPACE_NUMBER_MAX) {
      throw new PhantomError(SqlState.ProgramLimitExceeded, `all ${SPACE_NUMBER_MAX + 1} space numbers have been used`);
    }
    if (this.next === this.limit) {
      const limit = this.nextLimit();
      reserve(limit);
      this.limit = limit;
    }
    return this.next++;
  }

  /** Recovery met a limit in the log. */
  replayLimit(limit: number): void {
    assert(this.next === this.limit, 'space limits are replayed before numbers are handed out');
    if (limit > this.limit) this.next = this.limit = limit;
  }

  private nextLimit(): number {
    return Math.min(this.limit + SPACE_BLOCK_NUMBERS, SPACE_NUMBER_MAX + 1);
  }
}

const SPACE_LIMIT_BYTES = 4;

export function decodeSpaceLimit(payload: Uint8Array): number {
  const limit = payload.length === SPACE_LIMIT_BYTES ? readU32(payload, 0) : Number.NaN;
  if (!(limit <= SPACE_NUMBER_MAX + 1)) throw corruptionError('a space limit record is malformed', { file: 'log' });
  return limit;
}

function unknownEngineError(code: number): PhantomError {
  return new PhantomError(
    SqlState.InvalidParameterValue,
    `a key belongs to engine ${code}, which this store was not opened with`,
    {
      data: { engineCode: code },
    },
  );
}
