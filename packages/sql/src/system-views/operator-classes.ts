/** Which operator class a key of an index has: the default one of its type for the access method. */
import type { TypeRef } from '@phantom/catalog';
import type { InstalledExtension } from '../extensions/installed.js';
import type { TypeLookup } from '../types/type.js';
import { MethodOid } from './oids.js';
import { operatorClassFacts, operatorFamilyFacts } from './operator-class-facts.js';

export interface OperatorClass {
  readonly oid: number;
  readonly name: string;
  readonly methodOid: number;
  readonly familyOid: number;
  readonly typeOid: number;
  readonly isDefault: boolean;
}

let classes: readonly OperatorClass[] | undefined;

/** All operator classes. */
export function operatorClasses(): readonly OperatorClass[] {
  classes ??= operatorClassFacts
    .trim()
    .split('\n')
    .map((line) => {
      const [oid, name, method, family, type, mark] = line.split(' ') as [
        string,
        string,
        string,
        string,
        string,
        string,
      ];
      return {
        oid: Number(oid),
        name,
        methodOid: Number(method),
        familyOid: Number(family),
        typeOid: Number(type),
        isDefault: mark === 'd',
      };
    });
  return classes;
}

/** Operator families: oid, name, access method. */
export function operatorFamilies(): readonly (readonly [oid: number, name: string, methodOid: number])[] {
  return operatorFamilyFacts
    .trim()
    .split('\n')
    .map((line) => {
      const [oid, name, method] = line.split(' ') as [string, string, string];
      return [Number(oid), name, Number(method)];
    });
}

/** Types whose values are indexed as another type's. */
const INDEXED_AS: Readonly<Record<number, number>> = { 1043: 25 };
const ANY_ARRAY = 2277;
const ANY_ENUM = 3500;
const RECORD = 2249;

/** Oid of the operator class of a part of an index: its own, else the default one of its type; 0 when there is none. */
export function operatorClassOf(
  types: TypeLookup,
  part: { readonly type: TypeRef; readonly operatorClass?: string },
  methodOid: number,
  added: readonly InstalledExtension[] = [],
): number {
  const typeOid = part.type.oid;
  let type = types.byOid(typeOid);
  while (type?.kind === 'domain') type = types.byOid(type.baseOid);
  const kind = type?.kind;
  const oid = type?.oid ?? typeOid;
  const wanted =
    kind === 'array'
      ? ANY_ARRAY
      : kind === 'enum'
        ? ANY_ENUM
        : kind === 'composite'
          ? RECORD
          : (INDEXED_AS[oid] ?? oid);
  const found = operatorClasses().find(
    (candidate) =>
      candidate.methodOid === methodOid &&
      candidate.typeOid === wanted &&
      (part.operatorClass === undefined ? candidate.isDefault : candidate.name === part.operatorClass),
  );
  if (found !== undefined) return found.oid;
  for (const { operatorClasses: own } of added) {
    for (const { oid: classOid, name, method, typeOid: accepted, isDefault } of own) {
      if (MethodOid[method as keyof typeof MethodOid] !== methodOid || accepted !== wanted) continue;
      if (part.operatorClass === undefined ? isDefault : name === part.operatorClass) return classOid;
    }
  }
  return 0;
}
