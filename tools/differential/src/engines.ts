/** Who answers: Phantom-DB in memory with tables of a shape, and a PostgreSQL server. */
import { isPhantomError, open } from '@phantom/db';
import pg from 'pg';

/** Rows as texts, one for each, in no order; or the SQLSTATE. */
export type Answer = { readonly rows: readonly string[] } | { readonly code: string; readonly message: string };

export interface Engine {
  readonly name: string;
  /** Runs statements that must not fail. */
  prepare(statements: readonly string[]): Promise<void>;
  answer(query: string): Promise<Answer>;
  close(): Promise<void>;
}

/** A value as PostgreSQL writes it. */
function textOf(value: unknown): string {
  if (value === null) return '~';
  if (typeof value === 'boolean') return value ? 't' : 'f';
  return String(value);
}

/** A database in memory of its own. */
export async function openPhantom(name: string): Promise<Engine> {
  const database = await open(':memory:', { seed: 1 });
  return {
    name,
    async prepare(statements) {
      for (const statement of statements) await database.query(statement);
    },
    async answer(query) {
      try {
        const { rows, fields } = await database.query<Record<string, unknown>>(query);
        return { rows: rows.map((row) => fields.map((field) => textOf(row[field.name])).join(' | ')) };
      } catch (error) {
        if (isPhantomError(error)) return { code: error.code, message: error.message };
        return { code: 'XX000', message: error instanceof Error ? (error.stack ?? '') : String(error) };
      }
    },
    close: () => database.close(),
  };
}

/** The schema that a run works in, made anew with its tables: runs beside each other have one each. */
const SCHEMA = `phantom_differential_${process.pid}`;

/**
 * A server at an address such as postgres://user@host/database. The database must treat text as ours do:
 * `create database d template template0 encoding 'UTF8' lc_collate 'C' lc_ctype 'C.UTF-8'`.
 */
export async function openPostgres(url: string): Promise<Engine> {
  const client = new pg.Client({ connectionString: url, types: { getTypeParser: () => (value: string) => value } });
  await client.connect();
  const { rows } = await client.query<{ alike: string }>(`select 'é' > 'z' and upper('é') = 'É' as alike`);
  if (rows[0]?.alike !== 't') {
    await client.end();
    throw new Error(`the database needs LC_COLLATE "C" and LC_CTYPE "C.UTF-8"`);
  }
  return {
    name: 'PostgreSQL',
    async prepare(statements) {
      await client.query(`drop schema if exists ${SCHEMA} cascade; create schema ${SCHEMA}`);
      await client.query(`set search_path = ${SCHEMA}; set timezone = 'UTC'; set statement_timeout = '20s'`);
      for (const statement of statements) await client.query(statement);
    },
    async answer(query) {
      try {
        const answer = await client.query<unknown[]>({ text: query, rowMode: 'array' });
        return { rows: answer.rows.map((row) => row.map(textOf).join(' | ')) };
      } catch (error) {
        if (error instanceof pg.DatabaseError) return { code: error.code ?? '', message: error.message };
        throw error;
      }
    },
    async close() {
      await client.query(`drop schema if exists ${SCHEMA} cascade`);
      await client.end();
    },
  };
}
