/** Command tags as PostgreSQL reports them: what a client is told when a statement has ended. */
import type { Statement } from '../text/ast-statements.js';

const FIXED: Readonly<Partial<Record<Statement['kind'], string>>> = {
  'create-table': 'CREATE TABLE',
  'create-index': 'CREATE INDEX',
  'create-view': 'CREATE VIEW',
  'create-sequence': 'CREATE SEQUENCE',
  'create-schema': 'CREATE SCHEMA',
  'create-type': 'CREATE TYPE',
  'create-domain': 'CREATE DOMAIN',
  'alter-collection': 'ALTER COLLECTION',
  'create-collection': 'CREATE COLLECTION',
  'create-extension': 'CREATE EXTENSION',
  'create-cast': 'CREATE CAST',
  'create-statistics': 'CREATE STATISTICS',
  'create-trigger': 'CREATE TRIGGER',
  'create-rule': 'CREATE RULE',
  'create-policy': 'CREATE POLICY',
  'create-role': 'CREATE ROLE',
  'alter-sequence': 'ALTER SEQUENCE',
  'alter-enum': 'ALTER TYPE',
  'alter-domain': 'ALTER DOMAIN',
  'alter-statistics': 'ALTER STATISTICS',
  'alter-routine': 'ALTER ROUTINE',
  'alter-role': 'ALTER ROLE',
  'alter-group': 'ALTER ROLE',
  'alter-default-privileges': 'ALTER DEFAULT PRIVILEGES',
  'create-database': 'CREATE DATABASE',
  'drop-database': 'DROP DATABASE',
  'alter-database': 'ALTER DATABASE',
  comment: 'COMMENT',
  truncate: 'TRUNCATE TABLE',
  'refresh-materialized-view': 'REFRESH MATERIALIZED VIEW',
  commit: 'COMMIT',
  rollback: 'ROLLBACK',
  savepoint: 'SAVEPOINT',
  release: 'RELEASE',
  'rollback-to': 'ROLLBACK',
  'prepare-transaction': 'PREPARE TRANSACTION',
  'commit-prepared': 'COMMIT PREPARED',
  'rollback-prepared': 'ROLLBACK PREPARED',
  'set-transaction': 'SET',
  'set-constraints': 'SET CONSTRAINTS',
  'lock-table': 'LOCK TABLE',
  set: 'SET',
  reset: 'RESET',
  show: 'SHOW',
  prepare: 'PREPARE',
  'declare-cursor': 'DECLARE CURSOR',
  'call-statement': 'CALL',
  do: 'DO',
  explain: 'EXPLAIN',
  vacuum: 'VACUUM',
  analyze: 'ANALYZE',
  reindex: 'REINDEX',
  cluster: 'CLUSTER',
  backup: 'BACKUP',
  checkpoint: 'CHECKPOINT',
  listen: 'LISTEN',
  unlisten: 'UNLISTEN',
  notify: 'NOTIFY',
  load: 'LOAD',
};

/** The tag of a statement that affected or returned `count` rows. */
export function commandTag(statement: Statement, count: number): string {
  switch (statement.kind) {
    case 'insert':
      return `INSERT 0 ${count}`;
    case 'update':
    case 'delete':
    case 'merge':
    case 'copy':
      return `${statement.kind.toUpperCase()} ${count}`;
    case 'fetch':
      return `${statement.move ? 'MOVE' : 'FETCH'} ${count}`;
    case 'query':
      return `SELECT ${count}`;
    case 'create-table-as':
      return `SELECT ${count}`;
    case 'begin':
      return statement.start ? 'START TRANSACTION' : 'BEGIN';
    case 'drop':
      return `DROP ${statement.object.toUpperCase()}`;
    case 'alter-table':
      return `ALTER ${statement.object.toUpperCase()}`;
    case 'rename':
      return `ALTER ${(statement.relation ?? statement.target.object).toUpperCase()}`;
    case 'alter-owner':
    case 'alter-schema':
    case 'alter-depends':
    case 'alter-definition':
      return `ALTER ${statement.target.object.toUpperCase()}`;
    case 'alter-setting':
      return `ALTER ${(statement.target?.object ?? 'system').toUpperCase()}`;
    case 'create-definition':
      return `CREATE ${statement.object.toUpperCase()}`;
    case 'create-routine':
      return `CREATE ${statement.routine.toUpperCase()}`;
    case 'grant':
      return statement.revoke ? 'REVOKE' : 'GRANT';
    case 'grant-role':
      return statement.revoke ? 'REVOKE ROLE' : 'GRANT ROLE';
    case 'discard':
      return statement.what === 'temporary' ? 'DISCARD TEMP' : `DISCARD ${statement.what.toUpperCase()}`;
    case 'close':
      return statement.name === undefined ? 'CLOSE CURSOR ALL' : 'CLOSE CURSOR';
    case 'deallocate':
      return statement.name === undefined ? 'DEALLOCATE ALL' : 'DEALLOCATE';
    default:
      return FIXED[statement.kind] ?? statement.kind.replaceAll('-', ' ').toUpperCase();
  }
}
