/** PARTITION BY: the key by which the rows of a table are told apart. */
import { PhantomError, unsupportedError } from '@phantom/base';
import type { PartitionKey, PartitionKeyPart, TableDescriptor } from '@phantom/catalog';
import { withNamedCollation } from '../../expr/named-collation.js';
import { bindRowExpression } from '../../expr/row-expression.js';
import { isBinaryCollation } from '../../types/collation.js';
import { isSystemColumn } from '../../storage/system-columns.js';
import type { IndexElement } from '../../text/ast.js';
import type { PartitionBy } from '../../text/ast-schema.js';
import { TypeOid } from '../../types/type-oids.js';
import type { DdlContext } from '../context.js';
import { checkHashed, checkOperatorClass, checkOrdered } from '../operator-classes.js';
import { storedExpression } from '../stored-expressions.js';

/** Most columns and expressions of a key: PostgreSQL's. */
const PARTS_MAX = 32;

export function partitionKeyOf(context: DdlContext, table: TableDescriptor, node: PartitionBy): PartitionKey {
  const strategy = node.strategy.text.toLowerCase();
  if (strategy !== 'list' && strategy !== 'range' && strategy !== 'hash')
    throw new PhantomError('22023', `unrecognized partitioning strategy "${node.strategy.text}"`);
  if (strategy === 'list' && node.elements.length > 1)
    throw new PhantomError('42P17', 'cannot use "list" partition strategy with more than one column');
  if (node.elements.length > PARTS_MAX)
    throw new PhantomError('54011', `cannot partition using more than ${PARTS_MAX} columns`);
  const parts = node.elements.map((written, i) => {
    const element = withoutCollate(written);
    const part = keyPart(context, table, element, i + 1);
    const { collation } = withNamedCollation(context.picture, part.type, element.collation);
    if (collation !== undefined && !isBinaryCollation(collation))
      throw unsupportedError(`a partition key in the order of collation "${collation}"`);
    checkOrdered(context, part);
    if (strategy === 'hash') checkHashed(context, part);
    if (element.operatorClass === undefined) return part;
    checkOperatorClass(context, part, element.operatorClass);
    // All of them put values into the order of a key's bytes; those for patterns are told of, not being what a type has by default.
    const operatorClass = element.operatorClass.at(-1)?.text ?? '';
    return operatorClass.endsWith('_pattern_ops') ? { ...part, operatorClass } : part;
  });
  return strategy === 'hash' ? { strategy, parts, hash: 'postgresql' } : { strategy, parts };
}

/** COLLATE in the parentheses of an element says what it says behind them. */
function withoutCollate(element: IndexElement): IndexElement {
  const { value, collation } = element;
  if (value.kind !== 'collate') return element;
  return withoutCollate({ ...element, value: value.operand, collation: collation ?? value.collation });
}

function keyPart(
  context: DdlContext,
  table: TableDescriptor,
  { value }: IndexElement,
  number: number,
): PartitionKeyPart {
  const position = value.position + 1;
  const name = value.kind === 'column' && value.names.length === 1 ? value.names[0] : undefined;
  if (name !== undefined) {
    if (isSystemColumn(name.text))
      throw new PhantomError('42P17', `cannot use system column "${name.text}" in partition key`, { position });
    const column = table.columns.find((candidate) => candidate.name === name.text && !candidate.dropped);
    if (column === undefined)
      throw new PhantomError('42703', `column "${name.text}" named in partition key does not exist`, { position });
    refuseGenerated(table, [column.number], position);
    return { column: column.number, type: column.type };
  }
  const expressionSql = storedExpression(context, value, table.name);
  const { columns, name: relationName } = table;
  const bound = bindRowExpression(expressionSql, {
    columns,
    relationName,
    catalog: context.picture,
    target: undefined,
    purpose: 'index',
  });
  if (bound.volatility !== 'immutable')
    throw new PhantomError('42P17', 'functions in partition key expression must be marked IMMUTABLE');
  if (bound.columns.length === 0) throw new PhantomError('42P17', 'cannot use constant expression as partition key');
  refuseGenerated(table, bound.columns, position);
  if (bound.type.oid === TypeOid.record || bound.type.oid === TypeOid.unknown) {
    const shown = bound.type.oid === TypeOid.record ? 'record' : 'unknown';
    throw new PhantomError('42P16', `partition key column ${number} has pseudo-type ${shown}`);
  }
  return { expressionSql, type: bound.type };
}

function refuseGenerated({ columns }: TableDescriptor, numbers: readonly number[], position: number): void {
  const generated = columns.find((column) => numbers.includes(column.number) && column.generated !== undefined);
  if (generated === undefined) return;
  throw new PhantomError('42P17', 'cannot use generated column in partition key', {
    position,
    detail: `Column "${generated.name}" is a generated column.`,
  });
}
