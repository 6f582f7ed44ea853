/** Where in a routine an error happened. */
import { PhantomError } from '@phantom/base';

/** The error with one more line that says where it happened; positions are not in the client's text. */
export function inContext(error: unknown, line: string): unknown {
  if (!(error instanceof PhantomError)) return error;
  const where = error.where === undefined ? line : `${error.where}\n${line}`;
  return error.with({ where, position: undefined });
}
