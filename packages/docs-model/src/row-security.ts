/** Row-level security: the policies that SQL has made for a collection hold for `db.collection`, too, for whoever the transaction acts for. */
import type { DocumentPolicies } from '@phantom/catalog';
import type { ByteSlot } from '@phantom/kv';
import type { CollectionView } from './collection-view.js';
import type { DocumentPorts } from './ports.js';
import { rowTablesOf } from './references/resolve.js';
import type { DocumentTransaction } from './transaction.js';

/** What is done with documents that are found. */
export type ReadingCommand = 'select' | 'update' | 'delete';

/** The policies of a collection that keep documents from whoever asks; undefined: none does. */
export function policiesOf(
  ports: DocumentPorts,
  { table }: CollectionView,
  transaction: DocumentTransaction,
): DocumentPolicies | undefined {
  return table.rowSecurity?.enabled === true ? rowTablesOf(ports).policies(table, transaction) : undefined;
}

/** True for a row that no policy hides. */
export function isSeen(policies: DocumentPolicies | undefined, command: ReadingCommand, row: ByteSlot): boolean {
  return policies === undefined || policies.sees(command, row.buffer, row.start, row.end);
}
