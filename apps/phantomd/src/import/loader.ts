/**
 * Loads records by COPY, batch by batch. With `abort` all batches are one transaction, and the first bad record ends it; with
 * `skip` each batch is one, and a batch that fails is halved until its bad records stand alone:
 *
 *   1000 fail -> 500 good, 500 fail -> ... -> 1 fails: skipped, and told of
 *
 * A record is bad by its values or by what constraints say of them; a right that is missing or a full disk ends every import.
 */
import { errorFacts } from '../failure.js';
import type { SqlTarget } from '../sql/target.js';
import type { ImportRecord } from './records.js';

const BATCH_CHARACTERS = 256 * 1024;
const BATCH_RECORDS_MAX = 10_000;

export interface BadRecord {
  readonly line: number;
  readonly code: string | undefined;
  readonly message: string;
  readonly text: string;
}

/** A record that could not be loaded, where that ends the import. */
export class RecordError extends Error {
  readonly code: string | undefined;

  /** `source` is what the lines are of, where that is not the file. */
  constructor(line: number | undefined, cause: unknown, source?: string) {
    const { message, code } = errorFacts(cause);
    const where = [source, line === undefined ? undefined : `line ${line}`].filter((part) => part !== undefined);
    super([where.join(', '), message].filter((part) => part !== '').join(': '), { cause });
    this.name = 'RecordError';
    this.code = code;
  }
}

export interface LoaderOptions {
  readonly onError: 'abort' | 'skip';
  /** What the records are of, where that is not the file: it is told with what is wrong with them. */
  readonly source?: string;
  /** Hears of records that are left out. */
  readonly onBad: (record: BadRecord) => void;
  /** Hears of rows as they are loaded. */
  readonly onRows: (count: number) => void;
}

type Convert = (text: string) => string;

const asItIs: Convert = (text) => text;

interface Line {
  readonly record: ImportRecord;
  readonly data: string;
}

export class Loader {
  private readonly target: SqlTarget;
  private readonly options: LoaderOptions;

  constructor(target: SqlTarget, options: LoaderOptions) {
    this.target = target;
    this.options = options;
  }

  /**
   * Loads all records by the COPY ... FROM STDIN given; `convert` makes a line of COPY's data of a record, and throws for one
   * that is none. With `abort` nothing is left behind when it rejects.
   */
  async load(copy: string, records: AsyncIterable<ImportRecord>, convert: Convert = asItIs): Promise<void> {
    const { target, options } = this;
    // In a transaction of the caller's this one is part of it.
    const isOurs = options.onError === 'abort' && target.status === '';
    if (isOurs) await target.run('begin', () => undefined);
    try {
      await this.loadAll(copy, records, convert);
      if (isOurs) await target.run('commit', () => undefined);
    } catch (error) {
      if (isOurs) await target.run('rollback', () => undefined).catch(() => undefined);
      throw error;
    }
  }

  private async loadAll(copy: string, records: AsyncIterable<ImportRecord>, convert: Convert): Promise<void> {
    let batch: Line[] = [];
    let characters = 0;
    for await (const record of records) {
      let data: string;
      try {
        data = convert(record.text);
      } catch (error) {
        this.refuse(record, error);
        continue;
      }
      batch.push({ record, data });
      characters += data.length;
      if (characters < BATCH_CHARACTERS && batch.length < BATCH_RECORDS_MAX) continue;
      await this.loadBatch(copy, batch);
      batch = [];
      characters = 0;
    }
    if (batch.length > 0) await this.loadBatch(copy, batch);
  }

  private async loadBatch(copy: string, batch: readonly Line[]): Promise<void> {
    const input = [Buffer.from(`${batch.map(({ data }) => data).join('\n')}\n`)];
    let rows = 0;
    try {
      await this.target.run(copy, ({ tag }) => (rows = Number(tag.split(' ').at(-1))), { input });
    } catch (error) {
      if (this.options.onError === 'abort' || !isOfRecord(error))
        throw new RecordError(lineOf(error, batch), error, this.options.source);
      const [first] = batch;
      if (batch.length === 1 && first !== undefined) {
        this.refuse(first.record, error);
        return;
      }
      const middle = batch.length >> 1;
      await this.loadBatch(copy, batch.slice(0, middle));
      await this.loadBatch(copy, batch.slice(middle));
      return;
    }
    this.options.onRows(rows);
  }

  private refuse({ line, text }: ImportRecord, error: unknown): void {
    const { onError, source, onBad } = this.options;
    if (onError === 'abort') throw new RecordError(line, error, source);
    const { message, code } = errorFacts(error);
    onBad({ line, code, message: source === undefined ? message : `${source}: ${message}`, text });
  }
}

/** True for values and constraints; what else goes wrong would go wrong with every record. */
function isOfRecord(error: unknown): boolean {
  return /^2[23]/.test(errorFacts(error).code ?? '');
}

/** The line of the file: the database counts those of the batch in the error's context ("COPY t, line 3"). */
function lineOf(error: unknown, batch: readonly Line[]): number | undefined {
  const where = error instanceof Error && 'where' in error ? String(error.where) : '';
  const inBatch = /^COPY .*, line (\d+)/.exec(where)?.[1];
  if (inBatch === undefined) return undefined;
  // A record of several lines counts as many, so the record is found by adding them up.
  let left = Number(inBatch);
  for (const { record, data } of batch) {
    left -= data.split('\n').length;
    if (left <= 0) return record.line;
  }
  return undefined;
}
