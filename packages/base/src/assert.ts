/**
 * Assertions for invariants: they stay on in production. A failed one means that memory is in doubt, so whoever owns a
 * store poisons it; nothing here tries to go on.
 */

/** A broken invariant: a defect of ours, never bad input. */
export class AssertionError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'AssertionError';
  }
}

/** Throws an AssertionError unless the condition holds. Keep the message a constant: it is built on every call. */
export function assert(condition: boolean, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}

/** Closes a union: the compiler proves that no case is missing, and the run time says which one arrived after all. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable case: ${JSON.stringify(value)}`);
}
