/**
 * References to objects of the catalog by kind and name (as DROP, COMMENT, ALTER ... OWNER and GRANT have them), and the
 * statements about roles and rights.
 */
import type { FieldDefinition, Name, Node, Option, QualifiedName, TypeName } from './ast-leaves.js';
import type { Expression } from './ast.js';

/** Kinds of named things, in the words of SQL. */
export type ObjectKind =
  | 'access method'
  | 'aggregate'
  | 'cast'
  | 'collation'
  | 'collection'
  | 'column'
  | 'constraint'
  | 'conversion'
  | 'database'
  | 'domain'
  | 'domain constraint'
  | 'event trigger'
  | 'extension'
  | 'foreign data wrapper'
  | 'foreign table'
  | 'function'
  | 'index'
  | 'language'
  | 'large object'
  | 'materialized view'
  | 'operator'
  | 'operator class'
  | 'operator family'
  | 'policy'
  | 'procedure'
  | 'publication'
  | 'role'
  | 'routine'
  | 'rule'
  | 'schema'
  | 'sequence'
  | 'server'
  | 'statistics'
  | 'subscription'
  | 'table'
  | 'tablespace'
  | 'text search configuration'
  | 'text search dictionary'
  | 'text search parser'
  | 'text search template'
  | 'transform'
  | 'trigger'
  | 'type'
  | 'user mapping'
  | 'view';

export interface ObjectRef extends Node {
  readonly object: ObjectKind;
  /** The object's name; for a column that of the table and the column; empty for casts, transforms and user mappings. */
  readonly name: QualifiedName;
  /** Routines, aggregates and operators: the argument list, undefined when none was written. */
  readonly signature: RoutineSignature | undefined;
  /** Types, domains, casts (source, target), transforms: types as written. */
  readonly types: readonly TypeName[];
  /** Constraints, triggers, rules and policies: the table (or domain). Operator classes: the access method. */
  readonly on: QualifiedName | undefined;
}
/** Argument types that tell overloaded routines apart. */
export interface RoutineSignature extends Node {
  readonly parameters: readonly RoutineParameter[];
  /** Aggregates: `(*)`. */
  readonly star: boolean;
  /** Ordered-set aggregates: how many parameters stand before ORDER BY; -1 without ORDER BY. */
  readonly directCount: number;
}
export interface RoutineParameter extends Node {
  readonly mode: 'in' | 'out' | 'inout' | 'variadic' | undefined;
  readonly name: Name | undefined;
  /** undefined only for NONE, the missing side of a prefix operator. */
  readonly type: TypeName | undefined;
  readonly default: Expression | undefined;
}
/** Columns of RETURNS TABLE. */
export type ResultColumn = FieldDefinition;

/** A role, or one of the words that stand for one. */
export interface RoleSpecification extends Node {
  readonly kind: 'role' | 'public' | 'current-user' | 'current-role' | 'session-user' | 'none';
  /** Set for `role` alone. */
  readonly name: Name | undefined;
}
export interface Privilege extends Node {
  /** `select`, `insert`, ..., lower case; `all` for ALL [PRIVILEGES]. */
  readonly name: string;
  readonly columns: readonly Name[];
}
/** GRANT and REVOKE on objects. */
export interface Grant extends Node {
  readonly kind: 'grant';
  readonly revoke: boolean;
  readonly privileges: readonly Privilege[];
  readonly object: ObjectKind;
  /** Empty when `allInSchemas` is set. */
  readonly objects: readonly ObjectRef[];
  /** ON ALL TABLES IN SCHEMA ...; empty otherwise. */
  readonly allInSchemas: readonly Name[];
  readonly roles: readonly RoleSpecification[];
  /** WITH GRANT OPTION; in a REVOKE: GRANT OPTION FOR. */
  readonly grantOption: boolean;
  readonly grantedBy: RoleSpecification | undefined;
  readonly cascade: boolean;
}
/** GRANT and REVOKE of membership. */
export interface GrantRole extends Node {
  readonly kind: 'grant-role';
  readonly revoke: boolean;
  readonly granted: readonly Name[];
  readonly roles: readonly RoleSpecification[];
  readonly adminOption: boolean;
  readonly grantedBy: RoleSpecification | undefined;
  readonly cascade: boolean;
}
export interface AlterDefaultPrivileges extends Node {
  readonly kind: 'alter-default-privileges';
  readonly forRoles: readonly RoleSpecification[];
  readonly inSchemas: readonly Name[];
  /** Its `objects` are empty; `object` says of what. */
  readonly grant: Grant;
}
export interface CreateRole extends Node {
  readonly kind: 'create-role';
  /** USER implies LOGIN. */
  readonly spelling: 'role' | 'user' | 'group';
  readonly name: RoleSpecification;
  readonly options: readonly RoleOption[];
}
export interface AlterRole extends Node {
  readonly kind: 'alter-role';
  readonly role: RoleSpecification;
  readonly options: readonly RoleOption[];
}
/** ALTER GROUP g ADD | DROP USER ... */
export interface AlterGroup extends Node {
  readonly kind: 'alter-group';
  readonly group: RoleSpecification;
  readonly action: 'add' | 'drop';
  readonly members: readonly RoleSpecification[];
}
/** `superuser` and kin carry true or false; lists are roles of IN ROLE, ROLE, ADMIN; `password` null for PASSWORD NULL. */
export interface RoleOption extends Node {
  readonly name:
    | 'superuser'
    | 'createdb'
    | 'createrole'
    | 'inherit'
    | 'login'
    | 'replication'
    | 'bypassrls'
    | 'connection-limit'
    | 'password'
    | 'valid-until'
    | 'in-role'
    | 'role'
    | 'admin'
    | 'sysid';
  readonly value: boolean | number | string | null | readonly RoleSpecification[];
}
/** DROP OWNED, REASSIGN OWNED. */
export interface OwnedBy extends Node {
  readonly kind: 'drop-owned' | 'reassign-owned';
  readonly roles: readonly RoleSpecification[];
  readonly to: RoleSpecification | undefined;
  readonly cascade: boolean;
}
export interface CreatePolicy extends Node {
  readonly kind: 'create-policy' | 'alter-policy';
  readonly name: Name;
  readonly table: QualifiedName;
  readonly permissive: boolean;
  readonly command: 'all' | 'select' | 'insert' | 'update' | 'delete';
  readonly roles: readonly RoleSpecification[];
  readonly using: Expression | undefined;
  readonly check: Expression | undefined;
}
/** Options in parentheses, as CREATE AGGREGATE, OPERATOR, COLLATION, TYPE and TEXT SEARCH have them. */
export type DefinitionList = readonly Option[];
