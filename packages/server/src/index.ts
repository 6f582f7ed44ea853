/** @phantom/server: the PostgreSQL protocol and HTTP in front of an open database. */
export { isLoopbackHost } from './auth/authentication.js';
export type { ServerOptions } from './options.js';
export { type JsonLoggerOptions, jsonLogger } from './pino-logger.js';
export { Server, type ServerAddress, startServer } from './server.js';
