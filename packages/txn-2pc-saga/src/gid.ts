/**
 * Names of branches, as participants know them: who coordinates, in which of its epochs, which transaction, which branch.
 *
 *   phantom:<coordinator>:<epoch>:<number>:<participant>      at most 199 bytes, as PostgreSQL has it
 *
 * The epoch is a durable number that is greater each time a coordinator begins: what an earlier one has prepared and not decided
 * is nobody's any more, and that is all the presumption of abort needs to know.
 */
import { PhantomError, SqlState } from '@phantom/base';

const PREFIX = 'phantom';
const COORDINATOR = /^[\w-]{1,64}$/;
const PARTICIPANT = /^[\w-]{1,64}$/;

/** A transaction of one coordinator. */
export interface TransactionId {
  readonly epoch: number;
  readonly number: number;
}

export interface BranchId extends TransactionId {
  readonly coordinator: string;
  readonly participant: string;
}

export function gidOf({ coordinator, epoch, number, participant }: BranchId): string {
  return [PREFIX, coordinator, epoch, number, participant].join(':');
}

/** Undefined for a name that no coordinator of this kind has given. */
export function parseGid(gid: string): BranchId | undefined {
  const [prefix, coordinator = '', epochText = '', numberText = '', participant = '', ...more] = gid.split(':');
  if (prefix !== PREFIX || more.length > 0) return undefined;
  const id = { coordinator, epoch: Number(epochText), number: Number(numberText), participant };
  const isWhole = Number.isSafeInteger(id.epoch) && Number.isSafeInteger(id.number);
  return isWhole && gidOf(id) === gid ? id : undefined;
}

/** 22023 for a name that cannot stand in the name of a branch. */
export function checkNames(coordinator: string, participant?: string): void {
  if (!COORDINATOR.test(coordinator)) throw badName('coordinator', coordinator);
  if (participant !== undefined && !PARTICIPANT.test(participant)) throw badName('participant', participant);
}

function badName(what: string, name: string): PhantomError {
  return new PhantomError(SqlState.InvalidParameterValue, `"${name}" cannot be the name of a ${what}`, {
    hint: 'A name has 1 to 64 letters, digits, underscores and hyphens.',
  });
}
