/**
 * `phantomd serve`: a data directory on the network.
 *
 *   listen -> open (recovers) -> sample shop, if asked -> "phantomd ready ..." on stdout -> signal -> drain -> checkpoint -> 0
 *                                             SIGHUP, pg_reload_conf(): the files that say who may come in, anew
 *
 * Who comes before the database is open is told that it is starting up. Where it cannot listen it opens all the same: that the directory is
 * somebody else's says more than that a port is.
 *
 * stdout carries the ready line, and what to type next when the sample shop was asked for; logs are JSON on stderr.
 */
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { MetricsRegistry, PhantomError, helpersStandBack, ioError } from '@phantom/base';
import type { Database, DatabaseOptions } from '@phantom/db';
import type { Credentials, Operation, ServerOptions } from '@phantom/server';
import { strangeVariable } from './config/command.js';
import type { ResolvedSettings } from './config/resolve.js';
import { type ServeSettings, flagOf } from './config/serve-settings.js';
import { ExitCode } from './exit-codes.js';
import { dashboardFiles } from './dashboard-files.js';
import { CommandError, errorFacts } from './failure.js';
import { ensureMaintenanceDatabase } from './first-start.js';
import { letHeapGrow } from './heap-growth.js';
import { openDatabase } from './open-database.js';
import { readPrivateKey } from './private-key.js';
import { calledAs, ensureSampleShop, nextSteps } from './sample-shop/sample-shop.js';
import { startTracing } from './tracing.js';

const NO_SUCH_ROLE = '28000';
const HOUR_MS = 3_600_000;

/** Serves until SIGTERM or SIGINT, or SIGHUP of its terminal. Strange variables of the environment are told of in the log. */
export async function serve({
  settings: options,
  strangeVariables,
  file,
}: Pick<ResolvedSettings, 'settings' | 'strangeVariables' | 'file'>): Promise<ExitCode> {
  const { data } = options;
  if (data === undefined) throw new CommandError(ExitCode.Usage, new Error('a data directory is needed: --data DIR'));
  letHeapGrow();
  helpersStandBack();
  const hangUp: HangUp = { renew: () => false };
  const stop = stopSignal(hangUp);
  const { AccessTokens, AuthenticationRules, checkTls, isLoopbackHost, jsonLogger, listenForClients, makeToken } =
    await import('@phantom/server');
  const tls = tlsOf(options);
  if (tls !== undefined) usage(() => checkTls(tls));
  if (tls === undefined && !isLoopbackHost(options.host))
    throw new CommandError(ExitCode.Usage, notLoopback(options.host));
  const rules = fromFile(options.authRules, (text) => new AuthenticationRules(text));
  const tokenLines = fromFile(options.httpTokens, (text) => (new AccessTokens(text), text));
  const files = dashboardFiles(new URL('../dist/', import.meta.url));
  const logger = jsonLogger({ level: options.logLevel });
  for (const name of strangeVariables) logger.warn(strangeVariable(name));
  const metrics = new MetricsRegistry();
  // Asked for by whoever finds the directory taken, whenever that is.
  let endpoints: Readonly<Record<string, string>> = {};
  const holder: NonNullable<DatabaseOptions['holder']> = {
    pid: process.pid,
    description: 'phantomd serve',
    get endpoints() {
      return endpoints;
    },
  };
  const traces = await startTracing(options, metrics, logger);
  const { superuser, durability, cacheBytes, filterBytesMax, deltaBytesMax } = options;
  const { logMinDurationMs, scrubBytesPerSecond, scrubEveryHours } = options;
  const { memoryLimitBytes, queriesMemoryBytesMax, queryWorkersMax, queryWorkerCostMin, checkpointBytesMax } = options;
  const unixSocketPermissions = Number.parseInt(options.unixSocketPermissions, 8);
  const listened = await settled(
    listenForClients({
      ...options,
      unixSocketPermissions,
      tls,
      rules,
      logger,
      metrics,
      tracer: traces?.tracer,
      dashboardFiles: files,
      operation: operationOf(options, file, hangUp),
    }),
  );
  const database = await openDatabase(data, {
    durability,
    cacheBytes,
    filterBytesMax,
    deltaBytesMax,
    memoryLimitBytes,
    queriesMemoryBytesMax,
    queryWorkersMax,
    queryWorkerCostMin,
    checkpointBytesMax,
    scrubBytesPerSecond,
    scrubEveryHours,
    logMinDurationMs,
    logger,
    metrics,
    holder,
    ...archiveOf(options),
    ...(traces === undefined ? {} : { tracer: traces.tracer, traceTexts: options.traceTexts !== 'off' }),
    ...(superuser === undefined ? {} : { user: superuser }),
  }).catch(async (error: unknown) => {
    await listened.value?.close();
    throw superuser === undefined ? error : openedAs(superuser, data, error);
  });
  try {
    const { value: waiting } = listened;
    if (waiting === undefined) throw new CommandError(ExitCode.Failed, listenError(listened.reason));
    ensureMaintenanceDatabase(database);
    if (options.sampleShop) ensureSampleShop(database);
    // Whoever tries it out has it shown: this token is known to this process alone, and ends with it.
    const role = superuserOf(database, superuser);
    const shown =
      options.sampleShop && isLoopbackHost(options.host)
        ? makeToken({ role, database: databaseOf(database) })
        : undefined;
    const tokensOf = (text: string | undefined): Credentials['tokens'] => {
      const lines = [text, shown?.line].filter((part) => part !== undefined);
      return lines.length === 0 ? undefined : new AccessTokens(lines.join('\n'));
    };
    const server = await waiting.serve(database, tokensOf(tokenLines)).catch((error: unknown) => {
      throw new CommandError(ExitCode.Failed, error);
    });
    const pg = hostAndPort(server.pg);
    const http = server.http === undefined ? undefined : hostAndPort(server.http);
    const url = `postgres://${encodeURIComponent(role)}@${pg}/${encodeURIComponent(databaseOf(database))}`;
    endpoints = { pg, url, ...(http === undefined ? {} : { http: `http://${http}` }) };
    process.stdout.write(`phantomd ready pg=${pg}${http === undefined ? '' : ` http=${http}`}\n`);
    if (options.sampleShop)
      process.stdout.write(
        nextSteps(url, calledAs(process.argv[1] ?? 'phantomd', process.cwd()), dashboardUrl(tls, http, shown?.token)),
      );
    logger.info('ready', { pg, unixSocket: server.unixSocketPath, http, directory: database.directory, durability });
    hangUp.renew = () => {
      try {
        server.renew({
          tls: tlsOf(options),
          rules: fromFile(options.authRules, (text) => new AuthenticationRules(text)),
          tokens: tokensOf(fromFile(options.httpTokens, (text) => text)),
        });
        logger.info('certificates, rules and tokens are read anew');
        return true;
      } catch (error) {
        logger.error('what was read anew cannot be used; all is as before', { ...errorFacts(error) });
        return false;
      }
    };
    const signal = await stop;
    logger.info('stopping', { signal, connections: server.connections });
    await server.close();
  } catch (error) {
    await listened.value?.close();
    await database.close().catch(() => undefined);
    await traces?.close();
    throw error;
  }
  await database.close();
  await traces?.close();
  // Everybody has been told; whoever stopped it without having asked has not.
  if (database.failure !== undefined) throw new CommandError(ExitCode.Failed, database.failure);
  logger.info('stopped');
  return ExitCode.Done;
}

/** What an operator may ask by SQL of the files, and have done. */
function operationOf({ authRules }: ServeSettings, file: ResolvedSettings['file'], hangUp: HangUp): Operation {
  return {
    configFile: file === undefined ? undefined : resolve(file.name),
    rulesFile: authRules === undefined ? undefined : resolve(authRules),
    fileSettings: file?.settings ?? [],
    rulesText: () => (authRules === undefined ? '' : contentOf(authRules).toString()),
    reload: () => hangUp.renew(),
  };
}

/** What came of it, whichever. */
async function settled<T>(promise: Promise<T>): Promise<{ readonly value?: T; readonly reason?: unknown }> {
  try {
    return { value: await promise };
  } catch (reason) {
    return { reason };
  }
}

/** Archiving, as the database takes it. */
function archiveOf(options: ServeSettings): Pick<DatabaseOptions, 'archive'> {
  const { archiveDirectory, archiveTimeoutMs, archiveBaseEveryHours, archiveBasesKept, archiveLogBytesMax } = options;
  if (archiveDirectory === undefined) return {};
  return {
    archive: {
      directory: archiveDirectory,
      timeoutMs: archiveTimeoutMs,
      baseEveryMs: archiveBaseEveryHours * HOUR_MS,
      basesKept: archiveBasesKept,
      logBytesMax: archiveLogBytesMax,
    },
  };
}

/** What a file says; undefined when none is given. */
function fromFile<T>(file: string | undefined, read: (text: string) => T): T | undefined {
  return file === undefined ? undefined : usage(() => read(contentOf(file).toString()));
}

/** The files of TLS, read; undefined when none is given. */
function tlsOf({ tlsCert, tlsKey, tlsClientCa }: ServeSettings): ServerOptions['tls'] {
  if (tlsCert === undefined && tlsKey === undefined && tlsClientCa === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new CommandError(ExitCode.Usage, new Error('--tls-cert and --tls-key come together'));
  return usage(() => ({
    certificate: contentOf(tlsCert),
    key: readPrivateKey(tlsKey),
    ...(tlsClientCa === undefined ? {} : { clientAuthority: contentOf(tlsClientCa) }),
  }));
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw ioError('read', file, error);
  }
}

/** The setting names the superuser of a directory that is new; one that is there has its own. */
function openedAs(superuser: string, data: string, error: unknown): unknown {
  if (!(error instanceof CommandError) || errorFacts(error).code !== NO_SUCH_ROLE) return error;
  const cause = new PhantomError(NO_SUCH_ROLE, `the directory "${data}" has no role "${superuser}"`, {
    hint: `${flagOf('superuser')} names the superuser that a new directory gets; leave it out for one that is there.`,
    cause: error.cause,
  });
  return new CommandError(error.exitCode, cause);
}

/** What is wrong with the address, for those who chose it. */
function listenError(error: unknown): unknown {
  const { code, address, port } = error as { code?: unknown; address?: unknown; port?: unknown };
  if (code === 'EADDRINUSE')
    return Object.assign(new Error(`port ${port} of ${address} is in use`, { cause: error }), {
      code,
      hint: `Another server listens there. Choose another port by ${flagOf('pgPort')} or ${flagOf('httpPort')}; 0 picks a free one.`,
    });
  return error;
}

/** Where the dashboard is, with a token; undefined without either. */
function dashboardUrl(
  tls: ServerOptions['tls'],
  http: string | undefined,
  token: string | undefined,
): string | undefined {
  if (http === undefined || token === undefined) return undefined;
  return `${tls === undefined ? 'http' : 'https'}://${http}/dashboard#token=${token}`;
}

/** What goes wrong with the arguments is their fault. */
function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new CommandError(ExitCode.Usage, error);
  }
}

/** What SIGHUP does; nothing until there is a server. */
interface HangUp {
  /** False when what was read cannot be used. */
  renew: () => boolean;
}

/**
 * Resolves with the first SIGTERM or SIGINT, and SIGHUP where there is a terminal, which is closed then; later ones change nothing: npm hands
 * on what the terminal sends anyway. Without a terminal SIGHUP comes from a service manager, which wants files read anew.
 */
function stopSignal(hangUp: HangUp): Promise<NodeJS.Signals> {
  const { stdin, stdout, stderr } = process;
  const hasTerminal = [stdin, stdout, stderr].some(({ isTTY }) => isTTY);
  return new Promise((stop) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stop(signal));
    process.on('SIGHUP', () => (hasTerminal ? stop('SIGHUP') : hangUp.renew()));
  });
}

function hostAndPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function superuserOf(database: Database, given: string | undefined): string {
  if (given !== undefined) return given;
  return database.catalog.committed.objectsOf('role').find(({ superuser }) => superuser)?.name ?? 'phantom';
}

function databaseOf(database: Database): string {
  if (database.catalog.database('phantom') !== undefined) return 'phantom';
  return database.catalog.committed.objectsOf('database')[0]?.name ?? 'phantom';
}

function notLoopback(host: string): Error {
  return Object.assign(
    new Error(`refusing to listen on ${host}: anybody who can reach it could read and change everything`),
    {
      code: '55000',
      hint: 'Other addresses than loopback need TLS (--tls-cert, --tls-key) and a password of every superuser.',
    },
  );
}
