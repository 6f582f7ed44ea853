/** CREATE SEQUENCE and what its options mean. */
import { PhantomError } from '@phantom/base';
import { NameClass, type Oid, type SequenceDescriptor, type TableDescriptor } from '@phantom/catalog';
import { resolveTypeName } from '../expr/type-names.js';
import type { CreateSequence, SequenceOption } from '../text/ast-schema.js';
import type { DdlContext, DdlExecution } from './context.js';
import { claimName, creationSchema, relationExists, relationNamed } from './names.js';

const LIMITS: Readonly<Record<number, { minimum: bigint; maximum: bigint; name: string }>> = {
  21: { minimum: -32768n, maximum: 32767n, name: 'smallint' },
  23: { minimum: -2147483648n, maximum: 2147483647n, name: 'integer' },
  20: { minimum: -9223372036854775808n, maximum: 9223372036854775807n, name: 'bigint' },
};

const INT8_OID = 20;

export function* createSequence(context: DdlContext, node: CreateSequence): DdlExecution {
  const place = creationSchema(context, node.name);
  const existing = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(place.name);
    context.notice('NOTICE', '42P07', `relation "${place.name}" already exists, skipping`);
    return undefined;
  }
  const sequence = sequenceDescriptor(context, place.schemaOid, place.name, INT8_OID, node.options);
  const owner = ownerColumn(context, node.options);
  context.objects.put(owner === undefined ? sequence : { ...sequence, ownedBy: owner });
  if (owner !== undefined) {
    context.objects.addDependency({
      dependentOid: sequence.oid,
      dependentColumn: 0,
      referencedOid: owner.tableOid,
      referencedColumn: owner.column,
      strength: 'automatic',
    });
  }
  return undefined;
}

/** A sequence as the options describe it, PostgreSQL's defaults for the rest. 22023 for options that contradict each other. */
export function sequenceDescriptor(
  context: DdlContext,
  schemaOid: Oid,
  name: string,
  defaultType: Oid,
  options: readonly SequenceOption[],
): SequenceDescriptor {
  const typed = options.find((option) => option.kind === 'as');
  const typeOid = typed === undefined ? defaultType : resolveTypeName(context.picture, typed.type).oid;
  const limits = LIMITS[typeOid];
  if (limits === undefined) throw new PhantomError('22023', 'sequence type must be smallint, integer, or bigint');
  const numberOf = (kind: 'increment' | 'start' | 'cache' | 'min' | 'max'): bigint | undefined => {
    const option = options.find((candidate) => candidate.kind === kind);
    return option === undefined || !('value' in option) || option.value === undefined
      ? undefined
      : BigInt(option.value as string);
  };
  const increment = numberOf('increment') ?? 1n;
  if (increment === 0n) throw new PhantomError('22023', 'INCREMENT must not be zero');
  const rising = increment > 0n;
  const minimum = numberOf('min') ?? (rising ? 1n : limits.minimum);
  const maximum = numberOf('max') ?? (rising ? limits.maximum : -1n);
  if (maximum > limits.maximum || maximum < limits.minimum) throw outOfRange('MAXVALUE', maximum, limits.name);
  if (minimum > limits.maximum || minimum < limits.minimum) throw outOfRange('MINVALUE', minimum, limits.name);
  if (minimum >= maximum)
    throw new PhantomError('22023', `MINVALUE (${minimum}) must be less than MAXVALUE (${maximum})`);
  const start = numberOf('start') ?? (rising ? minimum : maximum);
  if (start < minimum)
    throw new PhantomError('22023', `START value (${start}) cannot be less than MINVALUE (${minimum})`);
  if (start > maximum)
    throw new PhantomError('22023', `START value (${start}) cannot be greater than MAXVALUE (${maximum})`);
  const cache = numberOf('cache') ?? 1n;
  if (cache < 1n) throw new PhantomError('22023', `CACHE (${cache}) must be greater than zero`);
  const cycle = options.find((option) => option.kind === 'cycle');
  return {
    kind: 'sequence',
    oid: context.catalog.allocateOid(),
    name,
    databaseOid: context.databaseOid,
    schemaOid,
    ownerOid: context.roleOid,
    typeOid,
    start: String(start),
    increment: String(increment),
    minimum: String(minimum),
    maximum: String(maximum),
    cycle: cycle?.value === true,
    cache: Number(cache),
    persistence: 'permanent',
  };
}

function outOfRange(what: string, value: bigint, type: string): PhantomError {
  return new PhantomError('22023', `${what} (${value}) is out of range for sequence data type ${type}`);
}

function ownerColumn(context: DdlContext, options: readonly SequenceOption[]): SequenceDescriptor['ownedBy'] {
  const option = options.find((candidate) => candidate.kind === 'owned-by');
  if (option?.column === undefined) return undefined;
  const relation = relationNamed(context, option.column.slice(0, -1)) as TableDescriptor;
  const name = option.column.at(-1)?.text;
  const column =
    relation.kind === 'table'
      ? relation.columns.find((candidate) => candidate.name === name && !candidate.dropped)
      : undefined;
  if (column === undefined)
    throw new PhantomError('42703', `column "${name}" of relation "${relation.name}" does not exist`);
  return { tableOid: relation.oid, column: column.number };
}
