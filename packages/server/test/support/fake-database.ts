/**
 * A database without a database: sessions that understand a few words, so that the protocol can be tested by itself.
 *
 *   rows N [BYTES]   N rows (n int4, t text)     echo            its parameters, typed int4, text, ...
 *   fail CODE        an error with that SQLSTATE at position 3 of the statement
 *   begin commit rollback                        set NAME VALUE  a reported setting
 *   notice TEXT      wait (until cancelled)      later           one row, after a turn of the event loop
 */
import { type ByteWriter, PhantomError } from '@phantom/base';
import type {
  FetchOutcome,
  ParsedStatement,
  PlanField,
  RowBatch,
  PreparedPlan,
  SessionStatement,
  SqlType,
  Value,
} from '@phantom/db/session';
import type {
  DatabasePortal,
  PlanStatement,
  DatabaseSession,
  LoginRole,
  OpenedSession,
  SessionRequest,
  SessionSource,
} from '../../src/pg/database-session.js';

const INT4 = 23;
const TEXT = 25;

function type(
  oid: number,
  name: string,
  length: number,
  convert: Pick<SqlType, 'input' | 'output' | 'receive' | 'send'>,
): SqlType {
  return { oid, name, length, kind: 'base', baseOid: 0, ...convert } as unknown as SqlType;
}

const types = new Map<number, SqlType>([
  [
    INT4,
    type(INT4, 'int4', 4, {
      input(text) {
        if (!/^-?\d+$/.test(text)) throw new PhantomError('22P02', `invalid input syntax for type integer: "${text}"`);
        return Number(text);
      },
      output: (value) => String(value),
      receive(bytes, start, end) {
        if (end - start !== 4) throw new PhantomError('22P03', 'incorrect binary data format');
        return new DataView(bytes.buffer, bytes.byteOffset + start).getInt32(0);
      },
      send: (value, writer: ByteWriter) => writer.u32BE((value as number) >>> 0),
    }),
  ],
  [
    TEXT,
    type(TEXT, 'text', -1, {
      input: (text) => text,
      output: (value) => value as string,
      receive: (bytes, start, end) => Buffer.from(bytes).toString('utf8', start, end),
      send: (value, writer: ByteWriter) => writer.bytes(Buffer.from(value as string)),
    }),
  ],
]);

function field(name: string, oid: number): PlanField {
  return { name, type: { oid, typmod: -1 }, tableOid: 0, column: 0 };
}

const ROWS_FIELDS = [field('n', INT4), field('t', TEXT)];

interface FakeStatement {
  readonly words: readonly string[];
  readonly fields: readonly PlanField[];
  readonly parameterTypes: readonly { oid: number; typmod: number }[];
}

export class FakeSession implements DatabaseSession {
  readonly id: number;
  readonly request: SessionRequest;
  readonly prepared = new Map<string, SessionStatement>();
  readonly values = new Map<string, string>([
    ['client_min_messages', 'notice'],
    ['idle_in_transaction_session_timeout', '0'],
    ['idle_session_timeout', '0'],
    ['statement_timeout', '0'],
    ['tcp_keepalives_idle', '60'],
    ['tcp_user_timeout', '0'],
    ['application_name', ''],
  ]);
  readonly evaluation = {
    types: { byOid: (oid: number) => types.get(oid) },
  } as unknown as DatabaseSession['evaluation'];
  readonly settings = {
    version: 0,
    get: (name: string): string => this.values.get(name) ?? '',
    integer: (name: string): number => Number(this.values.get(name)),
    reported: () => [
      { name: 'server_version', value: '15.0' },
      { name: 'application_name', value: this.values.get('application_name') ?? '' },
    ],
  };
  transaction: { explicit: boolean } | undefined;
  readonly readsBare = true;
  status: DatabaseSession['status'] = 'idle';
  closed = false;
  syncs = 0;
  fetches = 0;
  /** Rows handed out so far. */
  rowsMade = 0;
  cancelled: ((error: PhantomError) => void) | undefined;
  failSync: PhantomError | undefined;
  /** Lost races are run again. */
  runsAgain = false;
  /** Resolves when what was read is durable. */
  shown: Promise<void> | undefined;

  readonly cursors = { fieldsOf: (): undefined => undefined };
  /** Every function gives back its argument, a number. */
  readonly routines = {
    prepareCall: () => ({ statement: this.prepareText('echo'), argumentCount: 1 }),
  };

  constructor(id: number, request: SessionRequest) {
    this.id = id;
    this.request = request;
    for (const [name, value] of Object.entries(request.settings)) {
      if (name === 'no_such_setting') throw new PhantomError('42704', `unrecognized configuration parameter "${name}"`);
      this.values.set(name, value);
    }
  }

  parse(text: string): readonly ParsedStatement[] {
    const parsed: ParsedStatement[] = [];
    let start = 0;
    for (const part of text.split(';')) {
      if (part.trim() === 'syntax error') throw new PhantomError('42601', 'syntax error', { position: start + 1 });
      if (part.trim() !== '') parsed.push({ node: part.trim() as never, start, end: start + part.length });
      start += part.length + 1;
    }
    return parsed;
  }

  prepare(parsed: ParsedStatement | undefined, text: string): SessionStatement {
    if (parsed === undefined) return { kind: 'empty', text };
    const words = (parsed.node as unknown as string).split(' ');
    if (this.status === 'failed' && !['rollback', 'commit'].includes(words[0] as string))
      throw new PhantomError('25P02', 'current transaction is aborted');
    if (words[0] === 'write') {
      const plan = { fields: [], parameterTypes: [], pointWrite: {}, traits: { writes: true } };
      return { kind: 'plan', text, node: { kind: 'update' }, declaredTypes: [], plan } as never;
    }
    const parameterTypes =
      words[0] === 'echo' ? words.slice(1).map((word) => ({ oid: word === 'int4' ? INT4 : TEXT, typmod: -1 })) : [];
    const fields =
      words[0] === 'rows' || words[0] === 'later'
        ? ROWS_FIELDS
        : words[0] === 'echo'
          ? parameterTypes.map((t, i) => field(`p${i + 1}`, t.oid))
          : [];
    return {
      kind: 'utility',
      text,
      node: words as never,
      utility: { fields, parameterTypes, transaction: 'any' } as never,
    };
  }

  prepareText(text: string): SessionStatement {
    const parsed = this.parse(text);
    if (parsed.length > 1) throw new PhantomError('42601', 'cannot insert multiple commands into a prepared statement');
    return this.prepare(parsed[0], text);
  }

  /** The one plan is that of a write by key. */
  currentPlan({ plan }: PlanStatement): PreparedPlan {
    return plan;
  }

  writePoint(): number {
    this.transaction ??= { explicit: false };
    return 1;
  }

  /** BEGIN has a road of its own, COMMIT has not. */
  controlBlock(statement: SessionStatement): FetchOutcome | undefined {
    if (statement.kind !== 'utility' || (statement.node as never)[0] !== 'begin') return undefined;
    this.transaction = { explicit: true };
    this.status = 'transaction';
    return { complete: true, rows: 0, tag: 'BEGIN', count: 0 };
  }

  portal(statement: SessionStatement, parameters: readonly Value[]): DatabasePortal {
    if (statement.kind === 'empty')
      return new FakePortal(this, { words: [''], fields: [], parameterTypes: [] }, parameters);
    if (statement.kind === 'plan')
      return new FakePortal(this, { words: ['write'], fields: [], parameterTypes: [] }, []);
    return new FakePortal(
      this,
      {
        words: statement.node as never,
        fields: statement.utility.fields,
        parameterTypes: statement.utility.parameterTypes,
      },
      parameters,
    );
  }

  async again(error: unknown): Promise<boolean> {
    return this.runsAgain && error instanceof PhantomError && error.retryable;
  }

  whenShown(): Promise<void> | undefined {
    return this.shown;
  }

  async sync(): Promise<void> {
    this.syncs++;
    const { failSync } = this;
    this.failSync = undefined;
    if (this.transaction?.explicit !== true) this.transaction = undefined;
    if (failSync !== undefined) throw failSync;
  }

  fail(): void {
    if (this.transaction?.explicit === true) this.status = 'failed';
    else this.transaction = undefined;
  }

  cancel(message = 'canceling statement due to user request'): void {
    this.cancelled?.(new PhantomError('57014', message));
  }

  close(): void {
    this.closed = true;
  }
}

class FakePortal implements DatabasePortal {
  readonly fields: readonly PlanField[];
  private readonly session: FakeSession;
  private readonly statement: FakeStatement;
  private readonly parameters: readonly Value[];
  private sent = 0;
  private closed = false;

  constructor(session: FakeSession, statement: FakeStatement, parameters: readonly Value[]) {
    this.session = session;
    this.statement = statement;
    this.fields = statement.fields;
    this.parameters = parameters;
  }

  close(): void {
    this.closed = true;
  }

  async fetch(rowsMax: number, receive: (batch: RowBatch) => void): Promise<FetchOutcome> {
    const { session } = this;
    const { words } = this.statement;
    if (this.closed) throw new PhantomError('34000', 'the portal is closed');
    session.fetches++;
    session.transaction ??= { explicit: false };
    const done = (tag: string, rows = 0, count = rows): FetchOutcome => ({ complete: true, rows, tag, count });
    switch (words[0]) {
      case '':
        return done('');
      case 'rows': {
        const total = Number(words[1]) || 0;
        const count = Math.min(total - this.sent, rowsMax === 0 ? total : rowsMax);
        const text = 'x'.repeat(Number(words[2] ?? 1) || 1);
        const numbers = Array.from({ length: count }, (_, i) => this.sent + i + 1);
        this.sent += count;
        session.rowsMade += count;
        if (count > 0) receive({ columns: [numbers, numbers.map((n) => (n % 5 === 0 ? null : text))], count });
        return this.sent === total
          ? done(`SELECT ${total}`, count, total)
          : { complete: false, rows: count, tag: '', count: 0 };
      }
      case 'echo':
        receive({ columns: this.parameters.map((value) => [value]), count: 1 });
        return done('SELECT 1', 1);
      case 'later':
        await new Promise((resolve) => setImmediate(resolve));
        receive({ columns: [[7], ['later']], count: 1 });
        return done('SELECT 1', 1);
      case 'write':
        return done('UPDATE 1', 0, 1);
      case 'commit':
      case 'rollback':
        session.transaction = undefined;
        session.status = 'idle';
        return done((words[0] as string).toUpperCase());
      case 'set':
        session.values.set(words[1] as string, words[2] as string);
        session.settings.version++;
        session.request.onParameter(words[1] as string, words[2] as string);
        return done('SET');
      case 'notice':
        session.request.onNotice({
          severity: (words[2] ?? 'NOTICE') as 'NOTICE',
          code: '00000',
          message: words[1] as string,
          fields: { hint: 'none' },
        });
        return done('NOTICE');
      case 'wait':
        return new Promise((_, reject) => {
          session.cancelled = (error) => {
            session.fail();
            reject(error);
          };
        });
      case 'defect':
        session.fail();
        throw new TypeError('a defect');
      default:
        session.fail();
        throw new PhantomError(words[1] ?? '42601', `failed: ${words.join(' ')}`, {
          position: 3,
          detail: 'why',
          hint: 'so',
          table: 't',
          column: 'c',
          constraint: 'k',
          schema: 's',
          dataType: 'd',
        });
    }
  }
}

/** A source of such sessions. */
export class FakeDatabase implements SessionSource {
  readonly roles = new Map<string, LoginRole>([
    ['phantom', { name: 'phantom', superuser: true }],
    ['guest', { name: 'guest', superuser: false, connectionLimit: 2 }],
  ]);
  readonly sessions: FakeSession[] = [];

  openSession(request: SessionRequest): OpenedSession {
    if (request.database === 'nowhere') throw new PhantomError('3D000', 'database "nowhere" does not exist');
    const session = new FakeSession(this.sessions.length + 1, request);
    this.sessions.push(session);
    return {
      session,
      roads: {
        lookUp: () => false,
        lookUpWithin: () => undefined,
        writePoint: () => session.writePoint(),
        controlBlock: (statement) => session.controlBlock(statement),
      },
    };
  }

  isMember(user: string, role: string): boolean {
    return user === role;
  }

  role(name: string): LoginRole | undefined {
    return this.roles.get(name);
  }
}
