/**
 * What clients send when they start, recorded before PostgreSQL 15 (`npm run clients -- record`), sent again to the server here:
 * what it answers has the same form, message by message, but for the number of rows.
 */
import { readFileSync } from 'node:fs';
import { type Database, open } from '@phantom/db';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Server, startServer } from '../src/server.js';
import { WireClient, reportFields, shape } from './support/wire-client.js';

interface Step {
  /** Base64 of what the client sends until it waits for the server to be ready. */
  readonly send: string;
  /** Types of what PostgreSQL answers, without rows, notices and settings. */
  readonly answer: string;
}

interface Recorded {
  readonly client: string;
  readonly version: string;
  readonly conversations: readonly (readonly Step[])[];
}

const file = new URL('recorded/start-ups.json', import.meta.url);
const recorded = JSON.parse(readFileSync(file, 'utf8')) as readonly Recorded[];

let database: Database;
let server: Server;
beforeAll(async () => {
  database = await open(':memory:');
  server = await startServer(database, { pgPort: 0, drainTimeoutMs: 50 });
});
afterAll(async () => {
  await server.close();
  await database.close();
});

describe('the start of', () => {
  for (const { client, version, conversations } of recorded) {
    it(`${client} ${version} is answered as PostgreSQL does`, async () => {
      expect(conversations.length).toBeGreaterThan(0);
      for (const steps of conversations) {
        const wire = await WireClient.open(server.pg.port);
        for (const { send, answer } of steps) {
          wire.send(Buffer.from(send, 'base64'));
          const messages = await wire.ready();
          const form = shape(messages).replaceAll(/[SND]/g, '');
          const failed = messages.find(({ type }) => type === 'E');
          const said = failed === undefined ? '' : ` ${reportFields(failed).C}: ${reportFields(failed).M}`;
          expect(form + said, Buffer.from(send, 'base64').toString('latin1').slice(0, 2000)).toBe(answer);
        }
        wire.end();
      }
    });
  }
});
