/** Errors of collections. A caller's mistake in a filter, an update or a pipeline is 22023 and names what is wrong. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { DocumentIndexDescriptor } from '@phantom/catalog';

/** 22023. */
export function badArgument(message: string, detail?: string): PhantomError {
  return new PhantomError('22023', message, detail === undefined ? {} : { detail });
}

/** Operators of MongoDB that are known and not there: 0A000. Everything else that begins with a dollar is a mistake: 22023. */
const KNOWN_ABSENT: ReadonlySet<string> = new Set([
  '$where',
  '$near',
  '$nearSphere',
  '$geoWithin',
  '$geoIntersects',
  '$function',
  '$accumulator',
  '$geoNear',
  '$setWindowFields',
  '$densify',
  '$fill',
  '$redact',
  '$search',
  '$vectorSearch',
  '$indexStats',
  '$collStats',
  '$changeStream',
  '$currentOp',
  '$documents',
  '$listSessions',
  '$planCacheStats',
  '$searchMeta',
  '$binarySize',
  '$bsonSize',
  '$sampleRate',
  '$tsIncrement',
  '$tsSecond',
  '$toUUID',
  '$median',
  '$percentile',
]);

/** 22023 for what is no array where one has to be given. */
export function checkList(operation: string, what: string, given: unknown): void {
  if (!Array.isArray(given)) throw badArgument(`${operation} needs an array of ${what}`);
}

/** For an operator that the place does not know. */
export function unknownOperator(name: string, place: string): PhantomError {
  return KNOWN_ABSENT.has(name) ? unsupportedError(`operator ${name}`) : badArgument(`unknown ${place}: ${name}`);
}

/** 23505: two documents would have one key in a unique index. */
export function takenError(table: string, index: string, { parts }: DocumentIndexDescriptor): PhantomError {
  return new PhantomError('23505', `duplicate key value violates unique constraint "${index}"`, {
    detail: `Another document has the same ${parts.map(({ path }) => path).join(', ')}.`,
    table,
    constraint: index,
  });
}
