/**
 * What the compilation of one body for one signature has in hand: names, places of variables, types, conversions.
 */
import { PhantomError } from '@phantom/base';
import { goesIn, type RoutineDescriptor, type TypeRef } from '@phantom/catalog';
import { SqlRecord } from '@phantom/codec';
import { resolveTypeName } from '../../expr/type-names.js';
import { isPolymorphic } from '../../functions/polymorphic-types.js';
import { compileCast } from '../../plan/routine-expression.js';
import { errorAt } from '../../text/syntax-error.js';
import { formatType } from '../../types/format-type.js';
import { quoteIdentifier } from '../../types/reg-types.js';
import { TypeOid } from '../../types/type-oids.js';
import { BOOL, typeRef } from '../../types/type-refs.js';
import type { Value } from '../../types/type.js';
import { inContext } from '../error-context.js';
import { KeptRows } from '../kept-rows.js';
import type { RoutineHost, RoutineSignature } from '../routine-language.js';
import type { DeclaredCursor } from './compile-cursors.js';
import { report } from './extra-checks.js';
import { type FragmentScope, ExpressionCode } from './fragments.js';
import type { DeclaredType, ExpressionFragment, NamePath, VariableConflict } from './syntax.js';
import { type Frame, NameScope, type RecordColumn, type Variable } from './variables.js';

type Cast = (value: Value) => Value;

/** What a body as a whole says. */
export interface BodyFacts {
  readonly conflict: VariableConflict;
  readonly endsTransactions: boolean;
  /** Errors of INTO STRICT tell the statement's parameters. */
  readonly printsStrictParameters: boolean;
  /** The body is being made, not called. */
  readonly isValidated: boolean;
}

export class Compilation {
  readonly host: RoutineHost;
  readonly signature: RoutineSignature;
  readonly source: string;
  readonly conflict: VariableConflict;
  readonly endsTransactions: boolean;
  readonly printsStrictParameters: boolean;
  private readonly isValidated: boolean;
  /** The names that hold where the compiler stands. */
  names: NameScope;
  /** All parameters, those that go out among them: $1, $2, ... */
  readonly parameters: readonly Variable[];
  /** FOUND. */
  readonly found: Variable;
  /** Variables of cursors whose queries were declared with them. */
  readonly cursors = new Map<Variable, DeclaredCursor>();
  private readonly casts = new Map<string, Cast | undefined>();
  private castsVersion = -1;
  private slots = 0;

  constructor(signature: RoutineSignature, host: RoutineHost, facts: BodyFacts) {
    this.signature = signature;
    this.host = host;
    this.source = signature.routine.source;
    this.conflict = facts.conflict;
    this.endsTransactions = facts.endsTransactions;
    this.printsStrictParameters = facts.printsStrictParameters;
    this.isValidated = facts.isValidated;
    this.names = new NameScope(signature.routine.name, undefined);
    this.found = this.declare('found', BOOL);
    this.parameters = this.declareParameters();
  }

  get slotCount(): number {
    return this.slots;
  }

  get scope(): FragmentScope {
    const { host, names, parameters, conflict } = this;
    return { host, names, parameters, conflict };
  }

  expression(fragment: ExpressionFragment): ExpressionCode {
    return new ExpressionCode(fragment, this.scope);
  }

  error(code: string, message: string, at: number): PhantomError {
    return errorAt(code, message, this.source, at);
  }

  /** Runs `f` with names of its own. */
  within<T>(label: string | undefined, f: () => T): T {
    const { names } = this;
    this.names = new NameScope(label, names);
    try {
      return f();
    } finally {
      this.names = names;
    }
  }

  // ------------------------------------------------------------------------------------------------ variables

  declare(
    name: string,
    type: TypeRef,
    facts: { readonly constant?: boolean; readonly notNull?: boolean; readonly at?: number } = {},
  ): Variable {
    if (facts.at !== undefined && this.names.has(name))
      throw this.error('42601', `duplicate declaration at or near "${name}"`, facts.at);
    if (this.isValidated && facts.at !== undefined && this.names.find([name]) !== undefined) {
      const message = `variable "${name}" shadows a previously defined variable`;
      report(this.host, 'shadowed_variables', this.error('42712', message, facts.at));
    }
    const { catalog } = this.host;
    const base = catalog.types.byOid(type.oid);
    const rowTypeOid = base?.kind === 'domain' ? base.baseOid : type.oid;
    const columns = catalog.compositeFields(rowTypeOid);
    const variable: Variable = {
      slot: this.slots++,
      name,
      type,
      columns,
      rowTypeOid,
      isRow: columns !== undefined || type.oid === TypeOid.record,
      constant: facts.constant ?? false,
      notNull: facts.notNull ?? false,
    };
    this.names.add(name, variable);
    return variable;
  }

  alias(name: string, variable: Variable, at: number): void {
    if (this.names.has(name)) throw this.error('42601', `duplicate declaration at or near "${name}"`, at);
    this.names.add(name, variable);
  }

  /** The variable of a path, with the names that follow; 42601 when there is none. */
  variable(path: NamePath, at: number): { readonly variable: Variable; readonly rest: NamePath } {
    const found = this.names.find(path);
    if (found === undefined) throw this.error('42601', `"${path.join('.')}" is not a known variable`, at);
    return { variable: found.variable, rest: path.slice(found.used) };
  }

  private declareParameters(): readonly Variable[] {
    const { routine, parameterTypes, wanted } = this.signature;
    let input = 0;
    let output = 0;
    const hasColumns = routine.parameters.filter(({ mode }) => mode !== 'in' && mode !== 'variadic').length !== 1;
    return routine.parameters.map((parameter, i) => {
      const isOut = parameter.mode !== 'in' && parameter.mode !== 'variadic';
      const outType = hasColumns ? wanted?.columns?.[output]?.type : wanted?.type;
      if (isOut) output++;
      const given = goesIn(parameter)
        ? parameterTypes[input++]
        : isPolymorphic(parameter.type.oid)
          ? outType
          : undefined;
      const number = `$${i + 1}`;
      const variable = this.declare(parameter.name === '' ? number : parameter.name, given ?? parameter.type);
      this.names.add(number, variable);
      return variable;
    });
  }

  // ---------------------------------------------------------------------------------------------------- types

  type(declared: DeclaredType): TypeRef {
    try {
      return this.declaredType(declared);
    } catch (error) {
      if (!(error instanceof PhantomError) || error.position !== undefined) throw error;
      throw this.error(error.code, error.message, declared.at);
    }
  }

  private declaredType(declared: DeclaredType): TypeRef {
    const { catalog } = this.host;
    switch (declared.kind) {
      case 'type': {
        const type = resolveTypeName(catalog, declared.name);
        const isPseudo = catalog.types.byOid(type.oid)?.kind === 'pseudo';
        if (!isPseudo || type.oid === TypeOid.record) return type;
        if (isPolymorphic(type.oid)) {
          const actual = this.polymorphic(type.oid);
          if (actual !== undefined) return actual;
        }
        const name = declared.name.name.map(({ text }) => text).join('.');
        throw new PhantomError(
          '0A000',
          `variable "${name}" has pseudo-type ${catalog.types.byOid(type.oid)?.name ?? ''}`,
        );
      }
      case 'same-as': {
        const found = this.names.find(declared.path);
        if (found !== undefined && found.used === declared.path.length) return found.variable.type;
        const name = declared.path.map((text) => ({ text, position: 0, quoted: true }));
        if (name.length < 2) throw new PhantomError('42704', `variable "${declared.path.join('.')}" does not exist`);
        return resolveTypeName(catalog, {
          kind: 'type-name',
          name,
          system: false,
          modifiers: [],
          intervalFields: [],
          arrayBounds: [],
          setOf: false,
          columnType: true,
          position: 0,
        });
      }
      default:
        return this.rowType(declared.path);
    }
  }

  /** The type of an array's elements; 42804 for what is no array. */
  elementOf({ oid }: TypeRef): number {
    const { types } = this.host.catalog;
    const type = types.byOid(oid);
    const elementOid = (type?.kind === 'domain' ? types.byOid(type.baseOid) : type)?.elementOid ?? 0;
    if (elementOid !== 0) return elementOid;
    throw new PhantomError('42804', `FOREACH expression must yield an array, not type ${type?.displayName ?? ''}`);
  }

  private polymorphic(oid: number): TypeRef | undefined {
    const { routine } = this.signature;
    const index = routine.parameters.filter(goesIn).findIndex(({ type }) => type.oid === oid);
    return index < 0 ? undefined : this.signature.parameterTypes[index];
  }

  private rowType(path: NamePath): TypeRef {
    const { catalog } = this.host;
    const [schema, name] = path.length > 1 ? [path[path.length - 2], path[path.length - 1]] : [undefined, path[0]];
    const qualified = schema === undefined ? { name: name as string } : { schema, name: name as string };
    const type = catalog.typeNamed(qualified);
    if (type?.kind === 'composite') return typeRef(type.oid);
    if (catalog.relation(qualified) === undefined)
      throw new PhantomError('42P01', `relation "${path.join('.')}" does not exist`);
    // A system view has no row type of its own.
    return typeRef(TypeOid.record);
  }

  // -------------------------------------------------------------------------------------------------- casting

  /** The value of one type as an assignment makes it one of another. */
  convert(value: Value, source: TypeRef, target: TypeRef): Value {
    if (source.oid === target.oid && (target.typmod === -1 || source.typmod === target.typmod)) return value;
    const cast = this.cast(source, target);
    return cast === undefined ? value : cast(value);
  }

  private cast(source: TypeRef, target: TypeRef): Cast | undefined {
    const { catalog, evaluation } = this.host;
    if (this.castsVersion !== catalog.version) {
      this.casts.clear();
      this.castsVersion = catalog.version;
    }
    const key = `${source.oid} ${target.oid} ${target.typmod}`;
    if (this.casts.has(key)) return this.casts.get(key);
    const compiled = compileCast(catalog, source, target);
    const isChecked = catalog.types.byOid(target.oid)?.kind === 'domain';
    const cast = (value: Value): Value => (value === null && !isChecked ? null : compiled([value], evaluation));
    this.casts.set(key, cast);
    return cast;
  }

  /** A row as a value of a composite type: fields by their order, null where there are too few. */
  record(
    typeOid: number,
    columns: readonly RecordColumn[],
    values: readonly Value[],
    types: readonly TypeRef[],
  ): SqlRecord {
    const fields = columns.map(({ type }, i) => {
      const source = types[i];
      return source === undefined ? null : this.convert(values[i], source, type);
    });
    return new SqlRecord(typeOid, fields, shapeOf(columns));
  }

  /** One more row of the result; 53200 when they get too many. */
  addRow(frame: Frame, value: Value): void {
    frame.rows ??= new KeptRows(this.host.memoryLimitBytes);
    frame.rows.add(value);
  }

  typeName(type: TypeRef | undefined): string {
    const shown = this.host.catalog.types.byOid(type?.oid ?? 0);
    return shown === undefined ? '' : formatType(shown, type?.typmod ?? -1);
  }

  /** Where in the body it stands, as PostgreSQL says it. */
  contextLine({ place }: Frame): string {
    const { routine } = this.signature;
    const name = `PL/pgSQL function ${routineName(this.host, routine)}`;
    return place === undefined ? name : `${name} line ${place.line} ${place.what}`;
  }

  /** An error of the body with the line that says where it happened. */
  placed(error: PhantomError, frame: Frame): PhantomError {
    return frame.told === error ? error : (inContext(error, this.contextLine(frame)) as PhantomError);
  }

  /** The text of a value, as RAISE shows it; null gives undefined. */
  text(value: Value, type: TypeRef): string | undefined {
    if (value === null) return undefined;
    const { catalog, evaluation } = this.host;
    return catalog.types.byOid(type.oid)?.output(value, evaluation) ?? String(value);
  }
}

/** `f(integer,text)`; a block of DO has a name of its own. */
function routineName({ catalog }: RoutineHost, { name, parameters }: RoutineDescriptor): string {
  if (name === INLINE_BLOCK) return name;
  const types = parameters.filter(goesIn).map(({ type }) => {
    const shown = catalog.types.byOid(type.oid);
    return shown === undefined ? '' : formatType(shown, -1);
  });
  return `${quoteIdentifier(name)}(${types.join(',')})`;
}

/** What the body of DO is called. */
export const INLINE_BLOCK = 'inline_code_block';

const shapes = new WeakMap<readonly RecordColumn[], SqlRecord['shape']>();

/** The shape of rows with these columns: the same object for the same columns. */
export function shapeOf(columns: readonly RecordColumn[]): SqlRecord['shape'] {
  let shape = shapes.get(columns);
  if (shape === undefined) {
    shape = {
      names: columns.map(({ name }) => name),
      types: columns.map(({ type }) => type.oid),
      typmods: columns.map(({ type }) => type.typmod),
    };
    shapes.set(columns, shape);
  }
  return shape;
}
