/** Keys and unique indexes of a partitioned table find equal rows in one partition only. */
import { PhantomError } from '@phantom/base';
import type { PartitionKey, TableDescriptor } from '@phantom/catalog';

/** 0A000 for a key or unique index that would not find equal rows in two partitions. */
export function requireKeyColumns(
  table: TableDescriptor,
  { parts }: PartitionKey,
  columns: readonly (number | undefined)[],
  word: 'PRIMARY KEY' | 'UNIQUE',
): void {
  if (parts.some(({ column }) => column === undefined))
    throw new PhantomError('0A000', `unsupported ${word} constraint with partition key definition`, {
      detail: `${word} constraints cannot be used when partition keys include expressions.`,
    });
  const lacking = parts.find(({ column }) => !columns.includes(column));
  if (lacking === undefined) return;
  const name = table.columns.find(({ number }) => number === lacking.column)?.name;
  throw new PhantomError('0A000', 'unique constraint on partitioned table must include all partitioning columns', {
    detail: `${word} constraint on table "${table.name}" lacks column "${name}" which is part of the partition key.`,
  });
}
