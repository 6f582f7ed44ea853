/**
 * Functions, operators, casts and aggregates as data, found by PostgreSQL's own resolution rules (chapter 10 of its
 * manual: exact match, then implicit casts, preferred types, unknown literals).
 *
 * An implementation is an ordinary JavaScript function over canonical values (types/type.ts). Generated code calls it as
 * `f(a, b)` or, where `inline` is given, writes the expression itself. STRICT ones never see null: the caller tests.
 */
import type { Oid, RoutineDescriptor, SequenceRow, TypeRef } from '@phantom/catalog';
import type { Yielded } from '../exec/runtime.js';
import type { TypeContext, Value } from '../types/type.js';

export type Volatility = 'immutable' | 'stable' | 'volatile';

/** NOTIFY, and the channels the session listens to. */
export interface NotificationPort {
  /** Number of the session, as other sessions and clients know it. */
  readonly processId: number;
  notify(channel: string, payload: string): void;
  listening(): readonly string[];
}

/** What an advisory lock is on: one number, or two small ones. */
export type AdvisoryKey = number | bigint | { readonly first: number; readonly second: number };

export interface AdvisoryCall {
  /** Of the session, until it is given back; otherwise of the transaction. */
  readonly lasting: boolean;
  readonly shared: boolean;
  readonly waits: boolean;
}

/** Advisory locks, and sleeping: what makes a statement wait in the middle of an expression. */
export interface AdvisoryLocks {
  /** False when it is not to be had and the call does not wait. */
  lock(key: AdvisoryKey, call: AdvisoryCall): boolean;
  unlock(key: AdvisoryKey, shared: boolean): boolean;
  unlockAll(): void;
  sleep(seconds: number): void;
}

/**
 * Large objects, as the functions of SQL know them: an object by its number, and one that is open in the transaction by another. Offsets
 * and sizes are bytes. 42704 for what is not there, 42501 without the right, 25006 for writing where nothing may be written.
 */
export interface LargeObjectCalls {
  /** 0: any number. Returns it; 23505 where it is taken. */
  create(oid: Oid): Oid;
  fromBytes(oid: Oid, data: Uint8Array): Oid;
  /** 22023 for a mode that neither reads nor writes. */
  open(oid: Oid, mode: number): number;
  close(descriptor: number): number;
  read(descriptor: number, bytesMax: number): Uint8Array;
  write(descriptor: number, data: Uint8Array): number;
  /** From the beginning (0), the place (1), the end (2); returns the place. */
  seek(descriptor: number, offset: number, whence: number): number;
  tell(descriptor: number): number;
  truncate(descriptor: number, bytes: number): number;
  unlink(oid: Oid): number;
  get(oid: Oid, offset?: number, bytesMax?: number): Uint8Array;
  put(oid: Oid, offset: number, data: Uint8Array): void;
  /** 42501 but for superusers, and 0A000 for them: files of the server are not read or written. */
  refuseFiles(functionName: string): never;
  /** Null for an object without a comment, and for none. */
  comment(oid: Oid): string | null;
}

/** Calls of what users have defined. The argument values are those of the parameters that go in, VARIADIC ones as an array. */
export interface RoutineCaller {
  /** The call by the protocol of exec/runtime.ts: it waits and rests. The outcome is that of `call`, or of `rows`. */
  execute(routine: RoutineDescriptor, args: readonly Value[], types: CallTypes): Generator<Yielded, Value, void>;
  call(routine: RoutineDescriptor, args: readonly Value[], types: CallTypes): Value;
  /** Values, or arrays of column values where the parameters that go out are columns. */
  rows(routine: RoutineDescriptor, args: readonly Value[], types: CallTypes): Iterable<Value>;
  /** Triggers that fire inside each other. */
  readonly triggerDepth: number;
}

/** A call that may take long, as another thread can be told of it, and as it is made here. */
export interface LongCall {
  /** A query of one value over $1, $2, ... */
  readonly text: string;
  readonly argumentTypes: readonly TypeRef[];
  readonly resultType: TypeRef;
  here(args: readonly Value[], context: EvaluationContext): Value;
}

/** One end of a connection. */
export interface NetworkEnd {
  /** An address of IPv4 or IPv6. */
  readonly address: string;
  readonly port: number;
}

/** How a connection is encrypted, by OpenSSL's names. */
export interface ConnectionEncryption {
  readonly version: string;
  readonly cipher: string;
  /** Of the cipher's key. */
  readonly bits: number;
  /** What the client has shown, where it is good: names as `/CN=alice`, the serial number in hex behind `0x`. */
  readonly certificate?: { readonly subject: string; readonly issuer: string; readonly serial: string } | undefined;
}

export interface ConnectionEnds {
  readonly client: NetworkEnd;
  readonly server: NetworkEnd;
  /** Undefined for what is not encrypted. */
  readonly encryption?: ConnectionEncryption | undefined;
}

/** What a function may ask of the statement that calls it, beyond type conversion. */
export interface EvaluationContext extends TypeContext {
  /** Statement start and wall clock, microseconds since 2000. */
  readonly statementMicros: number;
  clockMicros(): number;
  random(): number;
  /** What `random` gives from now on follows from the seed, -1 to 1. */
  seedRandom(seed: number): void;
  readonly advisory: AdvisoryLocks;
  readonly routines: RoutineCaller;
  readonly largeObjects: LargeObjectCalls;
  /** Makes a call over long values in another thread, if there is one for it, by the protocol of exec/runtime.ts. */
  callElsewhere(call: LongCall, args: readonly Value[]): Generator<Yielded, Value, void>;
  /** Number of the session, as cancel requests name it. */
  readonly backendPid: number;
  /** Undefined within the process. */
  readonly connection: ConnectionEnds | undefined;
  /** When the files of who may come in were read last, microseconds since 2000; undefined where nobody serves the session. */
  readonly filesReadMicros: number | undefined;
  /** Reads them anew; false when they cannot be used, 42501 but for superusers. */
  reloadServer(): boolean;
  /** Stops what another session does, or ends it; false when there is none of that number, 42501 without the right to. */
  signalBackend(pid: number, signal: 'cancel' | 'terminate'): boolean;
  /** Gives the last commit a name in the archive: its seq. 55000 without one, 42501 but for superusers. */
  createRestorePoint(name: string): number;
  /** A name by which other sessions read what the transaction reads, until it ends; 25001 behind a savepoint. */
  exportSnapshot(): string;
  /** Forgets what statements have cost: of a role, a database and a text by its number, 0 for any. 42501 but for superusers. */
  resetStatements(roleOid: Oid, databaseOid: Oid, number: number): void;
  /** Number of the transaction. */
  readonly transactionId: number;
  readonly currentUser: string;
  readonly sessionUser: string;
  readonly currentDatabase: string;
  readonly currentSchema: string | undefined;
  readonly searchPath: readonly string[];
  readonly notifier: NotificationPort;
  /** Where a sequence stands. */
  sequenceRow(sequenceOid: Oid): SequenceRow;
  /** Key of the table's row on which a cursor stands; 34000 and 24000 when there is none. */
  cursorKey(cursor: string, tableOid: Oid, tableName: string): Uint8Array;
  setting(name: string, missingOk: boolean): string | null;
  setSetting(name: string, value: string, local: boolean): string;
  sequence(
    operation: 'nextval' | 'currval' | 'lastval' | 'setval',
    sequenceOid: Oid,
    value?: number | bigint,
    isCalled?: boolean,
  ): number | bigint;
  /** Name resolution for regclass, regtype, pg_get_... functions; see system-views. */
  readonly catalog: unknown;
}

interface FunctionCommon {
  readonly oid: Oid;
  readonly name: string;
  readonly argumentTypes: readonly Oid[];
  /** Type of the repeated last argument of a VARIADIC function. */
  readonly variadic?: Oid;
  /** How many trailing arguments have defaults, and their constant values. */
  readonly defaults?: readonly Value[];
  /** The same for a user's function: SQL texts, bound at each call. */
  readonly defaultTexts?: readonly string[];
  readonly argumentNames?: readonly string[];
  /** What a user has defined; undefined for what is built in. */
  readonly routine?: RoutineDescriptor;
  /** May be polymorphic: anyelement (2283), anyarray (2277), anynonarray (2776), anyenum (3500), anycompatible (5077)... */
  readonly resultType: Oid;
  readonly volatility: Volatility;
}

export interface ScalarFunction extends FunctionCommon {
  readonly kind: 'scalar';
  readonly strict: boolean;
  /** Called with the argument values, then the EvaluationContext if `needsContext`, then the argument types if `needsTypes`. */
  readonly call: (...args: never[]) => Value;
  /** The same call by the protocol of exec/runtime.ts, for what may wait and take long. */
  readonly execute?: ((...args: never[]) => Generator<Yielded, Value, void>) | undefined;
  /** It may take long over long values (long-calls.ts). */
  readonly takesLong?: boolean;
  readonly needsContext?: boolean;
  /** Appends { arguments: TypeRef[], result: TypeRef } to the call: for polymorphic functions that must know. */
  readonly needsTypes?: boolean;
  /** JavaScript text of the call over argument texts, each a side-effect-free local or constant; never null when strict. */
  readonly inline?: (args: readonly string[]) => string;
  /** Fields of the record that is the result. */
  readonly columns?: readonly { readonly name: string; readonly type: Oid }[];
  /** Name of the one output column in FROM where it is not the function's own. */
  readonly resultName?: string;
}

export interface SetFunction extends FunctionCommon {
  readonly kind: 'set';
  readonly strict: boolean;
  /** Yields values, or arrays of column values when `columns` is given. */
  readonly call: (...args: never[]) => Iterable<Value>;
  /** As of a ScalarFunction. */
  readonly execute?: ScalarFunction['execute'];
  readonly needsContext?: boolean;
  readonly needsTypes?: boolean;
  readonly columns?: readonly { readonly name: string; readonly type: Oid }[];
  /** Name of the one output column where it is not the function's own (json_array_elements has `value`). */
  readonly resultName?: string;
}

/** Types of a call: what `needsTypes` appends and aggregates get in `init`. */
export interface CallTypes {
  readonly arguments: readonly TypeRef[];
  readonly result: TypeRef;
  /** Column definition list of a call whose result is `record`: json_to_recordset(...) AS t(a int, b text). */
  readonly columns?: readonly { readonly name: string; readonly type: TypeRef }[];
}

export interface AggregateFunction extends FunctionCommon {
  readonly kind: 'aggregate';
  /** Strict transition: null inputs are skipped (for every argument). */
  readonly strict: boolean;
  /** A fresh state. The call's types are for polymorphic aggregates; neither step nor final gets context or types again. */
  readonly init: (context: EvaluationContext, types: CallTypes) => unknown;
  /**
   * Next state; may change and return the same object. Ordered-set aggregates get the sorted values in order. Hypothetical
   * ones get, for each row in order, how it compares with the hypothetical row (below zero: it stands before) and whether
   * it differs from the row before it.
   */
  readonly step: (state: never, ...args: never[]) => unknown;
  /** The state keeps what it is given, so that its memory grows with every row. */
  readonly keepsInput?: boolean;
  /** The result; later steps of the same state leave it as it is (running frames of windows go on). */
  readonly final: (state: never, ...directArguments: never[]) => Value;
  /** Merges two partial states (parallel and spilled aggregation). */
  readonly combine?: (a: never, b: never) => unknown;
  /** Takes a row back out (moving window frames); undefined where that cannot be done, and the frame is to be counted anew. */
  readonly inverse?: (state: never, ...args: never[]) => unknown;
  /** The aggregate as it is counted over frames that move. */
  readonly moving?: AggregateFunction;
  readonly needsContext?: boolean;
  readonly needsTypes?: boolean;
  /** `ordered-set` (percentile_cont ... WITHIN GROUP) and `hypothetical` (rank(...) WITHIN GROUP). */
  readonly ordering?: 'ordered-set' | 'hypothetical';
  readonly directArguments?: number;
}

export interface WindowFunction extends FunctionCommon {
  readonly kind: 'window';
  /** Name the executor knows (row_number, rank, dense_rank, percent_rank, cume_dist, ntile, lag, lead, first_value, last_value, nth_value). */
  readonly window: string;
}

export type FunctionDefinition = ScalarFunction | SetFunction | AggregateFunction | WindowFunction;

export interface OperatorDefinition {
  readonly oid: Oid;
  readonly name: string;
  /** 0 for a prefix operator. */
  readonly leftType: Oid;
  readonly rightType: Oid;
  readonly resultType: Oid;
  readonly function: ScalarFunction;
  /** Of one that is not built in: where it is. */
  readonly schemaOid?: Oid;
  readonly commutator?: string;
  readonly negator?: string;
  /** Meaning for planning where it has one: equality and order of the type's B-tree. */
  readonly role?: '=' | '<>' | '<' | '<=' | '>' | '>=';
}

export type CastContext = 'implicit' | 'assignment' | 'explicit';

export interface CastDefinition {
  readonly source: Oid;
  readonly target: Oid;
  /** The weakest context in which it is applied. */
  readonly context: CastContext;
  /** Absent: same representation, nothing to do. Takes (value, typmod, explicit, EvaluationContext). */
  readonly call?: (value: never, typmod: number, explicit: boolean, context: EvaluationContext) => Value;
  readonly volatility: Volatility;
  /** Of a user's cast WITH FUNCTION: what a cast of a plain value calls, in the place of `call`. */
  readonly function?: ScalarFunction;
  /** `call` runs the body of a user's function, for a value or for what is in it. */
  readonly callsRoutine?: true;
}

/** A cast that a user has made. */
export interface UserCast {
  readonly method: 'function' | 'binary' | 'inout';
  readonly context: CastContext;
  /** Undefined for the other methods. */
  readonly function: ScalarFunction | undefined;
}

/** A function chosen for given argument types, with the casts each argument needs. */
export interface ResolvedFunction {
  readonly definition: FunctionDefinition;
  /** Declared argument types with polymorphism resolved and VARIADIC spread out. */
  readonly argumentTypes: readonly Oid[];
  readonly resultType: Oid;
  /** The trailing arguments are collected into an array of this element type. */
  readonly variadicElement?: Oid;
  /** How many leading arguments before the collected ones. */
  readonly variadicFrom?: number;
  /** The definition's columns with polymorphism resolved. */
  readonly columns?: readonly { readonly name: string; readonly type: Oid }[];
}

/** How many trailing arguments may be left out. */
export function defaultCount({ defaults, defaultTexts }: FunctionDefinition): number {
  return defaults?.length ?? defaultTexts?.length ?? 0;
}

/** The options of a call that resolution depends on. */
export interface ResolveOptions {
  readonly variadicArray?: boolean;
  readonly argumentNames?: readonly (string | undefined)[];
  /** The schema that the call names; undefined: the search path. */
  readonly schema?: string | undefined;
}

/** `unknown` literals have oid 705. Undefined or thrown errors: 42883 undefined, 42725 ambiguous (the binder adds position and hint). */
export interface FunctionRegistry {
  functionByOid(oid: Oid): FunctionDefinition | undefined;
  /** All operators of a name, prefix ones too: of a schema, or along the search path. */
  operatorsNamed(name: string, schema?: string): readonly OperatorDefinition[];
  operatorByOid(oid: Oid): OperatorDefinition | undefined;
  /** Of a schema, or along the search path. */
  functionsNamed(name: string, schema?: string): readonly FunctionDefinition[];
  resolveFunction(
    name: string,
    argumentTypes: readonly Oid[],
    options?: ResolveOptions,
  ): ResolvedFunction | 'undefined' | 'ambiguous';
  /** `schema`: that of `operator(schema.=)`; undefined: the search path. */
  resolveOperator(
    name: string,
    left: Oid,
    right: Oid,
    schema?: string,
  ):
    | {
        readonly operator: OperatorDefinition;
        readonly leftType: Oid;
        readonly rightType: Oid;
        readonly resultType: Oid;
      }
    | 'undefined'
    | 'ambiguous';
  /** How to get from one type to another in a context; undefined when there is no way. Includes I/O casts and array element casts. */
  findCast(source: Oid, target: Oid, context: CastContext): CastDefinition | undefined;
  /** Common type of UNION, CASE, VALUES, COALESCE, ARRAY (chapter 10.5); undefined when they cannot be matched (42804). */
  commonType(types: readonly Oid[]): Oid | undefined;
}
