/** Operators and casts of users as messages call them. */
import type { CastDescriptor, Oid, OperatorDescriptor } from '@phantom/catalog';
import type { DdlContext } from './context.js';

/** `+(integer,text)`, as messages call an operator. */
export function operatorText({ picture }: Pick<DdlContext, 'picture'>, operator: OperatorDescriptor): string {
  const shown = [operator.leftTypeOid, operator.rightTypeOid].map((oid) =>
    oid === 0 ? 'NONE' : (picture.types.byOid(oid)?.displayName ?? String(oid)),
  );
  return `${operator.name}(${shown.join(',')})`;
}

/** `from integer to text`, as messages call a cast. */
export function castText({ picture }: Pick<DdlContext, 'picture'>, { sourceOid, targetOid }: CastDescriptor): string {
  const name = (oid: Oid): string => picture.types.byOid(oid)?.displayName ?? String(oid);
  return `from ${name(sourceOid)} to ${name(targetOid)}`;
}
