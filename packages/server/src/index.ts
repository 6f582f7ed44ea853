/** @phantom/server: the PostgreSQL protocol and HTTP in front of an open database. */
export { isLoopbackHost } from './auth/authentication.js';
export { type Access, AccessTokens, makeToken } from './auth/access-tokens.js';
export { AuthenticationRules } from './auth/rules.js';
export type { StaticFile, StaticFiles } from './http/static-files.js';
export type { Operation, ServerOptions } from './options.js';
export { type JsonLoggerOptions, jsonLogger } from './pino-logger.js';
export { type TlsOptions, checkTls } from './tls.js';
export {
  type Credentials,
  Server,
  type ServerAddress,
  type WaitingServer,
  listenForClients,
  startServer,
} from './server.js';
