/** What lies in an archive, by the names of its files and the infos of its bases; nothing is written. */
import {
  type Checksums,
  type Identity,
  PhantomError,
  SqlState,
  identityText,
  isPhantomError,
  sameIdentity,
  isCorruption,
} from '@phantom/base';
import type { Seq } from '@phantom/kv';
import { type Vfs, joinPath } from '@phantom/vfs';
import {
  type BaseInfo,
  FILE_HEAD_BYTES,
  decodeFileHead,
  decodeInfo,
  decodePoint,
  isPointName,
  parseName,
  placeOfInfo,
} from './format.js';
import type { RestorePoint } from './points.js';

/** Longer than any info. */
const INFO_BYTES_MAX = 4096;

export interface FoundBase extends BaseInfo {
  readonly place: number;
}

/** A file of commits. */
export interface CommitsFile {
  readonly name: string;
  readonly path: string;
  readonly first: Seq;
  /** Undefined while it is open: then it may end anywhere. */
  readonly last: Seq | undefined;
}

export interface FoundPoint extends RestorePoint {
  readonly path: string;
}

export interface ArchiveContents {
  /** The oldest first. */
  readonly bases: readonly FoundBase[];
  readonly points: readonly FoundPoint[];
  /** Infos of bases and points that cannot be read, and why. */
  readonly damaged: readonly PhantomError[];
  /** By their first seq. */
  readonly files: readonly CommitsFile[];
}

/** 58030 and kin from the disk; empty where there is no such directory. */
export function readContents(vfs: Vfs, directory: string, checksums: Checksums): ArchiveContents {
  const bases: FoundBase[] = [];
  const damaged: PhantomError[] = [];
  const files: CommitsFile[] = [];
  const points: FoundPoint[] = [];
  for (const name of vfs.exists(directory) ? vfs.list(directory) : []) {
    const path = joinPath(directory, name);
    const commits = parseName(name);
    if (commits !== undefined) files.push({ name, path, ...commits });
    const place = placeOfInfo(name);
    if (place === undefined && !isPointName(name)) continue;
    try {
      const bytes = readStart(vfs, path, INFO_BYTES_MAX);
      if (place === undefined) points.push({ path, ...decodePoint(bytes, checksums, path) });
      else bases.push({ place, ...decodeInfo(bytes, checksums, path) });
    } catch (error) {
      if (!isCorruption(error)) throw error;
      damaged.push(error);
    }
  }
  bases.sort((a, b) => a.seq - b.seq);
  files.sort((a, b) => a.first - b.first);
  return { bases, points, damaged, files };
}

/** Whose archive it is; undefined when nothing in it says. 55000 when it is of several stores, XX001 for a head that is damaged. */
export function ownerOf(vfs: Vfs, { bases, files }: ArchiveContents, checksums: Checksums): Identity | undefined {
  let owner: Identity | undefined = bases[0]?.identity;
  const compare = (identity: Identity, of: string): void => {
    owner ??= identity;
    if (sameIdentity(owner, identity)) return;
    throw new PhantomError(SqlState.ObjectNotInPrerequisiteState, 'the archive is of more than one store', {
      detail: `"${of}" is of ${identityText(identity)}, others are of ${identityText(owner)}.`,
    });
  };
  for (const { identity, place } of bases) compare(identity, `base-${place}`);
  for (const { path, last } of files) {
    try {
      const head = readStart(vfs, path, FILE_HEAD_BYTES);
      compare(decodeFileHead(head, checksums, path).identity, path);
    } catch (error) {
      // The maker of an open file may have been cut off before it had its head, or has closed it since it was listed.
      const isGone = isPhantomError(error) && error.code === SqlState.UndefinedFile;
      if (last !== undefined || (!isCorruption(error) && !isGone)) throw error;
    }
  }
  return owner;
}

function readStart(vfs: Vfs, path: string, bytesMax: number): Uint8Array {
  const file = vfs.open(path, { mode: 'read' });
  try {
    const bytes = new Uint8Array(bytesMax);
    return bytes.subarray(0, file.readAt(0, bytes));
  } finally {
    file.close();
  }
}
