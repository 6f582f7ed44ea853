/** The constructors that come with a user's range type: functions of its name, and of its multirange type's. */
import type { SqlType } from '../types/type.js';
import { multirangeFunctions } from './multirange-functions.js';
import type { ScalarCode } from './implementation.js';
import { rangeFunctions } from './range-functions.js';
import type { FunctionDefinition } from './registry.js';
import { TypeOid } from '../types/type-oids.js';

/** None for a type that is neither a range type nor a multirange type. */
export function rangeConstructors(type: SqlType, arrayOfRangeOid: number): readonly FunctionDefinition[] {
  const traits = type.kind === 'range' || type.kind === 'multirange' ? type.range : undefined;
  if (traits === undefined) return [];
  const make = (argumentTypes: readonly number[], code: ScalarCode, strict: boolean, variadic?: number) => ({
    kind: 'scalar' as const,
    // No catalog lists them: they are found by the name of their type.
    oid: 0,
    name: type.name,
    argumentTypes,
    ...(variadic === undefined ? {} : { variadic }),
    resultType: type.oid,
    volatility: 'immutable' as const,
    strict,
    call: code.call,
    needsContext: true,
    needsTypes: true,
  });
  if (type.kind === 'range') {
    const bound = traits.subtype.oid;
    return [
      make([bound, bound], rangeFunctions['range_constructor2'] as ScalarCode, false),
      make([bound, bound, TypeOid.text], rangeFunctions['range_constructor3'] as ScalarCode, false),
    ];
  }
  const { rangeOid } = traits;
  return [
    make([], multirangeFunctions['multirange_constructor0'] as ScalarCode, true),
    make([rangeOid], multirangeFunctions['multirange_constructor1'] as ScalarCode, true),
    make([arrayOfRangeOid], multirangeFunctions['multirange_constructor2'] as ScalarCode, true, rangeOid),
  ];
}
