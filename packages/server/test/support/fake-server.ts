/** The listener over the fake database. */
import { resolveServerOptions, type ServerOptions } from '../../src/options.js';
import { PgListener } from '../../src/pg/listener.js';
import { FakeDatabase } from './fake-database.js';

export interface FakeServer {
  readonly database: FakeDatabase;
  readonly listener: PgListener;
  readonly port: number;
}

export async function startFake(options: ServerOptions = {}): Promise<FakeServer> {
  const database = new FakeDatabase();
  const listener = new PgListener(resolveServerOptions({ pgPort: 0, ...options }));
  listener.serve(database);
  const { port } = await listener.listen();
  return { database, listener, port };
}
