/**
 * regclass, regtype and kin: object identifiers that are written and read as names. Stored and compared as the oid; the
 * names are the catalog's of the session that asks, along its search path.
 */
import { PhantomError } from '@phantom/base';
import type { RoutineDescriptor } from '@phantom/catalog';
import { StorageKind } from '@phantom/codec';
import { builtinType, compareScalars } from './base-type.js';
import { COLUMN_NAMES, RESERVED, TYPE_OR_FUNCTION } from '../text/keywords.js';
import { compositeRelationOid, derivedFrom } from '../system-views/oids.js';
import { replaceEach } from './text-pieces.js';
import { TypeOid } from './type-oids.js';
import type { SqlType, TypeContext } from './type.js';
import { expectBytes, getU32 } from './wire.js';

/** What the session's evaluation context knows of names, where there is a session. */
export interface NameCatalog {
  relation(name: { readonly schema?: string; readonly name: string }): { readonly oid: number } | undefined;
  relationByOid(oid: number): { readonly name: string; readonly schemaOid: number } | undefined;
  schemaName(oid: number): string;
  typeNamed(name: { readonly schema?: string; readonly name: string }): SqlType | undefined;
  /** The type that a text such as `character varying(3)` or `int[]` names; 42704 when there is none, 42601 for other texts. */
  typeOfText(text: string): { readonly oid: number };
  schemaOid(name: string): number | undefined;
  roleOid(name: string): number | undefined;
  roleName(oid: number): string | undefined;
  /** Undefined for a name that no collation has. */
  collationOid(name: string): number | undefined;
  /** Undefined for one that no object of the database names. */
  collationName(oid: number): string | undefined;
  readonly functions: {
    functionsNamed(name: string, schema?: string): readonly NamedFunction[];
    functionByOid(oid: number): NamedFunction | undefined;
    operatorsNamed(name: string, schema?: string): readonly NamedOperator[];
    operatorByOid(oid: number): NamedOperator | undefined;
  };
}

/** What is shown of a function. */
export interface NamedFunction {
  readonly oid: number;
  readonly name: string;
  readonly argumentTypes: readonly number[];
  readonly routine?: RoutineDescriptor;
}

/** What is shown of an operator; a type 0 stands for the missing side of a prefix operator. */
export interface NamedOperator {
  readonly oid: number;
  readonly name: string;
  readonly leftType: number;
  readonly rightType: number;
  /** Undefined for those of pg_catalog. */
  readonly schemaOid?: number;
}

/** The names a context knows; undefined where no session stands behind it. */
export function catalogOf(context: TypeContext): NameCatalog | undefined {
  return (context as { readonly catalog?: NameCatalog }).catalog;
}

/** Parts of a name as written: folded to lower case unless quoted. 42602 for what is no name. */
export function splitIdentifiers(text: string): string[] {
  const parts: string[] = [];
  const pattern = /\s*(?:"((?:[^"]|"")+)"|([\p{L}_][\p{L}\p{N}_$]*))\s*(\.|$)/uy;
  for (let match = pattern.exec(text); match !== null; match = pattern.exec(text)) {
    parts.push(match[1] === undefined ? (match[2] as string).toLowerCase() : match[1].replaceAll('""', '"'));
    if (match[3] === '') return parts;
  }
  throw new PhantomError('42602', 'invalid name syntax');
}

const PLAIN_NAME = /^[a-z_][a-z0-9_]*$/;
/** Words that are keywords somewhere, so that a name must be quoted. */
const QUOTED_WORDS: ReadonlySet<string> = new Set([...COLUMN_NAMES, ...TYPE_OR_FUNCTION, ...RESERVED]);

/** A name as it must be written to be read back: quoted unless it is a plain lower-case word that means nothing else. */
export function quoteIdentifier(name: string): string {
  return PLAIN_NAME.test(name) && !QUOTED_WORDS.has(name) ? name : `"${replaceEach(name, '"', '""')}"`;
}

function nameParts(text: string): { schema?: string; name: string } {
  const parts = splitIdentifiers(text);
  const name = parts.at(-1) as string;
  const schema = parts.at(-2);
  return schema === undefined ? { name } : { schema, name };
}

/** Oid of the relation or composite type of that name; undefined when there is none. */
export function findRegclass(text: string, context: TypeContext): number | undefined {
  const catalog = catalogOf(context);
  if (catalog === undefined) return undefined;
  const name = nameParts(text);
  const relation = catalog.relation(name);
  if (relation !== undefined) return relation.oid;
  const type = catalog.typeNamed(name);
  return type?.kind === 'composite' ? compositeRelationOid(type.oid) : undefined;
}

/** As findRegclass; 42P01 when there is none. */
export function regclassNamed(text: string, context: TypeContext): number {
  const oid = findRegclass(text, context);
  if (oid === undefined) throw new PhantomError('42P01', `relation "${text}" does not exist`);
  return oid;
}

function regtypeNamed(text: string, context: TypeContext): number {
  const catalog = catalogOf(context);
  if (catalog === undefined) throw new PhantomError('42704', `type "${text}" does not exist`);
  return catalog.typeOfText(text).oid;
}

function regclassText(oid: number, context: TypeContext): string {
  const catalog = catalogOf(context);
  const relation = catalog?.relationByOid(oid);
  if (catalog === undefined || relation === undefined)
    return context.types.byOid(derivedFrom(oid))?.displayName ?? String(oid);
  const visible = catalog.relation({ name: relation.name })?.oid === oid;
  const name = quoteIdentifier(relation.name);
  return visible ? name : `${quoteIdentifier(catalog.schemaName(relation.schemaOid))}.${name}`;
}

/** A type of object identifiers; `find` raises what is not there, `show` gets no 0. */
export function regType(
  oid: number,
  find: (text: string, context: TypeContext) => number,
  show: (oid: number, context: TypeContext) => string,
): SqlType {
  return builtinType<number>(oid, {
    storage: { kind: StorageKind.UInt32 },
    input: (text, _typmod, context) => {
      const trimmed = text.trim();
      if (trimmed === '-') return 0;
      return /^\d+$/.test(trimmed) ? Number(trimmed) : find(trimmed, context);
    },
    output: (value, context) => (value === 0 ? '-' : show(value, context)),
    receive: (bytes, start, end) => {
      expectBytes(start, end, 4);
      return getU32(bytes, start, end);
    },
    send: (value, writer) => writer.u32BE(value),
    compare: compareScalars,
  });
}

export const regTypes: readonly SqlType[] = [
  regType(TypeOid.regclass, regclassNamed, regclassText),
  regType(TypeOid.regtype, regtypeNamed, (oid, context) => context.types.byOid(oid)?.displayName ?? String(oid)),
];
