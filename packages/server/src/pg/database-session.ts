/**
 * What the protocol needs of a database session: the part of SqlSession that it uses, as an interface, so that framing and
 * state machines can be tested without a database.
 */
import type { PhantomError } from '@phantom/base';
import type {
  ConnectionEnds,
  CopyChannel,
  FetchOutcome,
  Notice,
  Notification,
  ParsedStatement,
  PlanField,
  PreparedPlan,
  RowBatch,
  SessionStatement,
  TransactionStatus,
  TypeContext,
  Value,
} from '@phantom/db/session';

export type PlanStatement = Extract<SessionStatement, { kind: 'plan' }>;

export interface DatabasePortal {
  readonly fields: readonly PlanField[];
  /** At once where nothing has to be waited for. */
  fetch(rowsMax: number, receive: (batch: RowBatch) => void): FetchOutcome | Promise<FetchOutcome>;
  close(): void;
}

export interface DatabaseSession {
  readonly id: number;
  readonly status: TransactionStatus;
  readonly transaction: { readonly explicit: boolean } | undefined;
  /** A read needs no transaction now. */
  readonly readsBare: boolean;
  /** Statements prepared by name, here or by SQL. */
  readonly prepared: Map<string, SessionStatement>;
  /** Cursors of DECLARE, which clients may describe as portals. */
  readonly cursors: { fieldsOf(name: string): readonly PlanField[] | undefined };
  /** What conversion of values depends on; reads the settings of the moment. */
  readonly evaluation: TypeContext;
  readonly settings: {
    /** Grows with every change of a value. */
    readonly version: number;
    get(name: string): string;
    integer(name: string): number;
    reported(): readonly { readonly name: string; readonly value: string }[];
  };
  /** Its spans, where it has some: told when the client is told that the session is ready. */
  readonly traces?: { rest(): void } | undefined;
  readonly routines: {
    /** A call of the function of a number: a statement of one row and column, its parameters the arguments. */
    prepareCall(oid: number): { readonly statement: SessionStatement; readonly argumentCount: number };
  };
  parse(text: string): readonly ParsedStatement[];
  prepare(parsed: ParsedStatement | undefined, text: string, declaredTypes?: readonly number[]): SessionStatement;
  prepareText(text: string, declaredTypes?: readonly number[]): SessionStatement;
  currentPlan(statement: PlanStatement): PreparedPlan;
  portal(statement: SessionStatement, parameters: readonly Value[]): DatabasePortal;
  /** Ends an implicit transaction. The client must not hear of a write by key before that, or before `whenShown`. */
  sync(): Promise<void>;
  /** After an error of a statement that ran by itself and was not answered yet: true when it is to be run again. */
  again(error: unknown): Promise<boolean>;
  /** Resolves when everything that the transaction has read is durable; undefined when it is. */
  whenShown(): Promise<void> | undefined;
  fail(): void;
  cancel(message?: string): void;
  close(): void;
}

/**
 * Shorter ways for statements of one row by key, and for BEGIN and COMMIT; see lookUp, lookUpWithin, writePointInTurn and controlBlock
 * of `@phantom/db/session`.
 */
export interface StraightRoads {
  lookUp(statement: PlanStatement, parameters: readonly Value[], into: Value[]): boolean;
  lookUpWithin(statement: PlanStatement, parameters: readonly Value[], into: Value[]): boolean | undefined;
  writePoint(statement: PlanStatement, parameters: readonly Value[]): number | undefined | Promise<number | undefined>;
  controlBlock(statement: SessionStatement): FetchOutcome | Promise<FetchOutcome> | undefined;
}

export interface OpenedSession {
  readonly session: DatabaseSession;
  readonly roads: StraightRoads;
}

/** What a new session is given. */
export interface SessionRequest {
  readonly database: string;
  readonly user: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly connection?: ConnectionEnds;
  readonly onNotification: (notification: Notification) => void;
  readonly copyChannel: CopyChannel;
  readonly onNotice: (notice: Notice) => void;
  readonly onParameter: (name: string, value: string) => void;
  /** A time limit has ended the session. */
  readonly onTerminate: (error: PhantomError) => void;
}

/** What is asked of a role at the door. */
export interface LoginRole {
  readonly name: string;
  readonly superuser: boolean;
  readonly passwordVerifier?: string;
  readonly connectionLimit?: number;
  readonly validUntil?: string;
}

/** The database as the protocol sees it. */
export interface SessionSource {
  /** Throws 3D000, 28000, 42501, and 42704 or 22023 for settings, when there can be no such session. */
  openSession(request: SessionRequest): OpenedSession;
  role(name: string): LoginRole | undefined;
  /** True when the user is a member of the role, directly or through others. */
  isMember(user: string, role: string): boolean;
}
