/** FOR VALUES: which rows a partition takes, from syntax to descriptor; and what PostgreSQL says of bounds that cannot be. */
import { PhantomError, compareKeys } from '@phantom/base';
import type { PartitionBound, PartitionDatum, PartitionKey, PartitionKeyPart, TableDescriptor } from '@phantom/catalog';
import { bindRowExpression } from '../../expr/row-expression.js';
import { partitionKeyNames } from '../../plan/partition-text.js';
import { storageContext } from '../../plan/statistics/stored-statistics.js';
import { partitioning, valueOf } from '../../storage/partitions/partitioning.js';
import type { Expression } from '../../text/ast.js';
import type * as Schema from '../../text/ast-schema.js';
import type { Value } from '../../types/type.js';
import type { DdlContext } from '../context.js';
import { optionText } from '../storage-options.js';
import { storedExpression } from '../stored-expressions.js';

type HashNode = Schema.PartitionBound & { readonly kind: 'hash' };
type RangeNode = Schema.PartitionBound & { readonly kind: 'range' };

/** The bound of a partition of `parent` that is called `name`; 42P17 where it would overlap another one. */
export function partitionBoundOf(
  context: DdlContext,
  parent: TableDescriptor,
  key: PartitionKey,
  name: string,
  node: Schema.PartitionBound,
): PartitionBound {
  const bound = boundOf(context, parent, key, node);
  checkRange(context, parent, name, bound, node);
  const others = partitioning(parent, context.picture);
  if (bound.kind === 'hash') checkModulus(bound, others.partitions);
  const other = others.overlapping(bound, context.picture)?.table.name;
  if (other === undefined) return bound;
  if (bound.kind === 'default') {
    const message = `partition "${name}" conflicts with existing default partition "${other}"`;
    throw new PhantomError('42P17', message, { position: node.position + 1 });
  }
  const position = overlapPosition(context, others, bound, node) + 1;
  throw new PhantomError('42P17', `partition "${name}" would overlap partition "${other}"`, { position });
}

/** Where the text of a bound says what another partition takes already. */
function overlapPosition(
  context: DdlContext,
  others: ReturnType<typeof partitioning>,
  bound: PartitionBound,
  node: Schema.PartitionBound,
): number {
  if (node.kind === 'range') return node.from[0]?.position ?? node.position;
  if (node.kind !== 'in' || bound.kind !== 'list') return node.position;
  const at = bound.values.findIndex(
    (value) => others.overlapping({ kind: 'list', values: [value] }, context.picture) !== undefined,
  );
  return node.values[at]?.position ?? node.position;
}

function boundOf(
  context: DdlContext,
  parent: TableDescriptor,
  key: PartitionKey,
  node: Schema.PartitionBound,
): PartitionBound {
  const { strategy, parts } = key;
  const names = partitionKeyNames(parent, key);
  if (node.kind === 'default') {
    if (strategy !== 'hash') return { kind: 'default' };
    throw new PhantomError('42P16', 'a hash-partitioned table may not have a default partition');
  }
  const written = node.kind === 'in' ? 'list' : node.kind;
  if (written !== strategy)
    throw new PhantomError('42P16', `invalid bound specification for a ${strategy} partition`, {
      position: node.position + 1,
    });
  switch (node.kind) {
    case 'hash':
      return hashBound(node);
    case 'in': {
      const [part] = parts as readonly [PartitionKeyPart];
      const values = node.values.map((value) => textOf(context, part, names[0] ?? '', value));
      return { kind: 'list', values: values.filter((value, i) => values.indexOf(value) === i) };
    }
    default:
      return rangeBound(context, parts, names, node);
  }
}

function hashBound({ options, position }: HashNode): PartitionBound {
  const numbers = new Map<string, number>();
  for (const option of options) {
    const name = option.name.text;
    if (name !== 'modulus' && name !== 'remainder')
      throw new PhantomError('42601', `unrecognized hash partition bound specification "${name}"`, {
        position: option.position + 1,
      });
    if (numbers.has(name))
      throw new PhantomError('42710', `${name} for hash partition provided more than once`, {
        position: option.position + 1,
      });
    numbers.set(name, Number(optionText(option)));
  }
  const numberOf = (name: string): number => {
    const number = numbers.get(name);
    if (number !== undefined) return number;
    throw new PhantomError('42601', `${name} for hash partition must be specified`, { position: position + 1 });
  };
  const modulus = numberOf('modulus');
  const remainder = numberOf('remainder');
  if (modulus <= 0)
    throw new PhantomError('42P16', 'modulus for hash partition must be an integer value greater than zero');
  if (remainder >= modulus) throw new PhantomError('42P16', 'remainder for hash partition must be less than modulus');
  return { kind: 'hash', modulus, remainder };
}

/** Each modulus divides the next larger one: then partitions can be split one by one. */
function checkModulus(
  { modulus }: PartitionBound & { readonly kind: 'hash' },
  others: readonly { readonly table: TableDescriptor; readonly bound: PartitionBound }[],
): void {
  for (const { table, bound } of others) {
    if (bound.kind !== 'hash') continue;
    if (bound.modulus % modulus === 0 || modulus % bound.modulus === 0) continue;
    const relation =
      modulus > bound.modulus
        ? `The new modulus ${modulus} is not divisible by ${bound.modulus}, the modulus of existing partition "${table.name}".`
        : `The new modulus ${modulus} is not a factor of ${bound.modulus}, the modulus of existing partition "${table.name}".`;
    throw new PhantomError('42P17', 'every hash partition modulus must be a factor of the next larger modulus', {
      detail: relation,
    });
  }
}

function rangeBound(
  context: DdlContext,
  parts: readonly PartitionKeyPart[],
  names: readonly string[],
  node: RangeNode,
): PartitionBound {
  const edge = (values: readonly Expression[], word: string): PartitionDatum[] => {
    if (values.length !== parts.length)
      throw new PhantomError('42P16', `${word} must specify exactly one value per partitioning column`);
    const data = values.map((value, i): PartitionDatum => {
      const extreme = extremeOf(value);
      if (extreme !== undefined) return extreme;
      const text = textOf(context, parts[i] as PartitionKeyPart, names[i] ?? '', value);
      if (text === null) throw new PhantomError('42P17', 'cannot specify NULL in range bound');
      return { value: text };
    });
    checkBehindExtremes(data, values);
    return data;
  };
  return { kind: 'range', from: edge(node.from, 'FROM'), to: edge(node.to, 'TO') };
}

/** MINVALUE and MAXVALUE are read as names of columns. */
function extremeOf(value: Expression): 'minvalue' | 'maxvalue' | undefined {
  const word = value.kind === 'column' && value.names.length === 1 ? value.names[0]?.text : undefined;
  return word === 'minvalue' || word === 'maxvalue' ? word : undefined;
}

function checkBehindExtremes(data: readonly PartitionDatum[], values: readonly Expression[]): void {
  const first = data.find((datum) => typeof datum === 'string');
  if (first === undefined) return;
  const other = data.slice(data.indexOf(first)).findIndex((datum) => datum !== first);
  if (other < 0) return;
  const word = String(first).toUpperCase();
  throw new PhantomError('42804', `every bound following ${word} must also be ${word}`, {
    position: (values[data.indexOf(first) + other]?.position ?? 0) + 1,
  });
}

/** 42P17 for a range that no key lies in. */
function checkRange(
  context: DdlContext,
  parent: TableDescriptor,
  name: string,
  bound: PartitionBound,
  node: Schema.PartitionBound,
): void {
  if (bound.kind !== 'range') return;
  const [stretch] = partitioning(parent, context.picture).stretchesOf(bound, context.picture);
  const ends = bound.from.every((datum) => datum === 'maxvalue');
  if (stretch !== undefined && !ends && (stretch.upper === undefined || compareKeys(stretch.lower, stretch.upper) < 0))
    return;
  const shown = (data: readonly PartitionDatum[]): string =>
    data.map((datum) => (typeof datum === 'string' ? datum.toUpperCase() : quotedValue(datum.value))).join(', ');
  const numeric = parent.partitioned?.parts.map(({ type }) => NUMBERS.has(type.oid)) ?? [];
  const quotedValue = (text: string): string => (numeric[0] === true ? text : `'${text.replaceAll("'", "''")}'`);
  throw new PhantomError('42P17', `empty range bound specified for partition "${name}"`, {
    position: (node.kind === 'range' ? (node.from[0]?.position ?? node.position) : node.position) + 1,
    detail: `Specified lower bound (${shown(bound.from)}) is greater than or equal to upper bound (${shown(bound.to)}).`,
  });
}

const NUMBERS: ReadonlySet<number> = new Set([20, 21, 23, 26, 700, 701, 1700]);

/** The value of an expression of a bound as text; null where it is null. */
function textOf(context: DdlContext, part: PartitionKeyPart, name: string, value: Expression): string | null {
  const position = value.position + 1;
  const { types } = context.picture;
  if (value.kind === 'column')
    throw new PhantomError('0A000', 'cannot use column reference in partition bound expression', { position });
  const typed = bindValue(context, part, name, value);
  if (typed === null) return null;
  const type = types.byOid(part.type.oid);
  const text = type?.output(typed, storageContext(types)) ?? '';
  // What is read again is the value: of a type whose text loses something there would be another.
  return valueOf(text, part, context.picture) === null ? null : text;
}

function bindValue(context: DdlContext, part: PartitionKeyPart, name: string, value: Expression): Value {
  try {
    return bindRowExpression(storedExpression(context, value), {
      columns: [],
      relationName: undefined,
      catalog: context.picture,
      target: part.type,
      purpose: 'default',
    }).evaluate([], context.evaluation);
  } catch (error) {
    if (!(error instanceof PhantomError)) throw error;
    const position = value.position + 1;
    if (error.code === '42703')
      throw new PhantomError('0A000', 'cannot use column reference in partition bound expression', { position });
    if (error.message.includes('subquery'))
      throw new PhantomError('0A000', 'cannot use subquery in partition bound', { position });
    if (error.code !== '42804') throw error.with({ position });
    const typeName = context.picture.types.byOid(part.type.oid)?.displayName ?? '';
    throw new PhantomError('42804', `specified value cannot be cast to type ${typeName} for column "${name}"`, {
      position,
    });
  }
}
