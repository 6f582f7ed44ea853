/**
 * Ways from one type to another: pg_cast, casts through text, casts of array elements, domains and rows. After
 * find_coercion_pathway of parse_coerce.c. A cast's `call` also applies the type modifier of its target.
 */
import { PhantomError } from '@phantom/base';
import type { Oid } from '@phantom/catalog';
import { SqlArray, type SqlRange, SqlRecord, StorageKind } from '@phantom/codec';
import { makeMultirange } from '../types/range-algebra.js';
import { TypeOid } from '../types/type-oids.js';
import type { SqlType, TypeLookup, Value } from '../types/type.js';
import { functionByOid } from './definitions.js';
import { castFacts } from './facts/cast-facts.js';
import type {
  CallTypes,
  CastContext,
  CastDefinition,
  EvaluationContext,
  FunctionDefinition,
  UserCast,
  Volatility,
} from './registry.js';

export type CastFinder = (source: Oid, target: Oid, context: CastContext) => CastDefinition | undefined;

type CastCall = (value: Value, typmod: number, explicit: boolean, context: EvaluationContext) => Value;

/** A line of pg_cast: source target context(e a i) method(f b i) function. */
interface CastFact {
  readonly context: CastContext;
  readonly method: string;
  readonly functionOid: Oid;
}

const CONTEXTS: Readonly<Record<string, CastContext>> = { e: 'explicit', a: 'assignment', i: 'implicit' };
const STRENGTH: Readonly<Record<CastContext, number>> = { implicit: 0, assignment: 1, explicit: 2 };

/** A cast that is not built in. */
export interface AddedCast {
  readonly context: CastContext;
  /** 0 where the value is the same in both. */
  readonly functionOid: Oid;
}

/** Where casts that are not built in are found, and their functions. */
interface CastSource {
  userCast(source: Oid, target: Oid): UserCast | undefined;
  cast(source: Oid, target: Oid): AddedCast | undefined;
  byOid(oid: Oid): FunctionDefinition | undefined;
}

const NO_SOURCE: CastSource = { userCast: () => undefined, cast: () => undefined, byOid: functionByOid };

let facts: ReadonlyMap<string, CastFact> | undefined;

function factOf(source: Oid, target: Oid): CastFact | undefined {
  facts ??= new Map(
    castFacts
      .trim()
      .split('\n')
      .map((line) => {
        const [from, to, context, method, procedure] = line.split(' ') as [string, string, string, string, string];
        return [`${from} ${to}`, { context: CONTEXTS[context] as CastContext, method, functionOid: Number(procedure) }];
      }),
  );
  return facts.get(`${source} ${target}`);
}

/** True for a cast that PostgreSQL's pg_cast has from the start. */
export function isBuiltInCast(source: Oid, target: Oid): boolean {
  return factOf(source, target) !== undefined;
}

/** Every cast of pg_cast that exists here, as lines of its facts. */
export function* allCasts(): Iterable<{
  readonly source: Oid;
  readonly target: Oid;
  readonly functionOid: Oid;
  readonly context: string;
  readonly method: string;
}> {
  for (const line of castFacts.trim().split('\n')) {
    const [source, target, context, method, procedure] = line.split(' ') as [string, string, string, string, string];
    yield { source: Number(source), target: Number(target), context, method, functionOid: Number(procedure) };
  }
}

function withTypmod(convert: (value: Value, context: EvaluationContext) => Value, target: SqlType): CastCall {
  const coerce = target.coerceTypmod?.bind(target);
  if (coerce === undefined) return (value, _typmod, _explicit, context) => convert(value, context);
  return (value, typmod, explicit, context) => {
    const converted = convert(value, context);
    return typmod < 0 || converted === null ? converted : coerce(converted, typmod, explicit);
  };
}

/** Casts among the types of one catalog picture. */
export function castFinder(types: TypeLookup, added: CastSource = NO_SOURCE): CastFinder {
  const made = new Map<string, CastDefinition | undefined>();

  function find(source: Oid, target: Oid, context: CastContext): CastDefinition | undefined {
    const key = `${source} ${target}`;
    let definition: CastDefinition | undefined;
    if (made.has(key)) {
      definition = made.get(key);
    } else {
      // Marked first: a type that contains itself through arrays finds no way instead of looping.
      made.set(key, undefined);
      definition = make(source, target);
      made.set(key, definition);
    }
    return definition !== undefined && STRENGTH[definition.context] <= STRENGTH[context] ? definition : undefined;
  }

  function make(source: Oid, target: Oid): CastDefinition | undefined {
    const from = types.byOid(source);
    const to = types.byOid(target);
    if (from === undefined || to === undefined) return undefined;
    if (from.kind === 'domain') return find(from.baseOid, target, 'explicit');
    if (to.kind === 'domain') return toDomain(source, to);
    if (source !== target && (from.kind === 'distinct' || to.kind === 'distinct')) return ofDistinct(from, to);
    if (source === target) return { source, target, context: 'implicit', volatility: 'immutable' };
    return (
      ofUser(from, to) ??
      ofCatalog(source, to) ??
      ofArrays(from, to) ??
      ofRange(from, to) ??
      ofRows(from, to) ??
      (isPseudo(from) || isPseudo(to) ? undefined : throughText(from, to))
    );
  }

  function toDomain(source: Oid, domain: SqlType): CastDefinition | undefined {
    const inner = find(source, domain.baseOid, 'explicit');
    if (inner === undefined || domain.constrain === undefined) {
      return inner === undefined ? undefined : { ...inner, source, target: domain.oid };
    }
    const convert = inner.call as CastCall | undefined;
    const call: CastCall = (value, typmod, explicit, context) =>
      (domain.constrain as NonNullable<SqlType['constrain']>)(
        convert === undefined ? value : convert(value, typmod, explicit, context),
        context,
      );
    return {
      source,
      target: domain.oid,
      context: inner.context,
      call: call as NonNullable<CastDefinition['call']>,
      ...(inner.callsRoutine === true ? { callsRoutine: true as const } : {}),
      volatility: 'stable',
    };
  }

  /**
   * To and from a distinct type by way of its base type. An assignment takes it to that type alone, and takes to it what
   * could be assigned to that type; between two distinct types there is none.
   */
  function ofDistinct(from: SqlType, to: SqlType): CastDefinition | undefined {
    const into = to.kind === 'distinct';
    if (into && from.kind === 'distinct') return undefined;
    const base = types.byOid(into ? to.baseOid : from.baseOid) as SqlType;
    const inner = into ? find(from.oid, base.oid, 'explicit') : find(base.oid, to.oid, 'explicit');
    if (inner === undefined) return undefined;
    const assigned = into ? inner.context !== 'explicit' : to.oid === base.oid;
    const typmod = to.baseTypmod ?? -1;
    const size = into && typmod >= 0 ? base.coerceTypmod?.bind(base) : undefined;
    const convert = inner.call as CastCall | undefined;
    const call: CastCall = (value, wanted, explicit, context) => {
      const converted = convert === undefined ? value : convert(value, into ? -1 : wanted, explicit, context);
      return size === undefined || converted === null ? converted : size(converted, typmod, explicit);
    };
    return {
      source: from.oid,
      target: to.oid,
      context: assigned ? 'assignment' : 'explicit',
      ...(convert === undefined && size === undefined ? {} : { call: call as NonNullable<CastDefinition['call']> }),
      volatility: inner.volatility,
    };
  }

  function ofUser(from: SqlType, to: SqlType): CastDefinition | undefined {
    const made = added.userCast(from.oid, to.oid);
    if (made === undefined) return undefined;
    const { context } = made;
    if (made.method === 'inout') return { ...throughTypes(from, to), context };
    const common = { source: from.oid, target: to.oid, context };
    const { function: convert } = made;
    if (convert === undefined) return { ...common, volatility: 'immutable' };
    const { length } = convert.argumentTypes;
    const callTypes: CallTypes = {
      arguments: convert.argumentTypes.map((oid) => ({ oid, typmod: -1 })),
      result: { oid: to.oid, typmod: -1 },
    };
    const call = convert.call as (...args: unknown[]) => Value;
    const apply: CastCall = (value, typmod, explicit, evaluation) => {
      if (value === null && convert.strict) return null;
      const args: unknown[] = [value, typmod, explicit].slice(0, length);
      if (convert.needsContext === true) args.push(evaluation);
      if (convert.needsTypes === true) args.push(callTypes);
      return call(...args);
    };
    return {
      ...common,
      call: apply as NonNullable<CastDefinition['call']>,
      function: convert,
      ...(convert.routine === undefined ? {} : { callsRoutine: true as const }),
      volatility: convert.volatility,
    };
  }

  function ofCatalog(source: Oid, to: SqlType): CastDefinition | undefined {
    const fact = factOf(source, to.oid) ?? addedFact(source, to.oid);
    if (fact === undefined) return undefined;
    const common = { source, target: to.oid, context: fact.context };
    const from = types.byOid(source) as SqlType;
    const sign = changeOfSign(from, to);
    if (sign !== undefined)
      return { ...common, call: sign as NonNullable<CastDefinition['call']>, volatility: 'immutable' };
    if (fact.method === 'b') return { ...common, volatility: 'immutable' };
    if (fact.method === 'i') return { ...throughTypes(from, to), context: fact.context };
    const definition = added.byOid(fact.functionOid);
    if (definition?.kind !== 'scalar') return undefined;
    const call = definition.call as (...args: unknown[]) => Value;
    if (definition.argumentTypes.length === 2) {
      // The function wants to know the target's modifier: int4::bit(5) takes the lowest five bits.
      const sized: CastCall = (value, typmod) => call(value, typmod);
      return { ...common, call: sized as NonNullable<CastDefinition['call']>, volatility: definition.volatility };
    }
    const convert =
      definition.needsContext === true
        ? (value: Value, context: EvaluationContext) => call(value, context)
        : (value: Value) => call(value);
    return {
      ...common,
      call: withTypmod(convert, to) as NonNullable<CastDefinition['call']>,
      volatility: definition.volatility,
    };
  }

  function addedFact(source: Oid, target: Oid): CastFact | undefined {
    const cast = added.cast(source, target);
    return cast === undefined ? undefined : { ...cast, method: cast.functionOid === 0 ? 'b' : 'f' };
  }

  function ofArrays(from: SqlType, to: SqlType): CastDefinition | undefined {
    // int2vector and oidvector are arrays to a cast, though not by their kind.
    const isArray = from.kind === 'array' || from.oid === TypeOid.int2Vector || from.oid === TypeOid.oidVector;
    if (!isArray || to.kind !== 'array') return undefined;
    const inner = find(from.elementOid, to.elementOid, 'explicit');
    if (inner === undefined) return undefined;
    const call = inner.call as CastCall | undefined;
    const element = types.byOid(to.elementOid) as SqlType;
    const coerce = element.coerceTypmod?.bind(element);
    const convert: CastCall = (value, typmod, explicit, context) => {
      const array = value as SqlArray;
      let { items } = array;
      if (call !== undefined) {
        items = items.map((item) => (item === null ? null : call(item, typmod, explicit, context)));
      } else if (coerce !== undefined && typmod >= 0) {
        items = items.map((item) => (item === null ? null : coerce(item, typmod, explicit)));
      }
      return new SqlArray(to.elementOid, array.dimensions, array.lowerBounds, items);
    };
    return {
      source: from.oid,
      target: to.oid,
      context: inner.context,
      call: convert as NonNullable<CastDefinition['call']>,
      ...(inner.callsRoutine === true ? { callsRoutine: true as const } : {}),
      volatility: inner.volatility,
    };
  }

  /** A range is a multirange of one, where that is asked for. */
  function ofRange(from: SqlType, to: SqlType): CastDefinition | undefined {
    const traits = from.kind === 'range' ? from.range : undefined;
    if (traits?.multirangeOid !== to.oid) return undefined;
    const call = (range: SqlRange): Value => makeMultirange(traits, [range]);
    return {
      source: from.oid,
      target: to.oid,
      context: 'explicit',
      call: call as NonNullable<CastDefinition['call']>,
      volatility: 'immutable',
    };
  }

  function ofRows(from: SqlType, to: SqlType): CastDefinition | undefined {
    const fromRow = from.kind === 'composite' || from.oid === TypeOid.record;
    if (!fromRow) return undefined;
    const common = { source: from.oid, target: to.oid, context: 'implicit' as const };
    if (to.oid === TypeOid.record) return { ...common, volatility: 'immutable' };
    if (to.kind !== 'composite') return undefined;
    const call: CastCall = (value, _typmod, explicit, context) => castRow(value as SqlRecord, to, explicit, context);
    return { ...common, call: call as NonNullable<CastDefinition['call']>, volatility: 'stable' };
  }

  function castRow(row: SqlRecord, to: SqlType, explicit: boolean, context: EvaluationContext): SqlRecord {
    const shape = to.storage.record;
    if (shape === undefined) throw new PhantomError('42846', `cannot cast type record to ${to.displayName}`);
    if (row.fields.length !== shape.types.length) {
      throw new PhantomError('42846', `cannot cast type record to ${to.displayName}`, {
        detail: row.fields.length < shape.types.length ? 'Input has too few columns.' : 'Input has too many columns.',
      });
    }
    const fields = row.fields.map((field, i) => {
      const source = row.shape.types[i] as Oid;
      const target = shape.types[i] as Oid;
      const typmod = shape.typmods[i] ?? -1;
      const type = types.byOid(target) as SqlType;
      if (field === null) return source === target ? null : (type.constrain?.(null, context) ?? null);
      if (source === TypeOid.unknown) return type.input(field as string, typmod, context);
      const cast = find(source, target, 'explicit');
      if (cast === undefined) {
        throw new PhantomError('42846', `cannot cast type record to ${to.displayName}`, {
          detail: `Cannot cast type ${types.byOid(source)?.displayName ?? String(source)} to ${type.displayName} in column ${i + 1}.`,
        });
      }
      const call = cast.call as CastCall | undefined;
      if (call !== undefined) return call(field, typmod, explicit, context);
      return typmod < 0 ? field : (type.coerceTypmod?.(field, typmod, explicit) ?? field);
    });
    return new SqlRecord(to.oid, fields, shape);
  }

  return find;
}

/** The same 32 bits with and without a sign (integer and oid) are different numbers in JavaScript. */
function changeOfSign(from: SqlType, to: SqlType): ((value: number) => number) | undefined {
  const fromKind = from.storage.kind;
  const toKind = to.storage.kind;
  if (toKind === StorageKind.UInt32 && (fromKind === StorageKind.Int32 || fromKind === StorageKind.Int16)) {
    return (value) => value >>> 0;
  }
  return fromKind === StorageKind.UInt32 && toKind === StorageKind.Int32 ? (value) => value | 0 : undefined;
}

function isPseudo(type: SqlType): boolean {
  return type.kind === 'pseudo' && type.oid !== TypeOid.record && type.oid !== TypeOid.recordArray;
}

/** Types whose text is the same in every session. */
const PLAIN_OUTPUT: ReadonlySet<Oid> = new Set([
  TypeOid.bool,
  TypeOid.int2,
  TypeOid.int4,
  TypeOid.int8,
  TypeOid.oid,
  TypeOid.numeric,
  TypeOid.uuid,
  TypeOid.text,
  TypeOid.varchar,
  TypeOid.bpchar,
  TypeOid.name,
  TypeOid.json,
  TypeOid.jsonb,
  TypeOid.bit,
  TypeOid.varbit,
  TypeOid.char,
  TypeOid.inet,
  TypeOid.cidr,
  TypeOid.macaddr,
  TypeOid.macaddr8,
  TypeOid.pgLsn,
  TypeOid.tid,
  TypeOid.xid,
  TypeOid.xid8,
]);

/** Types that a text means one value of, in every session. */
const PLAIN_INPUT: ReadonlySet<Oid> = new Set([
  ...PLAIN_OUTPUT,
  TypeOid.float4,
  TypeOid.float8,
  TypeOid.bytea,
  TypeOid.point,
  TypeOid.lseg,
  TypeOid.path,
  TypeOid.box,
  TypeOid.polygon,
  TypeOid.line,
  TypeOid.circle,
]);

function throughTypes(from: SqlType, to: SqlType): CastDefinition {
  const convert = (value: Value, context: EvaluationContext): Value =>
    to.input(from.output(value, context), -1, context);
  const volatility: Volatility = PLAIN_OUTPUT.has(from.oid) && PLAIN_INPUT.has(to.oid) ? 'immutable' : 'stable';
  return {
    source: from.oid,
    target: to.oid,
    context: 'explicit',
    call: withTypmod(convert, to) as NonNullable<CastDefinition['call']>,
    volatility,
  };
}

/** Everything becomes text in an assignment; text becomes everything where it is asked for. */
function throughText(from: SqlType, to: SqlType): CastDefinition | undefined {
  if (to.category === 'S') return { ...throughTypes(from, to), context: 'assignment' };
  return from.category === 'S' ? throughTypes(from, to) : undefined;
}
