/**
 * One look over everything that was salvaged: which objects there are, how many rows each space has, what is lost of it. Nothing is
 * kept of the rows but their number, and the keys of those that were found inside of lost ranges.
 */
import { compareKeys, readU32BE } from '@phantom/base';
import { CatalogKeys, KeyKind, type ObjectDescriptor, type Oid, decodeObject } from '@phantom/catalog';
import {
  EngineCode,
  type KeyRange,
  type LostRange,
  SPACE_NUMBER_MAX,
  type SalvagedRow,
  type SpaceId,
  isLostRange,
  spaceOfKey,
  spaceRange,
} from '@phantom/kv';
import { StoredNames } from '@phantom/sql';
import type { SalvagedStore } from '@phantom/store';

/** Spaces with smaller numbers are the system's. */
const USER_SPACE_FIRST = 1024;
/** Keys found in lost ranges that are remembered, to tell lost rows from those that were found elsewhere. */
const FOUND_KEYS_MAX = 1_000_000;

/** What was found of a space. */
export interface SpaceSurvey {
  rows: number;
  older: number;
}

/** A lost range, or the part of it that lies in one space. */
export interface LostPart extends KeyRange {
  readonly space: SpaceId;
  readonly range: LostRange;
  /** Rows inside of it that were found below. */
  older: number;
}

export class Survey {
  readonly objects: ReadonlyMap<Oid, ObjectDescriptor>;
  readonly names: StoredNames;
  readonly spaces = new Map<SpaceId, SpaceSurvey>();
  readonly lost: LostPart[] = [];
  /** Keys, as text of one character a byte, of rows that were found inside of lost ranges of known size. */
  readonly found = new Set<string>();
  /** Something of the catalog is lost: who has no descriptor may have had one. */
  readonly isCatalogDamaged: boolean;
  /** There are a superuser and a database: it can be opened. */
  readonly isCatalogUsable: boolean;

  constructor(salvaged: SalvagedStore) {
    const keys = new CatalogKeys(EngineCode.Btree);
    const objects = new Map<Oid, ObjectDescriptor>();
    const prefix = keys.kind(KeyKind.Object);
    const ranges: LostRange[] = [];
    const older = new Map<LostRange, Map<SpaceId, number>>();
    let inside: LostRange[] = [];
    for (const row of salvaged.rows()) {
      if (isLostRange(row)) {
        ranges.push(row);
        inside.push(row);
        continue;
      }
      const { key } = row;
      const space = spaceOfKey(key, 0);
      this.count(space, row, older);
      if (inside.length > 0) {
        inside = inside.filter(({ upper }) => upper === undefined || compareKeys(key, upper) < 0);
        if (inside.some(isSized) && this.found.size < FOUND_KEYS_MAX) {
          this.found.add(keyName(key));
        }
      }
      if (hasPrefix(key, prefix)) {
        const oid = readU32BE(key, prefix.length);
        objects.set(oid, decodeObject(row.value, oid));
      }
    }
    this.objects = objects;
    this.names = new StoredNames(objects);
    this.isCatalogDamaged = ranges.some((range) => overlaps(range, spaceRange(keys.space)));
    const kinds = [...objects.values()];
    this.isCatalogUsable =
      kinds.some((object) => object.kind === 'database') &&
      kinds.some((object) => object.kind === 'role' && object.superuser);
    for (const range of ranges) this.divide(range, keys, older.get(range));
  }

  /** Whether something of a space is lost or in doubt. */
  isDamaged(space: SpaceId): boolean {
    return this.lost.some((part) => part.space === space) || (this.spaces.get(space)?.older ?? 0) > 0;
  }

  /** Whether nobody can say whose an entry is. */
  isUnknown(space: SpaceId): boolean {
    return !isSystem(space) && this.isCatalogDamaged && this.names.space(space) === undefined;
  }

  private count(space: SpaceId, { doubt }: SalvagedRow, older: Map<LostRange, Map<SpaceId, number>>): void {
    let counted = this.spaces.get(space);
    if (counted === undefined) this.spaces.set(space, (counted = { rows: 0, older: 0 }));
    counted.rows++;
    if (doubt === undefined) return;
    counted.older++;
    let spaces = older.get(doubt);
    if (spaces === undefined) older.set(doubt, (spaces = new Map()));
    spaces.set(space, (spaces.get(space) ?? 0) + 1);
  }

  /** A lost range may go over several spaces: each of those that are known has its part. */
  private divide(range: LostRange, keys: CatalogKeys, older: ReadonlyMap<SpaceId, number> | undefined): void {
    for (const space of [keys.space, keys.largeObjectSpace, ...[...this.names.all()].map(([id]) => id)]) {
      const own = spaceRange(space);
      if (!overlaps(range, own)) continue;
      const lower = compareKeys(range.lower, own.lower) > 0 ? range.lower : own.lower;
      const isShorter = range.upper !== undefined && compareKeys(range.upper, own.upper as Uint8Array) < 0;
      this.lost.push({
        space,
        range,
        lower,
        upper: isShorter ? range.upper : own.upper,
        older: older?.get(space) ?? 0,
      });
    }
  }
}

/** Whether so many rows are lost, and no other ones: what was found inside can be told from them. */
export function isSized({ entries }: LostRange): boolean {
  return entries !== undefined && entries > 0;
}

/** Whether a space is none of a table or an index. */
export function isSystem(space: SpaceId): boolean {
  return (space & SPACE_NUMBER_MAX) < USER_SPACE_FIRST;
}

/** A key as text of one character a byte. */
export function keyName(key: Uint8Array): string {
  return Buffer.from(key.buffer, key.byteOffset, key.length).toString('latin1');
}

export function contains({ lower, upper }: KeyRange, key: Uint8Array): boolean {
  return compareKeys(key, lower) >= 0 && (upper === undefined || compareKeys(key, upper) < 0);
}

function overlaps(a: KeyRange, b: KeyRange): boolean {
  const isBelow = a.upper !== undefined && compareKeys(a.upper, b.lower) <= 0;
  return !isBelow && (b.upper === undefined || compareKeys(a.lower, b.upper) < 0);
}

function hasPrefix(key: Uint8Array, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (key[i] !== prefix[i]) return false;
  return key.length === prefix.length + 4;
}
