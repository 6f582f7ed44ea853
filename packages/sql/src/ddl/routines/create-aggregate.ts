/**
 * CREATE AGGREGATE over functions that are there: in the style of an argument list, and in the old one with BASETYPE. After
 * aggregatecmds.c and pg_aggregate.c of PostgreSQL 15.
 *
 * Left out (0A000): ordered-set and hypothetical-set aggregates, and states of type internal with what they need.
 */
import { PhantomError, unsupportedError } from '@phantom/base';
import {
  type AggregateDefinition,
  type AggregateSteps,
  NameClass,
  type Oid,
  type RoutineDescriptor,
  type RoutineParameter,
  type TypeRef,
  routineKeyName,
} from '@phantom/catalog';
import { resolveTypeName } from '../../expr/type-names.js';
import { isPolymorphic } from '../../functions/polymorphic-types.js';
import type { CreateDefinition } from '../../text/ast-schema.js';
import type { Option, OptionValue, TypeName } from '../../text/ast-leaves.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { DdlContext, DdlExecution } from '../context.js';
import { claimName, creationSchema, lockForChange, requireOwner, splitName } from '../names.js';
import { ownership } from '../ownership.js';
import { dependOn } from '../stored-queries.js';
import { dependOnTypes, requireTypeUsage } from '../types.js';
import { type CheckedFunction, checkedFunction, executableBy } from './aggregate-functions.js';
import { routineText } from './routine-names.js';
import { checkResultFamily, parameterOf } from './routine-parameters.js';

/** Options that are read; those of the right have one of the left's meaning. */
const OPTIONS = [
  'sfunc',
  'stype',
  'sspace',
  'finalfunc',
  'finalfunc_extra',
  'finalfunc_modify',
  'combinefunc',
  'serialfunc',
  'deserialfunc',
  'initcond',
  'msfunc',
  'minvfunc',
  'mstype',
  'msspace',
  'mfinalfunc',
  'mfinalfunc_extra',
  'mfinalfunc_modify',
  'minitcond',
  'sortop',
  'parallel',
  'hypothetical',
  'basetype',
] as const;
type OptionName = (typeof OPTIONS)[number];
const OLD_NAMES: Readonly<Record<string, OptionName>> = { sfunc1: 'sfunc', stype1: 'stype', initcond1: 'initcond' };
const PARALLEL: ReadonlySet<string> = new Set(['safe', 'restricted', 'unsafe']);

type Options = ReadonlyMap<OptionName, Option>;

function invalid(message: string, detail?: string): PhantomError {
  return new PhantomError('42P13', message, { detail });
}

export function* createAggregate(context: DdlContext, node: CreateDefinition): DdlExecution {
  const place = creationSchema(context, node.name);
  const options = readOptions(context, node.definition);
  const parameters = parametersOf(context, node, options);
  for (const unsupported of ['serialfunc', 'deserialfunc', 'hypothetical', 'sortop'] as const)
    if (options.has(unsupported)) throw unsupportedError(`${unsupported.toUpperCase()} of an aggregate`);
  const { definition, resultType } = stepsOf(context, parameters, options);
  const key = routineKeyName({ name: place.name, parameters });
  const claimed = yield* claimName(context, NameClass.Routine, place.schemaOid, key);
  const existing = claimed !== undefined && node.orReplace ? yield* lockForChange(context, claimed) : claimed;
  const before = existing?.kind === 'routine' ? existing : undefined;
  if (before !== undefined) {
    if (!node.orReplace)
      throw new PhantomError('42723', `function "${place.name}" already exists with same argument types`);
    requireOwner(context, before);
    mayReplace(context, before, resultType);
  }
  const aggregate: RoutineDescriptor = {
    kind: 'routine',
    oid: before?.oid ?? context.catalog.allocateOid(),
    name: place.name,
    databaseOid: context.databaseOid,
    schemaOid: place.schemaOid,
    ...ownership(context, 'function', place.schemaOid),
    ...(before === undefined ? {} : { ownerOid: before.ownerOid }),
    ...(before?.acl === undefined ? {} : { acl: before.acl }),
    ...(before?.comment === undefined ? {} : { comment: before.comment }),
    routine: 'aggregate',
    language: 'internal',
    parameters,
    resultType,
    returnsSet: false,
    volatility: 'immutable',
    strict: false,
    securityDefiner: false,
    leakproof: false,
    parallel: parallelOf(options),
    cost: 1,
    rows: 0,
    searchPath: [],
    source: 'aggregate_dummy',
    aggregate: definition,
  };
  context.objects.put(aggregate);
  dependOn(
    context,
    aggregate.oid,
    functionsOf(definition).map((oid) => ({ oid, column: 0 })),
  );
  const types = [...parameters.map(({ type }) => type), resultType, definition.stateType];
  dependOnTypes(
    context,
    aggregate.oid,
    types.map((type) => ({ column: 0, type })),
  );
  return undefined;
}

function readOptions(context: DdlContext, definition: readonly Option[]): Options {
  const options = new Map<OptionName, Option>();
  for (const option of definition) {
    const written = option.name.text;
    const name = OLD_NAMES[written] ?? OPTIONS.find((known) => known === written);
    if (name === undefined) context.notice('WARNING', '42601', `aggregate attribute "${written}" not recognized`);
    else options.set(name, option);
  }
  return options;
}

function parametersOf(context: DdlContext, node: CreateDefinition, options: Options): readonly RoutineParameter[] {
  const { signature } = node;
  const base = options.get('basetype');
  if (signature === undefined) {
    if (base === undefined) throw invalid('aggregate input type must be specified');
    const isAny = textOf(base).toLowerCase() === 'any';
    return isAny ? [] : [{ name: '', mode: 'in', type: typeOf(context, base) }];
  }
  if (base !== undefined) throw invalid('basetype is redundant with aggregate input type specification');
  if (signature.directCount >= 0) throw unsupportedError('ordered-set aggregates of users');
  return signature.parameters.map((parameter) => {
    if (parameter.mode === 'out' || parameter.mode === 'inout')
      throw new PhantomError('0A000', 'aggregates cannot have output arguments', { position: parameter.position + 1 });
    return parameterOf(context, parameter);
  });
}

/** The functions and their types put together; the result's type comes with them. */
function stepsOf(
  context: DdlContext,
  parameters: readonly RoutineParameter[],
  options: Options,
): { readonly definition: AggregateDefinition; readonly resultType: TypeRef } {
  const given = parameters.map(({ type }) => type.oid);
  if (!options.has('stype')) throw invalid('aggregate stype must be specified');
  if (!options.has('sfunc')) throw invalid('aggregate sfunc must be specified');
  checkMovingOptions(options);
  const plain = stepsIn(context, given, options, '');
  const movingOptions = options.has('mstype') ? stepsIn(context, given, options, 'm') : undefined;
  const inverse = movingOptions === undefined ? undefined : inverseOf(context, given, movingOptions, options);
  const combine = options.get('combinefunc');
  let combineOid: Oid | undefined;
  if (combine !== undefined) {
    const { oid } = plain.steps.stateType;
    const found = functionIn(context, combine, [oid, oid]);
    if (found.resultOid !== oid) throw wrongResult('combine', found, oid, context);
    combineOid = found.definition.oid;
  }
  if (movingOptions !== undefined && movingOptions.resultOid !== plain.resultOid) {
    const [moving, own] = [movingOptions.resultOid, plain.resultOid].map((oid) => shownType(context, oid));
    throw invalid(
      `moving-aggregate implementation returns type ${moving}, but plain implementation returns type ${own}`,
    );
  }
  const moving =
    movingOptions === undefined || inverse === undefined
      ? {}
      : { moving: { ...movingOptions.steps, inverseOid: inverse.definition.oid } };
  checkResultFamily(given, plain.resultOid, 'cannot determine result data type');
  return {
    definition: { ...plain.steps, ...(combineOid === undefined ? {} : { combineOid }), ...moving },
    resultType: typeRef(plain.resultOid),
  };
}

function checkMovingOptions(options: Options): void {
  const [isMoving, others] = [options.has('mstype'), ['mfinalfunc', 'msspace', 'minitcond'] as const];
  for (const name of ['msfunc', 'minvfunc'] as const) {
    if (isMoving && !options.has(name)) throw invalid(`aggregate ${name} must be specified when mstype is specified`);
    if (!isMoving && options.has(name)) throw invalid(`aggregate ${name} must not be specified without mstype`);
  }
  const stray = isMoving ? undefined : others.find((name) => options.has(name));
  if (stray !== undefined) throw invalid(`aggregate ${stray} must not be specified without mstype`);
}

interface CheckedSteps {
  readonly steps: AggregateSteps;
  readonly step: CheckedFunction;
  readonly resultOid: Oid;
}

/** The plain steps, or with the prefix "m" those for frames that move. */
function stepsIn(context: DdlContext, given: readonly Oid[], options: Options, prefix: '' | 'm'): CheckedSteps {
  const stateType = typeOf(context, options.get(`${prefix}stype`) as Option);
  const { oid: stateOid } = stateType;
  const kind = context.picture.types.byOid(stateOid)?.kind;
  if (stateOid === TypeOid.internal) throw unsupportedError('aggregates with a state of type internal');
  if (kind === 'pseudo' && !isPolymorphic(stateOid))
    throw invalid(`aggregate transition data type cannot be ${shownType(context, stateOid)}`);
  checkResultFamily(given, stateOid, 'cannot determine transition data type');
  const step = functionIn(context, options.get(`${prefix}sfunc`) as Option, [stateOid, ...given]);
  if (step.resultOid !== stateOid)
    throw wrongResult(prefix === '' ? 'transition' : 'moving-aggregate transition', step, stateOid, context);
  const initial = options.get(`${prefix}initcond`);
  const initialText = initial === undefined ? undefined : textOf(initial);
  if (initialText === undefined && step.definition.strict && !isSameRepresentation(context, given[0], stateOid))
    throw invalid(
      'must not omit initial value when transition function is strict and transition type is not compatible with input type',
    );
  if (initialText !== undefined && kind !== 'pseudo')
    context.picture.types.byOid(stateOid)?.input(initialText, -1, context.evaluation);
  const final = options.get(`${prefix}finalfunc`);
  const finalHasArguments = isOn(options.get(`${prefix}finalfunc_extra`));
  checkModify(options.get(`${prefix}finalfunc_modify`), `${prefix}finalfunc_modify`);
  const steps = {
    stepOid: step.definition.oid,
    stateType,
    finalHasArguments: final !== undefined && finalHasArguments,
    ...(initialText === undefined ? {} : { initialText }),
  };
  if (final === undefined) return { steps, step, resultOid: stateOid };
  const found = functionIn(context, final, finalHasArguments ? [stateOid, ...given] : [stateOid]);
  if (finalHasArguments && found.definition.strict)
    throw invalid('final function with extra arguments must not be declared STRICT');
  return { steps: { ...steps, finalOid: found.definition.oid }, step, resultOid: found.resultOid };
}

function inverseOf(
  context: DdlContext,
  given: readonly Oid[],
  { steps, step }: CheckedSteps,
  options: Options,
): CheckedFunction {
  const { oid } = steps.stateType;
  const inverse = functionIn(context, options.get('minvfunc') as Option, [oid, ...given]);
  if (inverse.resultOid !== oid) throw wrongResult('inverse transition', inverse, oid, context);
  if (inverse.definition.strict !== step.definition.strict)
    throw invalid("strictness of aggregate's forward and inverse transition functions must match");
  return inverse;
}

function functionIn(context: DdlContext, { value }: Option, types: readonly Oid[]): CheckedFunction {
  const { schema, name } = splitName(nameIn(value), context.picture.databaseName);
  const found = checkedFunction(context, { schema, name }, types);
  executableBy(context, found.definition);
  return found;
}

function wrongResult(what: string, { definition }: CheckedFunction, wanted: Oid, context: DdlContext): PhantomError {
  return new PhantomError(
    '42804',
    `return type of ${what} function ${definition.name} is not ${shownType(context, wanted)}`,
  );
}

/** True where a value of the one type is one of the other as it stands. */
function isSameRepresentation(context: DdlContext, given: Oid | undefined, wanted: Oid): boolean {
  if (given === undefined) return false;
  if (given === wanted) return true;
  const cast = context.picture.functions.findCast(given, wanted, 'implicit');
  return cast !== undefined && cast.call === undefined;
}

function shownType(context: DdlContext, oid: Oid): string {
  return context.picture.types.byOid(oid)?.displayName ?? String(oid);
}

// -------------------------------------------------------------------------------------------------- values of options

function nameIn(value: OptionValue | undefined): TypeName['name'] {
  if (value?.kind === 'word') return value.name;
  if (value?.kind === 'type') return value.type.name;
  if (value?.kind === 'string') return [{ text: value.value, position: value.position, quoted: true }];
  throw new PhantomError('42601', 'a function name must be given');
}

function typeOf(context: DdlContext, { value }: Option): TypeRef {
  const name: TypeName =
    value?.kind === 'type'
      ? value.type
      : {
          kind: 'type-name',
          name: nameIn(value),
          system: false,
          modifiers: [],
          intervalFields: [],
          arrayBounds: [],
          setOf: false,
          columnType: false,
          position: value?.position ?? 0,
        };
  const { oid } = resolveTypeName(context.picture, name);
  requireTypeUsage(context, typeRef(oid));
  return typeRef(oid);
}

function textOf({ value }: Option): string {
  switch (value?.kind) {
    case 'string':
      return value.value;
    case 'number':
      return value.text;
    case 'boolean':
      return String(value.value);
    default:
      return nameIn(value)
        .map(({ text }) => text)
        .join('.');
  }
}

function isOn(option: Option | undefined): boolean {
  return option !== undefined && (option.value === undefined || textOf(option) === 'true');
}

const MODIFY: ReadonlySet<string> = new Set(['read_only', 'shareable', 'read_write']);

/** Whether states may be shared between aggregates: they never are. */
function checkModify(option: Option | undefined, name: string): void {
  if (option === undefined || MODIFY.has(textOf(option))) return;
  throw new PhantomError('42601', `parameter "${name}" must be READ_ONLY, SHAREABLE, or READ_WRITE`);
}

function parallelOf(options: Options): RoutineDescriptor['parallel'] {
  const option = options.get('parallel');
  if (option === undefined) return 'unsafe';
  const word = textOf(option);
  if (PARALLEL.has(word)) return word as RoutineDescriptor['parallel'];
  throw new PhantomError('42601', 'parameter "parallel" must be SAFE, RESTRICTED, or UNSAFE');
}

function functionsOf({ stepOid, finalOid, combineOid, moving }: AggregateDefinition): readonly Oid[] {
  const all = [stepOid, finalOid, combineOid, moving?.stepOid, moving?.finalOid, moving?.inverseOid];
  return [...new Set(all.filter((oid) => oid !== undefined))];
}

function mayReplace(context: DdlContext, before: RoutineDescriptor, resultType: TypeRef): void {
  if (before.routine !== 'aggregate') {
    const detail = `"${before.name}" is ${before.routine === 'function' ? 'an ordinary function' : 'a procedure'}.`;
    throw new PhantomError('42809', 'cannot change routine kind', { detail });
  }
  if (before.resultType.oid !== resultType.oid)
    throw new PhantomError('42P13', 'cannot change return type of existing function', {
      hint: `Use DROP AGGREGATE ${routineText(context, before)} first.`,
    });
}
