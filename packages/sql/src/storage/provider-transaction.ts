/** The transaction of a writer as the document model takes it. */
import type { ProviderTransaction } from '@phantom/catalog';
import type { WriterContext } from './writer-context.js';

export function providerTransaction(context: WriterContext): ProviderTransaction {
  return {
    storage: context.transaction,
    objects: context.objects,
    roleOid: context.roleOid,
    beforeCommit: (check) => context.defer({ constraint: undefined, run: () => awaited(check) }),
  };
}

/** A check in the executor's protocol: what is yielded is awaited. */
export function* awaited(check: () => Promise<void> | undefined): Generator<Promise<void>, void, void> {
  for (let wait = check(); wait !== undefined; wait = check()) yield wait;
}
