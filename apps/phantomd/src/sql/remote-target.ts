/**
 * A server, through `pg`: it knows URLs, passwords, TLS and SCRAM, it is pure JavaScript, and people trust it more than they
 * would a client of ours. Its own parsing of values is left aside: a query object of ours takes rows as the text they are.
 */
import { type Socket, connect as connectSocket } from 'node:net';
import { PhantomError } from '@phantom/base';
import { Client, type Connection } from 'pg';
import { ExitCode } from '../exit-codes.js';
import { CommandError } from '../failure.js';
import type { AskPassword } from './password-prompt.js';
import {
  type CopyEnds,
  NO_DATA,
  type NoticeReceiver,
  type ResultField,
  type SqlTarget,
  type StatementResult,
} from './target.js';

const CONNECT_TIMEOUT_MS = 10_000;
const PASSWORD_MISSING = '28P01';
const OWN_ENCODING = 'UTF8';
/** What the servers take texts to be in, as they have said last. */
const encodings = new WeakMap<Client, string>();
const CANCEL_BYTES = 16;
const CANCEL_CODE = 80877102;
const STATUS_MARKS: Readonly<Record<string, string>> = { I: '', T: '*', E: '!' };

export class RemoteTarget implements SqlTarget {
  private readonly url: string;
  private readonly notice: NoticeReceiver;
  private client: Client;
  private isRunning = false;

  private constructor(url: string, client: Client, notice: NoticeReceiver) {
    this.url = url;
    this.client = client;
    this.notice = notice;
  }

  /** Connects. CommandError for a URL that is none, and "cannot open" when nobody answers, or does not let us in. */
  static async open(url: string, notice: NoticeReceiver, ask?: AskPassword): Promise<RemoteTarget> {
    checkUrl(url);
    try {
      // With the password, once it was asked for: connections that follow need it, too.
      let whole = url;
      const client = await connect(url, notice).catch(async (error: unknown) => {
        if (ask === undefined || !(error instanceof PhantomError) || error.code !== PASSWORD_MISSING) throw error;
        const withPassword = new URL(url);
        withPassword.password = encodeURIComponent(await ask(String(error.data?.user)));
        whole = withPassword.href;
        return connect(whole, notice);
      });
      return new RemoteTarget(whole, client, notice);
    } catch (error) {
      throw new CommandError(ExitCode.CannotOpen, error);
    }
  }

  get database(): string {
    return this.client.database ?? '';
  }

  get status(): string {
    return STATUS_MARKS[this.client.getTransactionStatus() ?? 'I'] ?? '';
  }

  async run(text: string, receive: (result: StatementResult) => void, copy: CopyEnds = {}): Promise<void> {
    // Not run on a new connection unasked: its transaction may have ended with the old one.
    if (this.isLost) throw await this.afterLoss();
    const query = new ScriptQuery(text, receive, copy);
    this.isRunning = true;
    this.client.query(query);
    try {
      await query.done;
      await this.keepEncoding();
    } catch (error) {
      // pg tells of an error before the server is ready again; after this it is, and its status is known.
      await this.client.query('').catch(() => undefined);
      if (this.isLost) throw await this.afterLoss(error);
      throw error;
    } finally {
      this.isRunning = false;
    }
  }

  /** Texts go to the server in UTF-8: a script that sets another encoding is refused, and the setting taken back. */
  private async keepEncoding(): Promise<void> {
    const encoding = encodings.get(this.client) ?? OWN_ENCODING;
    if (encoding === OWN_ENCODING) return;
    encodings.delete(this.client);
    await this.client.query(`set client_encoding = '${OWN_ENCODING}'`);
    throw new PhantomError('0A000', `the client encoding "${encoding}" is not supported by this client`, {
      hint: 'What it sends is UTF-8. psql sends a file as it is; or convert the file, and leave out its SET client_encoding.',
    });
  }

  async connect(database: string): Promise<void> {
    const url = new URL(this.url);
    url.pathname = `/${encodeURIComponent(database)}`;
    const next = await connect(url.href, this.notice);
    if (!this.isLost) await this.client.end();
    this.client = next;
  }

  /** The server has gone away or has ended the connection. */
  private get isLost(): boolean {
    const stream = streamOf(this.client);
    return stream.destroyed || stream.readableEnded;
  }

  /** Connects again; the error that tells of the loss. What was under way may have been done or not. */
  private async afterLoss(cause?: unknown): Promise<PhantomError> {
    const hint = await this.connect(this.database).then(
      () => 'A new connection stands: without the transaction, the settings and the temporary tables of the old one.',
      () => 'The next statement tries to connect again.',
    );
    const detail = cause instanceof Error ? { detail: cause.message } : {};
    return new PhantomError('08006', 'the connection to the server is lost', { ...detail, hint, cause });
  }

  /** Sends a cancel request on a connection of its own, as the protocol has it. */
  cancel(): void {
    const { client } = this;
    const { processID, secretKey } = client as unknown as { readonly processID: number; readonly secretKey: number };
    if (!this.isRunning) return;
    const request = Buffer.alloc(CANCEL_BYTES);
    [CANCEL_BYTES, CANCEL_CODE, processID, secretKey].forEach((value, i) => request.writeInt32BE(value, 4 * i));
    const socket = connectSocket({ host: client.host, port: client.port });
    // When it cannot be sent the statement runs on, and that is what the user sees.
    socket.on('error', () => undefined);
    socket.end(request);
  }

  async close(): Promise<void> {
    if (!this.isLost) await this.client.end();
  }
}

async function connect(connectionString: string, notice: NoticeReceiver): Promise<Client> {
  const client = new Client({
    connectionString,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    application_name: 'phantomd sql',
  });
  // A connection that breaks is reported by the query that needed it.
  client.on('error', () => undefined);
  connectionOf(client).on('parameterStatus', ({ parameterName, parameterValue }) => {
    if (parameterName === 'client_encoding') encodings.set(client, parameterValue);
  });
  client.on('notice', ({ severity, message }) => notice(severity ?? 'NOTICE', message ?? ''));
  try {
    await client.connect();
  } catch (error) {
    // What has failed on this side would leave the connection open.
    streamOf(client).destroy();
    if (isSystemError(error)) throw unreachable(client, error);
    throw /password must be a/.test(String(error)) ? passwordMissing(client) : error;
  }
  return client;
}

function connectionOf(client: Client): CopyConnection {
  return (client as unknown as { readonly connection: CopyConnection }).connection;
}

function streamOf(client: Client): Socket {
  return connectionOf(client).stream;
}

/** CommandError for what is no URL of a server; `pg` would take it for the name of a host. */
function checkUrl(url: string): void {
  if (/^postgres(?:ql)?:\/\//.test(url) && URL.canParse(url)) return;
  throw new CommandError(
    ExitCode.Usage,
    new Error('--url has to be of the form postgres://user:password@host:port/database'),
  );
}

/** The server asks for one, and nobody has given it. */
function passwordMissing({ user }: Client): PhantomError {
  return new PhantomError(PASSWORD_MISSING, `the server asks for the password of "${user}"`, {
    data: { user },
    hint: 'Set PGPASSWORD, or write it into the URL: postgres://user:password@host:port/database.',
  });
}

/** The system's own word, not a server's. Of a name with several addresses it is one for each of them, and none for all. */
function isSystemError(error: unknown): error is Error {
  return error instanceof AggregateError || (error instanceof Error && 'syscall' in error);
}

function unreachable({ host, port }: Client, error: Error): PhantomError {
  const first = error instanceof AggregateError ? (error.errors[0] as Error) : error;
  return new PhantomError('08001', `there is no way to a server at ${host}, port ${port}`, {
    detail: first.message,
    hint: 'Is one running there?',
    cause: error,
  });
}

/** A setting that the server tells of. */
interface ParameterStatus {
  readonly parameterName: string;
  readonly parameterValue: string;
}

/** What a connection of `pg` can do besides what its types tell. */
interface CopyConnection extends Connection {
  readonly stream: Socket;
  on(event: 'parameterStatus', listener: (status: ParameterStatus) => void): this;
  sendCopyFromChunk(data: Buffer): void;
  endCopyFrom(): void;
  sendCopyFail(reason: string): void;
}

/** Messages of `pg` that it hands to a query object. */
interface RowDescription {
  readonly fields: readonly { readonly name: string; readonly dataTypeID: number }[];
}

/** A simple query as pg takes query objects (pg-cursor is one): it is handed the messages of its answer. */
class ScriptQuery {
  readonly done: Promise<void>;
  private readonly text: string;
  private readonly receive: (result: StatementResult) => void;
  private readonly copy: CopyEnds;
  /** The server has refused it: what it would still send is dropped there. */
  private isOver = false;
  private fields: readonly ResultField[] = [];
  private rows: (string | null)[][] = [];
  private resolve: () => void = () => undefined;
  private reject: (error: unknown) => void = () => undefined;

  constructor(text: string, receive: (result: StatementResult) => void, copy: CopyEnds) {
    this.text = text;
    this.receive = receive;
    this.copy = copy;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  submit(connection: Connection): void {
    connection.query(this.text);
  }

  handleRowDescription({ fields }: RowDescription): void {
    this.fields = fields.map(({ name, dataTypeID }) => ({ name, typeOid: dataTypeID }));
    this.rows = [];
  }

  handleDataRow({ fields }: { readonly fields: (string | null)[] }): void {
    this.rows.push(fields);
  }

  handleCommandComplete({ text }: { readonly text: string }): void {
    this.receive({ fields: this.fields, rows: this.rows, tag: text });
    this.fields = [];
    this.rows = [];
  }

  handleEmptyQuery(): void {
    this.receive({ fields: [], rows: [], tag: '' });
  }

  handleError(error: unknown): void {
    this.isOver = true;
    this.reject(error);
  }

  handleReadyForQuery(): void {
    this.resolve();
  }

  handleCopyInResponse(connection: CopyConnection): void {
    const { input } = this.copy;
    if (input === undefined) {
      connection.sendCopyFail(NO_DATA);
      return;
    }
    this.sendAll(connection, input).catch((error: unknown) => {
      this.reject(error);
      connection.sendCopyFail('the data could not be read');
    });
  }

  /** Sends as fast as the server takes it. */
  private async sendAll(connection: CopyConnection, input: Iterable<Uint8Array>): Promise<void> {
    const { stream } = connection;
    for (const piece of input) {
      if (this.isOver) return;
      connection.sendCopyFromChunk(Buffer.from(piece.buffer, piece.byteOffset, piece.length));
      if (stream.writableNeedDrain) await drained(stream);
    }
    connection.endCopyFrom();
  }

  handleCopyData({ chunk }: { readonly chunk: Uint8Array }, { stream }: CopyConnection): void {
    const wait = this.copy.output?.(chunk);
    if (wait === undefined) return;
    stream.pause();
    const goOn = (): void => void stream.resume();
    wait.then(goOn, goOn);
  }

  handlePortalSuspended(): void {
    // A simple query has no portal.
  }
}

/** Resolves when the socket takes more, or is closed. */
function drained(stream: CopyConnection['stream']): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      stream.off('drain', end);
      stream.off('close', end);
      resolve();
    };
    stream.on('drain', end);
    stream.on('close', end);
  });
}
