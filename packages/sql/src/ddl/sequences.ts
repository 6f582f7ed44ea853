/** CREATE and ALTER SEQUENCE, and what their options mean. */
import { PhantomError } from '@phantom/base';
import { NameClass, type Oid, type SequenceDescriptor, stateOid, type TableDescriptor } from '@phantom/catalog';
import { resolveTypeName } from '../expr/type-names.js';
import type { AlterSequence, CreateSequence, SequenceOption } from '../text/ast-schema.js';
import type { DdlContext, DdlExecution } from './context.js';
import { ownership } from './ownership.js';
import {
  claimName,
  creationSchema,
  findRelation,
  lockForChange,
  relationExists,
  relationNamed,
  requireOwner,
  undefinedRelation,
} from './names.js';
import { TypeOid } from '../types/type-oids.js';

const LIMITS: Readonly<Record<number, { minimum: bigint; maximum: bigint; name: string }>> = {
  21: { minimum: -32768n, maximum: 32767n, name: 'smallint' },
  23: { minimum: -2147483648n, maximum: 2147483647n, name: 'integer' },
  20: { minimum: -9223372036854775808n, maximum: 9223372036854775807n, name: 'bigint' },
};

export function* createSequence(context: DdlContext, node: CreateSequence): DdlExecution {
  const place = creationSchema(context, node.name, node.persistence);
  const existing = yield* claimName(context, NameClass.Relation, place.schemaOid, place.name);
  if (existing !== undefined) {
    if (!node.ifNotExists) throw relationExists(place.name);
    context.notice('NOTICE', '42P07', `relation "${place.name}" already exists, skipping`);
    return undefined;
  }
  const sequence = sequenceDescriptor(context, place.schemaOid, place.name, TypeOid.int8, node.options);
  const owner = ownerColumn(context, sequence, node.options);
  const { persistence } = place;
  context.objects.put({ ...sequence, persistence, ...(owner === undefined ? {} : { ownedBy: owner }) });
  if (owner !== undefined) tieToColumn(context, sequence.oid, owner);
  return undefined;
}

type Owner = NonNullable<SequenceDescriptor['ownedBy']>;

function tieToColumn(context: DdlContext, sequenceOid: Oid, owner: Owner): void {
  context.objects.addDependency({
    dependentOid: sequenceOid,
    dependentColumn: 0,
    referencedOid: owner.tableOid,
    referencedColumn: owner.column,
    strength: 'automatic',
  });
}

export function* alterSequence(context: DdlContext, node: AlterSequence): DdlExecution {
  const found = findRelation(context, node.name);
  if (found === undefined) {
    if (!node.ifExists) throw undefinedRelation(node.name);
    context.notice('NOTICE', '00000', `relation "${node.name.at(-1)?.text}" does not exist, skipping`);
    return undefined;
  }
  if (found.kind !== 'sequence') throw new PhantomError('42809', `"${found.name}" is not a sequence`);
  requireOwner(context, found);
  const sequence = yield* lockForChange(context, found);
  if (sequence === undefined) throw undefinedRelation(node.name);
  let changed = changedSequence(context, sequence, node.options);
  const option = node.options.find((candidate) => candidate.kind === 'owned-by');
  if (option !== undefined) {
    const table = sequence.ownedBy === undefined ? undefined : context.objects.object(sequence.ownedBy.tableOid);
    const identity =
      table?.kind === 'table' &&
      table.columns.some((column) => column.sequenceOid === sequence.oid && column.identity !== undefined);
    if (identity) {
      throw new PhantomError('0A000', 'cannot change ownership of identity sequence', {
        detail: `Sequence "${sequence.name}" is linked to table "${table.name}".`,
      });
    }
    const { ownedBy: _old, ...free } = changed;
    const owner = ownerColumn(context, sequence, node.options);
    for (const dependency of Array.from(context.objects.dependenciesOf(sequence.oid)))
      context.objects.removeDependency(dependency);
    changed = owner === undefined ? free : { ...free, ownedBy: owner };
    if (owner !== undefined) tieToColumn(context, sequence.oid, owner);
  }
  context.objects.put(changed);
  restartSequence(context, changed.oid, node.options);
  return undefined;
}

/** The sequence with the options given changed, all others as they were; of another type when one is given. */
export function changedSequence(
  context: DdlContext,
  sequence: SequenceDescriptor,
  options: readonly SequenceOption[],
  typeOid?: Oid,
): SequenceDescriptor {
  const typed = options.find((option) => option.kind === 'as');
  const newType =
    typed === undefined ? (typeOid ?? sequence.typeOid) : resolveTypeName(context.picture, typed.type).oid;
  const given = new Set(options.map((option) => option.kind));
  const kept: SequenceOption[] = [...options];
  const keep = (kind: 'increment' | 'start' | 'cache' | 'min' | 'max', value: string): void => {
    if (!given.has(kind)) kept.push({ kind, value, position: 0 });
  };
  keep('increment', sequence.increment);
  keep('cache', String(sequence.cache));
  keep('start', sequence.start);
  // Limits that were only those of the old type become those of the new one.
  const old = LIMITS[sequence.typeOid];
  const retyped = newType !== sequence.typeOid;
  const limit = (was: bigint | undefined, now: bigint | undefined, value: string): string =>
    retyped && String(was) === value && now !== undefined ? String(now) : value;
  keep('min', limit(old?.minimum, LIMITS[newType]?.minimum, sequence.minimum));
  keep('max', limit(old?.maximum, LIMITS[newType]?.maximum, sequence.maximum));
  const made = sequenceDescriptor(context, sequence.schemaOid, sequence.name, newType, kept, sequence.oid);
  const cycle = given.has('cycle') ? made.cycle : sequence.cycle;
  const { ownedBy, acl, comment } = sequence;
  // The first value is that of the start when it was made, whatever the start is later.
  const origin = sequence.origin ?? { stateOid: sequence.oid, first: sequence.start };
  return {
    ...made,
    origin,
    cycle,
    ownerOid: sequence.ownerOid,
    persistence: sequence.persistence,
    ...(ownedBy === undefined ? {} : { ownedBy }),
    ...(acl === undefined ? {} : { acl }),
    ...(comment === undefined ? {} : { comment }),
  };
}

/** RESTART: the next value is the one given, or the start. */
export function restartSequence(context: DdlContext, oid: Oid, options: readonly SequenceOption[]): void {
  const sequence = context.objects.object(oid);
  if (sequence?.kind !== 'sequence') return;
  const option = options.find((candidate) => candidate.kind === 'restart');
  if (option !== undefined) {
    const value = BigInt(option.value ?? sequence.start);
    if (value < BigInt(sequence.minimum))
      throw new PhantomError('22023', `RESTART value (${value}) cannot be less than MINVALUE (${sequence.minimum})`);
    if (value > BigInt(sequence.maximum))
      throw new PhantomError('22023', `RESTART value (${value}) cannot be greater than MAXVALUE (${sequence.maximum})`);
    restartAt(context, sequence, value);
    return;
  }
  const { lastValue } = context.catalog.sequences.row(sequence);
  if (BigInt(lastValue) > BigInt(sequence.maximum) || BigInt(lastValue) < BigInt(sequence.minimum)) {
    const over = BigInt(lastValue) > BigInt(sequence.maximum);
    throw new PhantomError(
      '22023',
      over
        ? `RESTART value (${lastValue}) cannot be greater than MAXVALUE (${sequence.maximum})`
        : `RESTART value (${lastValue}) cannot be less than MINVALUE (${sequence.minimum})`,
    );
  }
}

/** Has a sequence begin anew with a value, for this transaction at once. */
export function restartAt(context: DdlContext, sequence: SequenceDescriptor, first: bigint): void {
  const place = context.catalog.allocateOid();
  context.objects.put({ ...sequence, origin: { stateOid: place, first: String(first) } });
  context.onEnd((committed) => {
    const { sequences } = context.catalog;
    // What has not been committed may be yet, by COMMIT PREPARED, and then goes on from what is durable.
    if (!committed) return sequences.forget(place);
    // A savepoint may have taken the restart back, and another one may have followed it.
    const now = context.catalog.committed.object(sequence.oid);
    const used = now?.kind === 'sequence' ? stateOid(now) : undefined;
    for (const oid of [stateOid(sequence), place]) if (oid !== used) sequences.discard(oid);
  });
}

/** A sequence as the options describe it, PostgreSQL's defaults for the rest. 22023 for options that contradict each other. */
export function sequenceDescriptor(
  context: DdlContext,
  schemaOid: Oid,
  name: string,
  defaultType: Oid,
  options: readonly SequenceOption[],
  oid?: Oid,
): SequenceDescriptor {
  const kinds = options.map((option) => option.kind);
  if (kinds.some((kind, i) => kinds.indexOf(kind) !== i))
    throw new PhantomError('42601', 'conflicting or redundant options');
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
    oid: oid ?? context.catalog.allocateOid(),
    name,
    databaseOid: context.databaseOid,
    schemaOid,
    ...ownership(context, 'sequence', schemaOid),
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

function ownerColumn(
  context: DdlContext,
  sequence: SequenceDescriptor,
  options: readonly SequenceOption[],
): Owner | undefined {
  const option = options.find((candidate) => candidate.kind === 'owned-by');
  if (option?.column === undefined) return undefined;
  if (option.column.length < 2) {
    throw new PhantomError('42601', 'invalid OWNED BY option', {
      hint: 'Specify OWNED BY table.column or OWNED BY NONE.',
    });
  }
  const relation = relationNamed(context, option.column.slice(0, -1)) as TableDescriptor;
  const name = option.column.at(-1)?.text;
  if (relation.kind !== 'table') {
    throw new PhantomError('42809', `sequence cannot be owned by relation "${(relation as { name: string }).name}"`);
  }
  if (relation.ownerOid !== sequence.ownerOid)
    throw new PhantomError('55000', 'sequence must have same owner as table it is linked to');
  if (relation.schemaOid !== sequence.schemaOid)
    throw new PhantomError('55000', 'sequence must be in same schema as table it is linked to');
  const column = relation.columns.find((candidate) => candidate.name === name && !candidate.dropped);
  if (column === undefined)
    throw new PhantomError('42703', `column "${name}" of relation "${relation.name}" does not exist`);
  return { tableOid: relation.oid, column: column.number };
}
