/**
 * Pieces of SQL as a running body uses them: variables are their parameters.
 *
 *   SELECT v INTO y FROM t WHERE id = x + r.f        parameters: x, r.f
 *
 * Which names may be variables is known when the body is compiled; whether they are is for the binder to say, since columns
 * may have the same names. A piece is bound when it is first run, once for each combination of the types that records bring
 * along, and again when the catalog has moved on.
 */
import { PhantomError } from '@phantom/base';
import type { TypeRef } from '@phantom/catalog';
import type { SqlRecord } from '@phantom/codec';
import type { Yielded } from '../../exec/runtime.js';
import type { ParameterNames } from '../../expr/context.js';
import { isLong } from '../../functions/long-calls.js';
import type { FunctionDefinition } from '../../functions/registry.js';
import { type RoutineExpression, bindRoutineExpression } from '../../plan/routine-expression.js';
import type { RoutineBinding } from '../../plan/routine-binding.js';
import type * as Ast from '../../text/ast.js';
import type { QualifiedName } from '../../text/ast-leaves.js';
import { TypeOid } from '../../types/type-oids.js';
import { typeRef } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import { inContext } from '../error-context.js';
import type { RoutineHost, RoutineStatement } from '../routine-language.js';
import { hasQuery, overParameters, withSubscripts } from './part-query.js';
import { FirstRows } from './row-sinks.js';
import type { ExpressionFragment, Fragment, StatementFragment, VariableConflict } from './syntax.js';
import type { Frame, NameScope, Variable } from './variables.js';

/** Combinations of types for which one piece is kept bound. */
const BOUND_MAX = 16;
/** Stands for the field of a record that has no such field. */
const NO_TYPE = typeRef(TypeOid.void);

/** A parameter of a piece: a variable, or a field of one whose fields are known when it runs. */
interface Reference {
  readonly variable: Variable;
  readonly field: string | undefined;
}

/** A parameter for messages. */
export interface ShownParameter {
  readonly name: string;
  readonly value: Value;
  readonly type: TypeRef;
}

/** What a piece of SQL may mention. */
export interface FragmentScope {
  readonly host: RoutineHost;
  readonly names: NameScope;
  /** Of $1, $2, ... */
  readonly parameters: readonly Variable[];
  readonly conflict: VariableConflict;
}

export class FragmentParameters {
  private readonly references: Reference[] = [];
  private readonly found = new Map<string, { readonly index: number; readonly used: number }>();
  private readonly conflict: VariableConflict;
  private readonly count: number;
  /** What types it has is known when it runs. */
  readonly isDynamic: boolean;
  private readonly fixedTypes: readonly TypeRef[];

  constructor({ paths, usesNumbers }: Fragment, scope: FragmentScope, assigned?: Variable) {
    this.conflict = scope.conflict;
    this.count = scope.parameters.length;
    if (usesNumbers) for (const variable of scope.parameters) this.references.push({ variable, field: undefined });
    for (const path of paths) {
      const found = scope.names.find(path);
      if (found === undefined) continue;
      const { variable, used } = found;
      const isField = variable.isRow && variable.columns === undefined && path.length > used;
      const index = this.indexOf(variable, isField ? path[used] : undefined);
      this.found.set(path.join('\0'), { index, used: isField ? used + 1 : used });
    }
    if (assigned !== undefined) this.indexOf(assigned, undefined);
    this.isDynamic = this.references.some(({ field }) => field !== undefined);
    this.fixedTypes = this.references.map(({ variable }) => variable.type);
  }

  /** The number of a parameter, from 1; it becomes one if need be. */
  indexOf(variable: Variable, field: string | undefined): number {
    const known = this.references.findIndex((other) => other.variable === variable && other.field === field);
    return known >= 0 ? known + 1 : this.references.push({ variable, field });
  }

  types(frame: Frame): readonly TypeRef[] {
    if (!this.isDynamic) return this.fixedTypes;
    return this.references.map(({ variable, field }) => {
      if (field === undefined) return variable.type;
      const record = frame.values[variable.slot] as SqlRecord | null;
      const place = record?.shape.names.indexOf(field) ?? -1;
      return place < 0 ? NO_TYPE : typeRef(record?.shape.types[place] as number);
    });
  }

  values(frame: Frame): readonly Value[] {
    const { references } = this;
    const values: Value[] = [];
    for (let i = 0; i < references.length; i++) {
      const { variable, field } = references[i] as Reference;
      const value = frame.values[variable.slot];
      values.push(field === undefined || value === null ? value : fieldOf(value as SqlRecord, field));
    }
    return values;
  }

  /** By name, in the order in which the variables were declared. */
  shown(frame: Frame): readonly ShownParameter[] {
    const values = this.values(frame);
    const types = this.types(frame);
    return this.references
      .map(({ variable, field }, i) => ({
        slot: variable.slot,
        name: field ?? variable.name,
        value: values[i],
        type: types[i] as TypeRef,
      }))
      .sort((a, b) => a.slot - b.slot);
  }

  /** How the binder finds them, with the records that there are now. */
  names(frame: Frame): ParameterNames {
    const types = this.types(frame);
    const { found, references } = this;
    return {
      count: this.count,
      prefers: this.conflict,
      find(names) {
        const reference = found.get(names.join('\0'));
        return reference === undefined || types[reference.index - 1] === NO_TYPE ? undefined : reference;
      },
      missing(names) {
        const reference = found.get(names.join('\0'));
        if (reference === undefined) return undefined;
        const { variable, field } = references[reference.index - 1] as Reference;
        return withoutField(variable, frame.values[variable.slot] as SqlRecord | null, field as string);
      },
    };
  }
}

function fieldOf(record: SqlRecord, field: string): Value {
  const place = record.shape.names.indexOf(field);
  return place < 0 ? null : record.fields[place];
}

/** Why a record has no such field. */
export function withoutField(variable: Variable, value: SqlRecord | null, field: string): PhantomError {
  if (value === null) return notAssigned(variable);
  return new PhantomError('42703', `record "${variable.name}" has no field "${field}"`);
}

/** Of a record that was given no row yet, and so has no columns. */
export function notAssigned({ name }: Variable): PhantomError {
  return new PhantomError('55000', `record "${name}" is not assigned yet`, {
    detail: 'The tuple structure of a not-yet-assigned record is indeterminate.',
  });
}

const PLANNED: ReadonlySet<StatementFragment['node']['kind']> = new Set([
  'query',
  'insert',
  'update',
  'delete',
  'merge',
]);

/** A whole statement. */
export class StatementCode {
  readonly fragment: StatementFragment;
  private readonly parameters: FragmentParameters;
  private readonly prepareBy: RoutineHost['prepare'];
  private readonly bound = new Map<string, RoutineStatement>();

  constructor(fragment: StatementFragment, scope: FragmentScope, use: 'rows' | 'cursor' = 'rows') {
    this.fragment = fragment;
    this.parameters = new FragmentParameters(fragment, scope);
    this.prepareBy = use === 'cursor' ? scope.host.prepareCursor : scope.host.prepare;
  }

  values(frame: Frame): readonly Value[] {
    return this.parameters.values(frame);
  }

  /** What it is given, in the order in which the variables were declared. */
  parametersOf(frame: Frame): readonly ShownParameter[] {
    return this.parameters.shown(frame);
  }

  /** The statement for the records that there are now. */
  statement(frame: Frame): RoutineStatement {
    const { node, text } = this.fragment;
    // Commands are analysed each time: what they name may have changed.
    if (!PLANNED.has(node.kind)) return this.prepare(frame, node, text);
    return this.bind(frame, () => this.prepare(frame, node, text));
  }

  private prepare(frame: Frame, node: StatementFragment['node'], text: string): RoutineStatement {
    const binding: RoutineBinding = { names: this.parameters.names(frame), wanted: undefined, stored: undefined };
    return inQuery(text, () => this.prepareBy(node, text, this.parameters.types(frame), binding));
  }

  private bind(frame: Frame, make: () => RoutineStatement): RoutineStatement {
    const key = this.parameters.isDynamic ? typesKey(this.parameters.types(frame)) : '';
    let statement = this.bound.get(key);
    if (statement === undefined) {
      if (this.bound.size >= BOUND_MAX) this.bound.clear();
      this.bound.set(key, (statement = make()));
    }
    return statement;
  }
}

function typesKey(types: readonly TypeRef[]): string {
  return types.map(({ oid }) => oid).join(',');
}

interface BoundExpression {
  readonly version: number;
  readonly simple: RoutineExpression | undefined;
  readonly statement: RoutineStatement | undefined;
  /** Puts what the statement gave, behind the parameters, into its part of the variable. */
  readonly put: RoutineExpression | undefined;
}

/** An expression: computed at once where no query stands in it. */
export class ExpressionCode {
  readonly fragment: ExpressionFragment;
  /** It neither queries nor calls what may, or what takes long over long values: its value is there at once. */
  readonly isPlain: boolean;
  /** It is there at once unless a value that it is made of is long. */
  readonly isMostlyPlain: boolean;
  private readonly parameters: FragmentParameters;
  private readonly host: RoutineHost;
  private readonly part: { readonly parameter: number; readonly target: Ast.TargetColumn } | undefined;
  private readonly bound = new Map<string, BoundExpression>();
  private last: BoundExpression | undefined;

  constructor(
    fragment: ExpressionFragment,
    scope: FragmentScope,
    part?: { readonly variable: Variable; readonly target: Ast.TargetColumn },
  ) {
    this.fragment = fragment;
    this.parameters = new FragmentParameters(fragment, scope, part?.variable);
    this.host = scope.host;
    const { isPlain, expression } = fragment;
    this.isMostlyPlain = isPlain && !hasQuery(part?.target.path) && !namesFunction(expression, scope.host, isRoutine);
    this.isPlain = this.isMostlyPlain && !namesFunction(expression, scope.host, mayTakeLong);
    if (part !== undefined)
      this.part = { parameter: this.parameters.indexOf(part.variable, undefined), target: part.target };
  }

  /** The value, at once; `type` tells its type afterwards. */
  value(frame: Frame): Value {
    const { simple } = this.boundFor(frame);
    if (simple === undefined || simple.execute !== undefined) return this.host.driveNow(this.compute(frame));
    if (simple.privileges.length > 0) this.host.checkPrivileges(simple.privileges);
    return simple.evaluate(this.parameters.values(frame), this.host.evaluation);
  }

  /** True where `compute` is to be asked for the value of what is mostly plain. */
  takesLong(frame: Frame): boolean {
    const { simple } = this.boundFor(frame);
    if (simple === undefined) return true;
    return simple.executeLong !== undefined && this.parameters.values(frame).some(isLong);
  }

  /** The value, by the protocol of executions. */
  *compute(frame: Frame): Generator<Yielded, Value, void> {
    const { simple, statement, put } = this.boundFor(frame);
    if (simple !== undefined) {
      return yield* this.execute(simple, this.parameters.values(frame));
    }
    const { fields } = statement as RoutineStatement;
    const { text } = this.fragment;
    if (put === undefined && fields.length !== 1)
      throw new PhantomError('42601', `query "${text}" returned ${fields.length} columns`);
    const rows = new FirstRows(2);
    try {
      yield* rows.readFrom((statement as RoutineStatement).run(this.parameters.values(frame), rows));
    } catch (error) {
      throw inContext(error, `SQL expression "${text}"`);
    }
    if (rows.kept.length > 1) throw new PhantomError('21000', `query "${text}" returned more than one row`);
    const [row] = rows.kept;
    if (put === undefined || row === undefined) return row?.[0] ?? null;
    return yield* this.execute(put, [...this.parameters.values(frame), ...row]);
  }

  private *execute(expression: RoutineExpression, values: readonly Value[]): Generator<Yielded, Value, void> {
    if (expression.privileges.length > 0) this.host.checkPrivileges(expression.privileges);
    const { execute, executeLong, evaluate } = expression;
    if (execute === undefined) {
      const isElsewhere = executeLong !== undefined && values.some(isLong);
      return isElsewhere ? yield* executeLong(values, this.host.evaluation) : evaluate(values, this.host.evaluation);
    }
    // Functions that are not volatile read by the snapshot of whoever calls them: that of a statement of its own.
    const leave = this.host.beginStatement(this.fragment.text);
    try {
      return yield* execute(values, this.host.evaluation);
    } finally {
      leave();
    }
  }

  /** The type of what was computed last. */
  get type(): TypeRef {
    const { simple, statement, put } = this.last as BoundExpression;
    return simple?.type ?? put?.type ?? (statement?.fields[0]?.type as TypeRef);
  }

  private boundFor(frame: Frame): BoundExpression {
    const { last } = this;
    const { version } = this.host.catalog;
    if (last !== undefined && last.version === version && !this.parameters.isDynamic) return last;
    const types = this.parameters.types(frame);
    const key = this.parameters.isDynamic ? typesKey(types) : '';
    let bound = this.bound.get(key);
    if (bound === undefined || bound.version !== version) {
      if (this.bound.size >= BOUND_MAX) this.bound.clear();
      this.bound.set(key, (bound = inQuery(this.fragment.text, () => this.bind(frame, types, version))));
    }
    this.last = bound;
    return bound;
  }

  private bind(frame: Frame, types: readonly TypeRef[], version: number): BoundExpression {
    const { host, part } = this;
    const { expression, query, queryText, text, isPlain } = this.fragment;
    const names = this.parameters.names(frame);
    if (expression !== undefined && (isPlain || part !== undefined)) {
      const simple = bindRoutineExpression(expression, { catalog: host.catalog, text, types, names, part });
      if (simple !== undefined) return { version, simple, statement: undefined, put: undefined };
    }
    if (part !== undefined) return { version, simple: undefined, ...this.bindPart(part, types, names) };
    const statement = host.prepare(query, queryText, types, { names, wanted: undefined, stored: undefined });
    return { version, simple: undefined, statement, put: undefined };
  }

  private bindPart(
    { parameter, target }: NonNullable<ExpressionCode['part']>,
    types: readonly TypeRef[],
    names: ParameterNames,
  ): Pick<BoundExpression, 'statement' | 'put'> {
    const { catalog } = this.host;
    const { query: given, queryText, text } = this.fragment;
    const { query, count } = withSubscripts(given as Ast.Query, target);
    const statement = this.host.prepare(query, queryText, types, { names, wanted: undefined, stored: undefined });
    const columns = statement.fields.length - count;
    if (columns !== 1) throw new PhantomError('42601', `assignment source returned ${columns} columns`);
    const value = { kind: 'parameter', index: types.length + 1, position: 0 } as const;
    const put = bindRoutineExpression(value, {
      catalog,
      text,
      types: [...types, ...statement.fields.map(({ type }) => type)],
      names: { ...names, count: types.length + statement.fields.length },
      part: { parameter, target: overParameters(target, types.length + 2) },
    });
    return { statement, put };
  }
}

/** True where a function of that kind is called by what stands there, as far as names tell. */
function namesFunction(
  part: unknown,
  host: RoutineHost,
  isMeant: (definition: FunctionDefinition) => boolean,
): boolean {
  if (typeof part !== 'object' || part === null) return false;
  const { kind, name } = part as { readonly kind?: unknown; readonly name?: unknown };
  if (kind === 'call') {
    const last = (name as QualifiedName).at(-1)?.text ?? '';
    const schema = (name as QualifiedName).at(-2)?.text;
    if (host.catalog.functions.functionsNamed(last, schema).some(isMeant)) return true;
  }
  return Object.values(part).some((inner) => namesFunction(inner, host, isMeant));
}

function isRoutine({ routine }: FunctionDefinition): boolean {
  return routine !== undefined;
}

function mayTakeLong(definition: FunctionDefinition): boolean {
  return definition.kind === 'scalar' && definition.takesLong === true;
}

/** Binds a piece: its errors tell its text. */
function inQuery<T>(text: string, bind: () => T): T {
  try {
    return bind();
  } catch (error) {
    throw inContext(error, `SQL expression "${text}"`);
  }
}
