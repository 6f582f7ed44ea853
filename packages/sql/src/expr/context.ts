/**
 * What is common to binding one statement: the catalog's picture, the pool of columns, parameter types as they are found,
 * and what the plan will depend on.
 */
import { PhantomError, type ErrorFields } from '@phantom/base';
import type { Oid, RoutineDescriptor, StoredName, StoredQuery, TypeRef } from '@phantom/catalog';
import type { CatalogPort, NamedRelation, RequiredPrivilege } from '../plan/catalog-port.js';
import type { OperatorDefinition } from '../functions/registry.js';
import { ColumnPool } from '../plan/logical/columns.js';
import type { PlanDependency } from '../plan/prepared-plan.js';
import type { TypeContext } from '../types/type.js';
import type { BindWitness } from './bind-witness.js';
import type { RuleRows } from './scope.js';
import type { Call, ColumnId, Expression } from './expression.js';
import { TypeOid } from '../types/type-oids.js';
import { UNKNOWN } from '../types/type-refs.js';

/** Deepest nesting of expressions and queries; past it 54001. Keeps recursion within the stack. */
export const NESTING_DEPTH_MAX = 2000;

/** Types of $1, $2, ... : given by the client, or decided by the first place that wants a type. */
export class ParameterTypes {
  private readonly types: TypeRef[];

  constructor(given: readonly TypeRef[]) {
    this.types = [...given];
  }

  /** The type of `$index`, `unknown` while nothing has decided it. */
  get(index: number): TypeRef {
    while (this.types.length < index) this.types.push(UNKNOWN);
    return this.types[index - 1] as TypeRef;
  }

  /** Decides the type of an undecided parameter; answers what holds afterwards. */
  decide(index: number, type: TypeRef): TypeRef {
    const current = this.get(index);
    if (current.oid !== TypeOid.unknown) return current;
    this.types[index - 1] = { oid: type.oid, typmod: -1 };
    return this.types[index - 1] as TypeRef;
  }

  all(): readonly TypeRef[] {
    return this.types;
  }
}

/** A right being collected: columns are added as they are met. */
export interface WantedPrivilege extends Omit<RequiredPrivilege, 'columns'> {
  readonly columns: Set<number>;
  /** Not needed when no column came to be used. */
  readonly onlyIfUsed?: boolean;
}

/** Names under which the statements of a routine's body know its parameters and variables. */
export interface ParameterNames {
  /** How many $1, $2, ... may be written. */
  readonly count: number;
  /** What a name means that a column has as well; `neither`: 42702. */
  readonly prefers: 'columns' | 'variables' | 'neither';
  /** The parameter that the first of these names mean, and how many of them do; undefined: none. */
  find(names: readonly string[]): { readonly index: number; readonly used: number } | undefined;
  /** Why names that begin with a variable mean nothing all the same; undefined where they do not. */
  missing?(names: readonly string[]): PhantomError | undefined;
}

/** Of a routine whose parameters have these names, empty for those without: `name`, or `routine.name`. */
export function parameterNames(routine: string, names: readonly string[]): ParameterNames {
  const indexOf = (name: string | undefined): number => (name === undefined ? 0 : names.indexOf(name) + 1);
  return {
    count: names.length,
    prefers: 'columns',
    find([first, second]) {
      const qualified = first === routine ? indexOf(second) : 0;
      if (qualified > 0) return { index: qualified, used: 2 };
      const index = indexOf(first);
      return index === 0 ? undefined : { index, used: 1 };
    },
  };
}

export interface BindContextOptions {
  readonly catalog: CatalogPort;
  /** The statement's text: positions in it become code points. */
  readonly text: string;
  readonly parameterTypes?: readonly TypeRef[];
  readonly parameterNames?: ParameterNames | undefined;
  /** Where the context's columns are taken from: of the statement that a function's body is written into. */
  readonly pool?: ColumnPool;
}

export class BindContext {
  readonly catalog: CatalogPort;
  readonly text: string;
  readonly pool: ColumnPool;
  readonly parameters: ParameterTypes;
  /** Conversions of literals at binding: formats that no session setting changes. */
  readonly literals: TypeContext;
  readonly parameterNames: ParameterNames | undefined;
  readonly dependencies = new Map<number, PlanDependency>();
  /** Indexes of primary keys for whose sake the query that is to be stored may use columns that are no keys of its groups. */
  readonly groupingKeys = new Set<Oid>();
  /** Columns of tables that the query to be stored uses of rows that functions give. */
  readonly rowColumns: { readonly oid: Oid; readonly column: number }[] = [];
  /** Routines that the statement calls. */
  readonly routines = new Set<Oid>();
  private callsBodies = false;
  private readonly wanted: WantedPrivilege[] = [];
  /** Owner of the view whose body is being bound: its rights count. */
  viewOwnerOid: number | undefined;
  /** What relations were called when the query being bound was stored; undefined for a query as it comes. */
  storedNames: ReadonlyMap<string, StoredName> | undefined;
  /** Hears of every relation that the query itself names: for a query that is to be stored. */
  nameListener: ((written: string, relation: NamedRelation) => void) | undefined;
  /** Hears what becomes of the query's own syntax tree. */
  witness: BindWitness | undefined;
  /** Names of the views being expanded, outermost first. */
  viewStack: readonly string[] = [];
  /** The view that a change is bound of as of a table, since rules stand for it. */
  writtenItself: Oid | undefined;
  /** Of a rule's action: the rows `old` and `new` that it goes over, under the name RULE_ROWS_NAME in FROM. */
  ruleRows: RuleRows | undefined;
  /** Tables whose policies are being bound, outermost first. */
  policyStack: readonly number[] = [];
  /** What the plan holds for besides the catalog, once it has met a table with row-level security: CatalogPort.securityKey. */
  readonly security: { key: string | undefined } = { key: undefined };
  private readonly counts = { commonTables: 0 };
  depth = 0;
  /** Functions whose bodies are being written in the place of calls, outermost first. */
  readonly inlining: Oid[] = [];
  /** What a call of a simple function of a user comes to; undefined where it has to be called. The binder gives it. */
  inlineCall: ((call: Call) => Expression | undefined) | undefined;

  constructor(options: BindContextOptions) {
    this.catalog = options.catalog;
    this.text = options.text;
    this.pool = options.pool ?? new ColumnPool();
    this.parameters = new ParameterTypes(options.parameterTypes ?? []);
    this.parameterNames = options.parameterNames;
    this.literals = {
      timeZone: 'UTC',
      dateStyle: 'ISO',
      dateOrder: 'MDY',
      intervalStyle: 'postgres',
      byteaOutput: 'hex',
      xmlOption: 'content',
      extraFloatDigits: 1,
      transactionMicros: 0,
      types: options.catalog.types,
    };
  }

  /** A context for text of its own inside this statement: the body of a view. Shares ids, parameters and what is collected. */
  nested(catalog: CatalogPort, text: string): BindContext {
    const nested = Object.create(this) as BindContext;
    Object.assign(nested, { catalog, text, witness: undefined, parameterNames: undefined });
    return nested;
  }

  /** As nested, for a query that the catalog keeps: with its own search path, and names that mean what they meant then. */
  stored(query: StoredQuery): BindContext {
    const stored = this.nested(this.catalog.withSearchPath(query.searchPath), query.querySql);
    stored.storedNames = new Map((query.names ?? []).map((entry) => [entry.name, entry]));
    stored.nameListener = undefined;
    return stored;
  }

  /** The same context for a change of a view whose rules stand for it, or of one over it. */
  writing(viewOid: Oid): BindContext {
    const writing = Object.create(this) as BindContext;
    writing.writtenItself = viewOid;
    return writing;
  }

  /** An error that points into the statement: `position` is the syntax tree's (0-based, UTF-16). */
  error(code: string, message: string, position: number | undefined, fields: ErrorFields = {}): PhantomError {
    if (position === undefined) return new PhantomError(code, message, fields);
    return new PhantomError(code, message, { ...fields, position: codePointPosition(this.text, position) });
  }

  unsupported(feature: string, position: number | undefined): PhantomError {
    return this.error('0A000', `${feature} is not supported`, position);
  }

  /** Runs `f`, giving a PhantomError without a position the one of the node at hand. */
  at<T>(position: number, f: () => T): T {
    try {
      return f();
    } catch (error) {
      if (error instanceof PhantomError && error.position === undefined) {
        throw error.with({ position: codePointPosition(this.text, position) });
      }
      throw error;
    }
  }

  /** Runs `f` one level deeper; 54001 when the statement is nested too deep. */
  deeper<T>(f: () => T): T {
    if (this.depth >= NESTING_DEPTH_MAX) {
      throw new PhantomError('54001', 'stack depth limit exceeded', {
        hint: `Expressions and queries may be nested ${NESTING_DEPTH_MAX} levels deep.`,
      });
    }
    this.depth++;
    try {
      return f();
    } finally {
      this.depth--;
    }
  }

  /** Types of all parameters; 42P18 when one has none. */
  decidedParameters(): readonly TypeRef[] {
    const types = this.parameters.all();
    const undecided = types.findIndex((type) => type.oid === TypeOid.unknown);
    if (undecided < 0) return types;
    throw new PhantomError('42P18', `could not determine data type of parameter $${undecided + 1}`);
  }

  /** Records a right that the plan needs. Its set of columns may grow until `privileges` is asked. */
  requirePrivilege(wanted: WantedPrivilege): void {
    this.wanted.push(wanted);
  }

  /** What whoever executes the plan must be allowed to do. */
  privileges(): RequiredPrivilege[] {
    const needed = this.wanted.filter(({ columns, onlyIfUsed }) => columns.size > 0 || onlyIfUsed !== true);
    return needed.map(({ relationOid, relationName, privilege, columns, asRoleOid }) => ({
      relationOid,
      relationName,
      privilege,
      columns: columns.size === 0 ? undefined : [...columns].sort((a, b) => a - b),
      asRoleOid,
    }));
  }

  /** Records a call of what a user has defined, and the right to it, which whoever executes the plan must have. */
  useRoutine({ oid, name, language }: RoutineDescriptor): void {
    if (this.routines.has(oid)) return;
    this.routines.add(oid);
    if (language !== 'c') this.callsBodies = true;
    this.wanted.push({
      relationOid: oid,
      relationName: name,
      privilege: 'execute',
      columns: new Set(),
      asRoleOid: undefined,
    });
  }

  /** Records the use of an operator of a user's or an extension's, which is a call of its function. */
  useOperator({ oid, function: { routine } }: OperatorDefinition): void {
    if (routine !== undefined) this.useRoutine(routine);
    this.routines.add(oid);
  }

  /** Some routine is called that has a body: what extensions bring along is code like that of built-in functions. */
  get callsRoutines(): boolean {
    return this.callsBodies;
  }

  /** Takes over what the body of a function calls, and the rights to it, when the body takes the place of the call. */
  takeRoutines(inner: BindContext): void {
    for (const oid of inner.routines) this.routines.add(oid);
    if (inner.callsBodies) this.callsBodies = true;
    this.wanted.push(...inner.wanted.filter(({ privilege }) => privilege === 'execute'));
  }

  dependOn(oid: number, schemaVersion: number): void {
    this.dependencies.set(oid, { oid, schemaVersion });
  }

  /** A fresh number for a WITH query; unique in the statement, views included. */
  newCommonTable(): number {
    return this.counts.commonTables++;
  }

  /** A fresh column that no table stands behind. */
  newColumn(name: string, type: TypeRef): ColumnId {
    return this.pool.add(name, type);
  }

  /** The type's name for messages: `integer`, `character varying`. */
  typeName(oid: number): string {
    if (oid === TypeOid.unknown) return 'unknown';
    return this.catalog.types.byOid(oid)?.displayName ?? `type ${oid}`;
  }
}

/** 1-based position in code points of a 0-based position in UTF-16 units. */
export function codePointPosition(text: string, position: number): number {
  if (text === '') return position + 1;
  let count = 1;
  for (let i = 0; i < position && i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0xdc00 || unit > 0xdfff) count++;
  }
  return count;
}
