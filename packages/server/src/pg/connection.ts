/**
 * One client: its socket, from the first byte to the last.
 *
 *   startup --SSLRequest, GSSENCRequest: 'N'--> startup
 *           --CancelRequest--> ended
 *           --protocol 3--> authenticating --proof--> session --Terminate, end, error--> ended
 *           --protocol 3, trusted--------------------> session
 *
 * Messages are handled one after the other. While one is waited for, bytes go on coming in up to INPUT_BYTES_MAX, then the
 * socket is left unread: the client's own send buffer is where a pipeline that is too long has to wait.
 *
 * Whatever a client sends, only its own connection suffers: an error of the protocol is answered with FATAL and the socket
 * is closed; what the client held is rolled back and freed.
 */
import type { Socket } from 'node:net';
import {
  type Counter,
  type Logger,
  type PhantomError,
  type Span,
  SpanKind,
  assert,
  failSpan,
  isPhantomError,
  rootSpan,
} from '@phantom/base';
import type { Admission } from '../admission.js';
import { isLoopback } from '../auth/authentication.js';
import type { FailedLogins } from '../auth/failed-logins.js';
import type { AuthenticationRules } from '../auth/rules.js';
import type { ResolvedServerOptions } from '../options.js';
import {
  writeAuthenticationOk,
  writeBackendKeyData,
  writeNegotiateProtocolVersion,
  writeReport,
} from './backend-messages.js';
import type { CancelKeys } from './cancel-keys.js';
import type { LoginRole, SessionSource } from './database-session.js';
import type { MessageSource } from './copy.js';
import { FrameDecoder, NotStartupError } from './frames.js';
import { readStartup } from './frontend-messages.js';
import { Login } from './login.js';
import { MessageReader } from './message-reader.js';
import type { Outbox } from './outbox.js';
import type { LoopPoll } from '../loop-poll.js';
import { type BufferPool, Output, type OutputPatience } from './output.js';
import { Pace } from '../pace.js';
import { Frontend, StartupCode } from './protocol.js';
import { FatalError, asPhantomError, errorReport, fatal, readOrEnd } from './reports.js';
import { ProtocolSession } from './session.js';
import type { SessionCounters } from './session-counters.js';
import { endsOf, placeOf } from './socket-ends.js';
import { type ClientEncryption, TLS_HANDSHAKE, type TlsSettings } from '../tls.js';
import { type StartupRequest, startupRequest } from './startup.js';

/** Bytes of messages that wait for their turn before the socket is left unread. */
export const INPUT_BYTES_MAX = 256 * 1024;
/** Messages answered at once between two looks at the clock. */
const MESSAGES_A_LOOK = 8;
/** Silence after which a peer that has not been let in yet is asked whether it is still there. */
const KEEP_ALIVE_MS = 60_000;
/** How long a client has to read what it was told last. */
const FAREWELL_MS = 2000;

/** What connections share. */
export interface ConnectionHost {
  readonly source: SessionSource;
  readonly options: ResolvedServerOptions;
  /** Who may come in from where, as it is said now. */
  readonly rules: AuthenticationRules | undefined;
  readonly pool: BufferPool;
  readonly outbox: Outbox;
  readonly poll: LoopPoll;
  readonly admission: Admission;
  readonly failedLogins: FailedLogins;
  readonly cancelKeys: CancelKeys;
  /** Secret of this process, for exchanges that must fail. */
  readonly secret: Uint8Array;
  readonly counters: SessionCounters;
  readonly cancels: Counter;
  readonly logger: Logger;
  /** True once the server stops. */
  readonly draining: boolean;
  /** Why nobody is let in now; undefined: who may come in is. */
  readonly closedBecause: string | undefined;
  /** The client has shown who it is. */
  entered(connection: PgConnection): void;
  closed(connection: PgConnection): void;
}

interface Puller {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

export class PgConnection implements MessageSource, OutputPatience {
  private socket: Socket;
  private readonly host: ConnectionHost;
  /** How it is encrypted when the client asks; undefined: it cannot be. */
  private readonly tls: TlsSettings | undefined;
  /** True when it came by a socket in the file system. */
  private readonly isUnix: boolean;
  private readonly address: string | undefined;
  /** True while nothing may be said: what the socket carries is for TLS alone. */
  private isShakingHands = false;
  /** What TLS told of the client; undefined while nothing is encrypted. */
  private encryption: ClientEncryption | undefined;
  /** Nothing has come yet. */
  private isFresh = true;
  private readonly decoder = new FrameDecoder();
  readonly reader = new MessageReader();
  private readonly output: Output;
  private readonly pace = new Pace();
  private phase: 'startup' | 'authenticating' | 'session' | 'ended' = 'startup';
  /** True while messages are being handled; new bytes only queue then. */
  private running = false;
  private paused = false;
  /** True while notifications wait for a client that rests and does not read. */
  private mailWaits = false;
  private askedForSsl = false;
  private askedForGss = false;
  private request: StartupRequest | undefined;
  private role: LoginRole | undefined;
  private login: Login | undefined;
  private readonly session: ProtocolSession;
  /** Until it is let in. */
  private connecting: Span | undefined;
  private processId: number | undefined;
  private timer: NodeJS.Timeout | undefined;
  private keepAliveMs = KEEP_ALIVE_MS;
  /** Who waits for a message while a statement runs. */
  private puller: Puller | undefined;

  constructor(socket: Socket, host: ConnectionHost, tls: TlsSettings | undefined, isUnix: boolean) {
    this.socket = socket;
    this.host = host;
    this.tls = tls;
    this.isUnix = isUnix;
    this.address = socket.remoteAddress;
    this.connecting = rootSpan(host.options.tracer, 'connect', placeOf(socket), SpanKind.Server);
    this.output = new Output(socket, host.pool, host.outbox, this);
    this.session = new ProtocolSession({
      output: this.output,
      pace: this.pace,
      source: this,
      counters: host.counters,
      onMail: (error) => this.mailArrived(error),
      onDefect: (error) => this.logDefect(error),
    });
    this.listen(socket);
    socket.setKeepAlive(true, this.keepAliveMs);
    this.timer = setTimeout(
      () => this.fail(fatal('57014', 'canceling authentication due to timeout')),
      host.options.authenticationTimeoutMs,
    );
  }

  /** Ends the connection because the server stops: at once when it rests, after its statement when it runs one. */
  drain(): void {
    if (!this.running) this.fail(shuttingDown());
  }

  /** Ends the connection now; what runs is cancelled. */
  terminate(reason: FatalError = shuttingDown()): void {
    if (this.phase === 'session') this.session.cancel(reason.message);
    this.fail(reason);
  }

  /** Gives up its place at the door to another, without a word: it has not said who it is, and takes its time. */
  dismiss(): void {
    this.socket.destroy();
    this.gone();
  }

  private listen(socket: Socket): void {
    socket.on('data', this.received);
    socket.on('error', (error) => this.host.logger.debug('a connection broke', { error: error.message }));
    socket.on('close', this.gone);
  }

  /** Goes on encrypted: what comes next on the socket is TLS. */
  private encrypt(tls: TlsSettings, isDirect: boolean): void {
    const plain = this.socket;
    plain.off('data', this.received);
    this.isShakingHands = true;
    tls.secure(plain, (secure, encryption) => {
      this.isShakingHands = false;
      plain.off('close', this.gone);
      this.socket = secure;
      this.output.attach(secure);
      this.listen(secure);
      this.encryption = encryption;
      if (isDirect && !encryption.isNegotiated)
        this.fail(fatal('08P01', 'received direct SSL connection request without ALPN protocol negotiation extension'));
    });
  }

  private readonly received = (chunk: Buffer): void => {
    if (this.phase === 'ended') return;
    const { tls } = this;
    if (this.isFresh && chunk[0] === TLS_HANDSHAKE && tls !== undefined) {
      this.isFresh = false;
      this.socket.pause();
      this.socket.unshift(chunk);
      this.encrypt(tls, true);
      return;
    }
    this.isFresh = false;
    this.decoder.push(chunk);
    if (this.puller !== undefined) {
      this.feed(this.puller);
    } else if (!this.running) {
      this.pace.restart();
      this.begin();
      this.pump(1);
    } else if (this.decoder.bufferedBytes > INPUT_BYTES_MAX && !this.paused) {
      this.paused = true;
      this.socket.pause();
    }
  };

  get limitMs(): number {
    return this.phase === 'session' ? this.session.unreadMs : 0;
  }

  /** Nobody is there any more to be told why. */
  readonly spent = (): void => {
    this.host.logger.debug('a client takes nothing of its result', { unreadMs: this.limitMs });
    this.socket.destroy();
  };

  get messageType(): number {
    return this.decoder.type;
  }

  pull(): Promise<void> | undefined {
    const { decoder, reader } = this;
    if (this.phase === 'session' && readOrEnd(() => decoder.next())) {
      reader.aim(decoder.buffer, decoder.start, decoder.end);
      return undefined;
    }
    this.output.flush();
    this.output.open();
    this.goOnReading();
    return new Promise((resolve, reject) => {
      this.puller = { resolve, reject };
      if (this.phase !== 'session') this.feed(this.puller);
    });
  }

  pullAnother(type: number): boolean {
    const { decoder, reader } = this;
    if (!readOrEnd(() => decoder.nextOf(type))) return false;
    reader.aim(decoder.buffer, decoder.start, decoder.end);
    return true;
  }

  stopPulling(): void {
    this.puller = undefined;
  }

  /** Hands the message that has come to whom it is awaited by. */
  private feed(puller: Puller): void {
    const { decoder, reader } = this;
    try {
      if (this.phase !== 'session') throw fatal('08006', 'the connection was closed by the client');
      if (!readOrEnd(() => decoder.next())) return;
      reader.aim(decoder.buffer, decoder.start, decoder.end);
      this.puller = undefined;
      puller.resolve();
    } catch (error) {
      this.puller = undefined;
      puller.reject(error);
    }
  }

  /** A client that rests hears of it at once; one that works does so when its transaction ends. */
  private mailArrived(error: PhantomError | undefined): void {
    if (error !== undefined) {
      // Not inside the commit of whoever said it.
      setImmediate(() => this.terminate(new FatalError(error)));
    } else if (!this.running && this.phase === 'session' && !this.mailWaits) {
      const relief = this.output.relieve();
      if (relief === undefined) {
        this.output.open();
        this.session.deliver();
        this.output.flushSoon();
        return;
      }
      this.mailWaits = true;
      void relief.then(() => {
        this.mailWaits = false;
        this.mailArrived(undefined);
      });
    }
  }

  private goOnReading(): void {
    if (!this.paused) return;
    this.paused = false;
    this.socket.resume();
  }

  /** Handles messages until there are none, or one has to be waited for. The first is number `first` since a look at the clock; 0: look. */
  private pump(first: number): void {
    if (this.phase === 'session') clearTimeout(this.timer);
    this.output.open();
    try {
      for (let number = first; this.phase !== 'ended'; number++) {
        const wait = this.delay(number) ?? (this.decoder.next() ? this.dispatch() : this.rest());
        if (wait === undefined) continue;
        if (wait === null) return;
        this.output.flushAwaited();
        wait.then(this.resume, this.failLater);
        return;
      }
    } catch (error) {
      this.fail(error);
    }
    this.stop();
    if (this.phase === 'ended') this.release();
  }

  /** What has to be waited for before the next message: a client that does not read, or the others' turn. */
  private delay(number: number): Promise<void> | undefined {
    const relief = this.output.relieve();
    if (relief !== undefined) return relief;
    return number % MESSAGES_A_LOOK === 0 && this.pace.due ? this.pace.turn() : undefined;
  }

  // The clock is looked at first: what came before may have been waited for in no time.
  private readonly resume = (): void => this.pump(0);

  private readonly failLater = (error: unknown): void => {
    this.fail(error);
    this.stop();
    this.release();
  };

  /** No message is left: what was answered is sent, and the client's next one awaited. */
  private rest(): null {
    this.stop();
    this.output.flushSoon();
    this.goOnReading();
    if (this.phase === 'session') {
      if (this.host.draining) this.fail(shuttingDown());
      else this.watchIdle();
    }
    return null;
  }

  private begin(): void {
    this.running = true;
    this.host.poll.began(this.pace.startMs);
  }

  private stop(): void {
    if (!this.running) return;
    this.running = false;
    this.host.poll.rested(this.session.restedMs);
  }

  private dispatch(): Promise<void> | undefined {
    const { decoder, reader } = this;
    reader.aim(decoder.buffer, decoder.start, decoder.end);
    if (this.phase === 'session') {
      if (decoder.type !== Frontend.Terminate) return this.session.handle(decoder.type, reader);
      this.end();
    } else if (this.phase === 'startup') return this.startUp();
    else this.authenticate();
    return undefined;
  }

  private startUp(): Promise<void> | undefined {
    const message = readOrEnd(() => readStartup(this.reader));
    switch (message.code) {
      case StartupCode.CancelRequest:
        if (this.host.cancelKeys.request(message.processId, message.secretKey)) this.host.cancels.value++;
        this.end();
        return undefined;
      case StartupCode.SslRequest:
        if (this.askedForSsl || this.encryption !== undefined) break;
        this.askedForSsl = true;
        this.answerSslRequest();
        return undefined;
      case StartupCode.GssEncryptionRequest:
        if (this.askedForGss) break;
        this.askedForGss = true;
        this.output.messages.u8(0x4e);
        return undefined;
      default:
    }
    const request = startupRequest(message);
    this.request = request;
    this.decoder.startTyped();
    this.phase = 'authenticating';
    if (request.isNewer || request.unknownOptions.length > 0) {
      writeNegotiateProtocolVersion(this.output.messages, StartupCode.Version3 & 0xffff, request.unknownOptions);
    }
    if (this.host.closedBecause !== undefined) throw fatal('57P03', this.host.closedBecause);
    const waitMs = this.host.failedLogins.waitMs(request.user, this.address, performance.now());
    if (waitMs === 0) {
      this.identify(request);
      return undefined;
    }
    return new Promise((resolve) => setTimeout(resolve, waitMs)).then(() => {
      if (this.phase !== 'authenticating') return;
      this.output.open();
      this.identify(request);
    });
  }

  /** Asks the client who it is, or lets it in as it stands. */
  private identify(request: StartupRequest): void {
    const { host } = this;
    const role = host.source.role(request.user);
    this.login = new Login(
      {
        user: request.user,
        database: request.database,
        address: this.address,
        isUnix: this.isUnix,
        isLoopback: this.isUnix || isLoopback(this.address),
        isEncrypted: this.encryption !== undefined,
        isMemberOf: (other) => host.source.isMember(request.user, other),
      },
      {
        role,
        rules: host.rules,
        certifiedName: this.encryption?.certifiedName,
        channelBinding: this.encryption?.channelBinding,
        secret: host.secret,
        nowMs: Date.now(),
      },
    );
    if (this.login.begin(this.output.messages)) this.letIn(request);
  }

  /** `S` and TLS from the next byte on, or `N`. What was sent before the answer could be anybody's: the connection ends. */
  private answerSslRequest(): void {
    const { tls } = this;
    if (tls === undefined) {
      this.output.messages.u8(0x4e);
      return;
    }
    if (this.decoder.bufferedBytes > 0) {
      throw fatal('08P01', 'received unencrypted data after SSL request', {
        detail: 'This could be either a client-software bug or evidence of an attempted man-in-the-middle attack.',
      });
    }
    this.output.messages.u8(0x53);
    this.output.flush();
    this.encrypt(tls, false);
  }

  /** A message of who has to prove itself. */
  private authenticate(): void {
    const { reader, output, decoder, login, request } = this;
    assert(login !== undefined && request !== undefined, 'who proves itself has asked to come in');
    const role = (): LoginRole | undefined => this.host.source.role(request.user);
    if (!login.proceed(decoder.type, reader, role, output.messages)) return;
    this.host.failedLogins.succeeded(request.user, this.address);
    this.letIn(request);
  }

  /** The client is who it says it is: it gets a place, a session, its settings and its key. */
  private letIn(request: StartupRequest): void {
    const { host, output, session } = this;
    const role = host.source.role(request.user);
    if (role === undefined) throw fatal('28000', `role "${request.user}" does not exist`);
    host.admission.enter(role);
    this.role = role;
    host.entered(this);
    const ends = endsOf(this.socket, this.encryption?.facts);
    const opened = host.source.openSession({
      database: request.database,
      user: request.user,
      settings: request.settings,
      ...(ends === undefined ? {} : { connection: ends }),
      onNotice: session.noticed,
      onNotification: session.notified,
      copyChannel: session.copy,
      onParameter: session.parameterChanged,
      onTerminate: (error) => this.fail(error),
    });
    const processId = opened.session.id;
    this.processId = processId;
    this.login = undefined;
    this.request = undefined;
    this.decoder.frameBytesMax = host.options.frameBytesMax;
    this.phase = 'session';
    clearTimeout(this.timer);
    writeAuthenticationOk(output.messages);
    session.start(opened);
    writeBackendKeyData(
      output.messages,
      processId,
      host.cancelKeys.register(processId, () => session.cancel()),
    );
    session.ready();
    this.connecting?.setAttribute('db.namespace', request.database);
    this.connecting?.setAttribute('phantom.session', processId);
    this.connected();
  }

  /** It has been let in, or will not be. */
  private connected(): void {
    this.connecting?.end();
    this.connecting = undefined;
  }

  /** Arms the time an idle client has, and has the system ask after it as often as it was told to. */
  private watchIdle(): void {
    const { session } = this;
    const { keepAliveMs, outsideMs, withinMs } = session.idleLimits;
    if (keepAliveMs !== this.keepAliveMs) this.socket.setKeepAlive(true, (this.keepAliveMs = keepAliveMs));
    const limitMs = session.quiet ? outsideMs : withinMs;
    if (limitMs === 0) return;
    this.endIn(
      limitMs,
      session.quiet
        ? fatal('57P05', 'terminating connection due to idle-session timeout')
        : fatal('25P03', 'terminating connection due to idle-in-transaction timeout'),
    );
  }

  private endIn(timeoutMs: number, error: FatalError): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fail(error), timeoutMs);
  }

  /** Tells the client why, and ends. */
  private fail(thrown: unknown): void {
    if (this.phase === 'ended') return;
    if (!(thrown instanceof FatalError) && !isPhantomError(thrown)) this.logDefect(thrown);
    const error = asPhantomError(thrown);
    if (error.code === '28P01' && this.request !== undefined)
      this.host.failedLogins.failed(this.request.user, this.address, performance.now());
    // Operators watch for guesses of passwords.
    const [level, what] = error.code.startsWith('28') ? (['warn', 'refused'] as const) : (['debug', 'ended'] as const);
    this.host.logger[level](`a connection is ${what}`, { code: error.code, reason: error.message, from: this.address });
    if (this.connecting !== undefined) failSpan(this.connecting, error);
    // Who does not begin as a client of PostgreSQL does would not understand it either.
    if (!(thrown instanceof NotStartupError)) writeReport(this.output.messages, errorReport(error, 'FATAL'));
    this.end();
  }

  private end(): void {
    if (this.phase === 'ended') return;
    this.phase = 'ended';
    this.connected();
    clearTimeout(this.timer);
    if (this.isShakingHands) {
      this.socket.destroy();
      return;
    }
    this.output.isHeld = false;
    this.output.flush();
    this.socket.end();
    // A client that does not read its farewell is not waited for.
    this.timer = setTimeout(() => this.socket.destroy(), FAREWELL_MS);
    if (!this.running) this.release();
  }

  /** The socket is closed, by whichever side. */
  private readonly gone = (): void => {
    clearTimeout(this.timer);
    if (this.phase === 'session') this.session.cancel('terminating connection: the client has gone');
    this.phase = 'ended';
    this.connected();
    if (this.puller !== undefined) this.feed(this.puller);
    this.output.flush();
    if (!this.running) this.release();
    this.host.closed(this);
  };

  /** Frees what the client held. Nothing runs any more. */
  private release(): void {
    const { processId, role } = this;
    if (processId !== undefined) {
      this.processId = undefined;
      this.host.cancelKeys.remove(processId);
      this.session.close();
    }
    if (role !== undefined) {
      this.role = undefined;
      this.host.admission.exit(role);
    }
  }

  private logDefect(error: unknown): void {
    const stack = error instanceof Error ? error.stack : String(error);
    this.host.logger.error('internal error', { stack });
  }
}

function shuttingDown(): FatalError {
  return fatal('57P01', 'terminating connection due to administrator command');
}
