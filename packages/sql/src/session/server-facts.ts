/**
 * What whoever serves a session tells of the server that it is part of, for operators who ask by SQL: its settings, the rules of who may come
 * in, what its file says, and a way to have its files read anew.
 */
import { PhantomError } from '@phantom/base';
import { type Catalog, type Oid, isSuperuser } from '@phantom/catalog';
import type { ServerSettings } from './server-settings.js';

/** A line of the rules of who may come in, as pg_hba_file_rules has it. */
export interface ListedRule {
  /** From 1. */
  readonly line: number;
  /** Undefined, as all that follows, for a line that is no rule. */
  readonly connection?: string;
  readonly databases?: readonly string[];
  readonly users?: readonly string[];
  /** A keyword or an address; undefined for rules that have none. */
  readonly address?: string;
  readonly mask?: string;
  readonly method?: string;
  /** What is wrong with the line. */
  readonly error?: string;
}

/** A setting as the server's file has it. */
export interface FileSetting {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  readonly name: string;
  readonly value: string;
  /** False where a flag or a variable says something else. */
  readonly applied: boolean;
}

export interface ServerFacts {
  /** Its settings by their names in PostgreSQL, before what the engine was told. */
  readonly settings: ServerSettings;
  /** When the files of who may come in were read last, in milliseconds since 1970. */
  readonly filesReadMs: number;
  /** The rules as they stand in their file now, whether or not they have been read since. */
  rules(): readonly ListedRule[];
  fileSettings(): readonly FileSetting[];
  /** Reads the files of who may come in anew; false when they cannot be used, or there is nothing to read: then all is as before. */
  reload(): boolean;
}

/** A session, as far as it is asked. */
interface Operator {
  readonly engine: { readonly catalog: Catalog };
  readonly currentRoleOid: Oid;
  readonly activity: { readonly server: ServerFacts | undefined };
}

/** pg_reload_conf: 42501 but for superusers; false as of `reload`, and where nobody serves the session. */
export function reloadServer({ engine, currentRoleOid, activity }: Operator): boolean {
  if (!isSuperuser(engine.catalog.committed, currentRoleOid))
    throw new PhantomError('42501', 'permission denied for function pg_reload_conf');
  return activity.server?.reload() ?? false;
}
