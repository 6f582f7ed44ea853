/**
 * Repair: what can be read of a damaged database becomes a database of its own, in another directory. The damaged one is only read, so
 * that nothing is made worse and everything can be tried again.
 *
 *   1 salvage      every piece whose checksum holds, or holds again with one bit turned back; the newest of each key
 *   2 survey       what is lost, by tables and keys; rows that are lost but that indexes name
 *   3 copy         everything that belongs to somebody; of indexes that may lack something, the definition alone
 *   4 rebuild      these indexes from their tables
 *   5 keep         entries whose owner is lost with the catalog, as bytes in `lost_and_found`
 *   6 check        the result
 *
 * Where a newer version of a row was lost, the older one stands in the table, and the report says in which range of keys: a row of
 * yesterday is worth more than none, and whoever repairs has to know. Where such rows stand under one key of a unique index, the index
 * stays unfinished, which the report says: no plan reads it, and REINDEX finishes it once the rows are put right.
 *
 * Left out: taking what is lost from a backup. The report names keys and tables, by which they can be fetched from one.
 */
import { PhantomError, checkOptions, isPhantomError, optionNames } from '@phantom/base';
import { btree } from '@phantom/btree';
import { CatalogKeys, KeyKind, largeObjectSpace } from '@phantom/catalog';
import { EngineCode, type SalvagedRow, type SpaceId, isLostRange, spaceOfKey } from '@phantom/kv';
import { lsm } from '@phantom/lsm';
import { SharedMemory } from '@phantom/runs';
import type { StoredSpace } from '@phantom/sql';
import { type SalvagedStore, copySalvaged, salvageStore } from '@phantom/store';
import { type Vfs, createNodeVfs } from '@phantom/vfs';
import type { Database } from '../database.js';
import { openOn } from '../open.js';
import type { LostRow, LostRows, RebuiltIndex, RepairReport, UnfinishedIndex } from './report.js';
import { type LostPart, Survey, contains, isSized, isSystem, keyName } from './survey.js';

const MIB = 1024 * 1024;
const CACHE_BYTES = 8 * MIB;
const DELTA_BYTES_MAX = 8 * MIB;
/** So many lost rows are named one by one. */
const LOST_ROWS_MAX = 10_000;
/** Rows of `lost_and_found` in a transaction. */
const KEPT_ROWS_PER_COMMIT = 1000;
const LOST_AND_FOUND = 'lost_and_found';

export interface RepairOptions {
  /** Where the repaired database is to lie: empty, or not there. Required unless `dryRun`. */
  readonly to?: string;
  /** Look and report, and write nothing. */
  readonly dryRun?: boolean;
  /** Take whole commits of the log behind its first damage, too, though what they were built on may be missing. */
  readonly logPastDamage?: boolean;
}

const REPAIR_OPTIONS = optionNames<RepairOptions>({ to: true, dryRun: true, logPastDamage: true });

/**
 * Repairs the database in a directory that nobody has open, into `to`; durable and checked once resolved. Nothing is written when
 * nothing is wrong. 58P01 where there is no database, 55006 where somebody has it, 0A000 where a newer release wrote it, 22023 for
 * options and a `to` that is taken, 53100 and 58030 from the disk. Damage is no error: it is in the report.
 */
export async function repair(directory: string, options: RepairOptions = {}): Promise<RepairReport> {
  return repairOn(createNodeVfs(), directory, options);
}

/** As repair, on a disk of the caller's. */
export async function repairOn(vfs: Vfs, directory: string, options: RepairOptions): Promise<RepairReport> {
  checkOptions('repair', options, REPAIR_OPTIONS);
  const { to, dryRun = false, logPastDamage = false } = options;
  if (to === undefined && !dryRun) {
    throw new PhantomError('22023', 'a repair needs a directory for what it saves', { hint: 'Name one with "to".' });
  }
  const memory = new SharedMemory({ cacheBytes: CACHE_BYTES, deltaBytesMax: DELTA_BYTES_MAX });
  const engines = [btree({ memory }), lsm({ memory })];
  const salvaged = await salvageStore(directory, { vfs, engines, pastDamage: logPastDamage });
  try {
    const survey = new Survey(salvaged);
    const report = reportOf(directory, salvaged, survey);
    if (to === undefined || dryRun || report.isWhole) return report;
    return await new Repair(vfs, salvaged, survey, report, to, engines).run();
  } finally {
    await salvaged.close();
  }
}

/** What is known before anything is written. */
function reportOf(directory: string, salvaged: SalvagedStore, survey: Survey): RepairReport {
  const lost = survey.lost.map((part) => lostRows(part, survey));
  const tables = [...survey.names.all()]
    .filter(([, { index, table }]) => index === undefined && table.partitioned === undefined)
    .map(([space, { database, schema, table }]) => {
      const { rows, older } = survey.spaces.get(space) ?? { rows: 0, older: 0 };
      return { database, schema, table: table.name, rows, older };
    });
  const found = lostRowsNamed(salvaged, survey);
  // An index is made again whole; an entry of it is no loss.
  const isLossless = survey.lost.every(({ space }) => survey.names.space(space)?.index !== undefined);
  return {
    directory,
    isWhole: salvaged.findings.length === 0,
    isLossless: isLossless && salvaged.isLogWhole,
    findings: salvaged.findings,
    lost,
    lostRows: found,
    tables,
    rebuilt: [],
    unfinished: [],
    lostAndFound: 0,
    commitsPastDamage: salvaged.log.recordsPast,
    remaining: [],
  };
}

function lostRows({ space, range, lower, upper, older }: LostPart, survey: Survey): LostRows {
  const owner = survey.names.space(space);
  const isWhole = lower.length <= 4;
  return {
    database: owner?.database ?? '',
    schema: owner?.schema ?? 'pg_catalog',
    table: owner?.table.name ?? (space === largeObjectSpace(EngineCode.Btree) ? 'pg_largeobject' : 'catalog'),
    ...(owner?.index === undefined ? {} : { index: owner.index.name }),
    from: isWhole ? 'the beginning' : survey.names.keyText(lower),
    ...(upper === undefined || spaceOfKey(upper, 0) !== space ? {} : { to: survey.names.keyText(upper) }),
    ...(range.entries === undefined ? {} : { rows: range.entries }),
    older,
    file: range.file,
    ...(range.offset === undefined ? {} : { offset: range.offset }),
  };
}

/** Rows that lie in lost ranges of known size, were not found there, and that entries of indexes point to. */
function lostRowsNamed(salvaged: SalvagedStore, survey: Survey): LostRow[] {
  const parts = survey.lost.filter(
    ({ space, range }) => isSized(range) && survey.names.space(space)?.index === undefined,
  );
  const named = new Map<string, LostRow>();
  if (parts.length === 0) return [];
  for (const row of salvaged.rows()) {
    if (isLostRange(row) || named.size >= LOST_ROWS_MAX) continue;
    const key = survey.names.rowOfEntry(row.key, row.value);
    if (key === undefined || survey.found.has(keyName(key)) || !parts.some((part) => contains(part, key))) continue;
    const { database, schema, table } = survey.names.space(spaceOfKey(key, 0)) as StoredSpace;
    named.set(keyName(key), { database, schema, table: table.name, key: survey.names.keyText(key) });
  }
  return [...named.values()];
}

class Repair {
  private readonly vfs: Vfs;
  private readonly salvaged: SalvagedStore;
  private readonly survey: Survey;
  private readonly report: RepairReport;
  private readonly to: string;
  private readonly engines: Parameters<typeof copySalvaged>[2]['engines'];
  /** Indexes to be made again, by their spaces. */
  private readonly broken: ReadonlyMap<SpaceId, StoredSpace>;
  private readonly isCatalogUsable: boolean;
  private readonly objectPrefix = new CatalogKeys(EngineCode.Btree).kind(KeyKind.Object);

  constructor(
    vfs: Vfs,
    salvaged: SalvagedStore,
    survey: Survey,
    report: RepairReport,
    to: string,
    engines: Parameters<typeof copySalvaged>[2]['engines'],
  ) {
    this.vfs = vfs;
    this.salvaged = salvaged;
    this.survey = survey;
    this.report = report;
    this.to = to;
    this.engines = engines;
    this.isCatalogUsable = survey.isCatalogUsable;
    this.broken = new Map(
      [...survey.names.all()].filter(
        ([space, { table, index }]) =>
          index !== undefined && (survey.isDamaged(space) || survey.isDamaged(table.space)),
      ),
    );
  }

  async run(): Promise<RepairReport> {
    const { vfs, to, engines } = this;
    await copySalvaged(this.salvaged, to, { vfs, engines, take: (row) => this.take(row) });
    const rebuilt: RebuiltIndex[] = [];
    const unfinished: UnfinishedIndex[] = [];
    for (const [database, spaces] of byDatabase(this.broken)) {
      const db = await openOn(vfs, to, { database });
      try {
        for (const { schema, index } of spaces) {
          const name = (index as NonNullable<StoredSpace['index']>).name;
          try {
            await db.query(`reindex index ${quoted(schema)}.${quoted(name)}`);
            rebuilt.push({ database, schema, index: name });
          } catch (error) {
            if (!isPhantomError(error) || error.code !== '23505') throw error;
            const { message, detail } = error;
            unfinished.push({ database, schema, index: name, reason: detail ?? message });
          }
        }
      } finally {
        await db.close();
      }
    }
    const db = await openOn(vfs, to);
    try {
      const lostAndFound = await this.keepUnknown(db);
      const remaining = (await db.check()).filter(({ severity }) => severity !== 'note');
      return { ...this.report, to, rebuilt, unfinished, lostAndFound, remaining };
    } finally {
      await db.close();
    }
  }

  /** What of an entry goes into the copy. */
  private take({ key, value }: SalvagedRow): Uint8Array | undefined {
    const space = spaceOfKey(key, 0);
    if (!this.isCatalogUsable || this.broken.has(space) || this.survey.isUnknown(space)) return undefined;
    return this.isObject(key) ? this.withoutEntries(value) : value;
  }

  private isObject(key: Uint8Array): boolean {
    return this.objectPrefix.every((byte, i) => key[i] === byte);
  }

  /** The descriptor of an index that is to be made again says so until it is: no plan reads it. */
  private withoutEntries(value: Uint8Array): Uint8Array {
    const object = JSON.parse(new TextDecoder().decode(value)) as { kind?: unknown; space?: unknown };
    if (object.kind !== 'index' || typeof object.space !== 'number' || !this.broken.has(object.space)) return value;
    return new TextEncoder().encode(JSON.stringify({ ...object, state: 'building' }));
  }

  /** Writes entries that nobody owns any more into a table; gives their number. */
  private async keepUnknown(db: Database): Promise<number> {
    const { survey } = this;
    const isKept = (space: SpaceId): boolean => (this.isCatalogUsable ? survey.isUnknown(space) : !isSystem(space));
    if (![...survey.spaces.keys()].some(isKept)) return 0;
    await db.query(`create table ${LOST_AND_FOUND} (space bigint not null, key bytea not null, value bytea not null)`);
    let kept = 0;
    let rows: (readonly [number, Uint8Array, Uint8Array])[] = [];
    const write = async (): Promise<void> => {
      kept += rows.length;
      await db.copyInto(LOST_AND_FOUND, rows);
      rows = [];
    };
    for (const row of this.salvaged.rows()) {
      if (isLostRange(row) || !isKept(spaceOfKey(row.key, 0))) continue;
      rows.push([spaceOfKey(row.key, 0), row.key.slice(4), row.value]);
      if (rows.length === KEPT_ROWS_PER_COMMIT) await write();
    }
    await write();
    return kept;
  }
}

function byDatabase(spaces: ReadonlyMap<SpaceId, StoredSpace>): Map<string, StoredSpace[]> {
  const found = new Map<string, StoredSpace[]>();
  for (const space of spaces.values()) {
    // The rows of a partitioned table lie in its partitions, which have indexes of their own.
    if (space.table.partitioned !== undefined) continue;
    const own = found.get(space.database);
    if (own === undefined) found.set(space.database, [space]);
    else own.push(space);
  }
  return found;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
