/**
 * Tokens by which a change stream is taken up again: the place of an event, as text that sorts in the order of events.
 *
 *   seq (14 hex digits) - operation in the commit (8) - oid of the collection (8) - space of its rows then (8)
 *
 * The oid tells a collection from another one that was made under its name later; TRUNCATE gives it another space. A token without an event of its own, of a
 * stream that has passed over a whole commit, has ffffffff as its operation.
 */
import type { Oid } from '@phantom/catalog';
import type { Seq, SpaceId } from '@phantom/kv';
import { badArgument } from '../errors.js';

/** Behind every operation of a commit, and before that the end of a stream whose collection was dropped in the commit. */
export const WHOLE_COMMIT = 0xffff_ffff;
export const INVALIDATION = 0xffff_fffe;

export interface ResumePlace {
  readonly seq: Seq;
  /** Number of the operation in its commit, from 1 on. */
  readonly operation: number;
  readonly oid: Oid;
  readonly space: SpaceId;
}

export function resumeToken({ seq, operation, oid, space }: ResumePlace): string {
  return [hex(seq, 14), hex(operation, 8), hex(oid, 8), hex(space, 8)].join('-');
}

/** 22023 for what is no token. */
export function parseResumeToken(token: unknown): ResumePlace {
  const isToken = typeof token === 'string' && /^[0-9a-f]{14}(?:-[0-9a-f]{8}){3}$/.test(token);
  const [seq = Number.NaN, operation = 0, oid = 0, space = 0] = isToken
    ? token.split('-').map((digits) => Number.parseInt(digits, 16))
    : [];
  if (!Number.isSafeInteger(seq)) throw badArgument(`${JSON.stringify(token)} is no resume token`);
  return { seq, operation, oid, space };
}

function hex(value: number, digits: number): string {
  return value.toString(16).padStart(digits, '0');
}
