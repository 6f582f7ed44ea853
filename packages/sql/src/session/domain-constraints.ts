/** What a domain asks of its values, bound when the first one comes. */
import { type ErrorFields, PhantomError } from '@phantom/base';
import type { TypeDescriptor } from '@phantom/catalog';
import { bindRowExpression } from '../expr/row-expression.js';
import type { RowExpression } from '../expr/row-expression-types.js';
import type { EvaluationContext } from '../functions/registry.js';
import type { CatalogPort } from '../plan/catalog-port.js';
import type { TypeContext, Value } from '../types/type.js';
import { BOOL } from '../types/type-refs.js';

interface BoundCheck {
  readonly name: string;
  readonly condition: RowExpression;
}

/** The test of one domain's own constraints; undefined when it has none. */
export function domainConstraints(
  descriptor: TypeDescriptor,
  catalog: CatalogPort,
): ((value: Value, context: TypeContext, shownName: string) => void) | undefined {
  const { definition } = descriptor;
  if (definition.kind !== 'domain' || (!definition.notNull && definition.checks.length === 0)) return undefined;
  let checks: readonly BoundCheck[] | undefined;
  const of = (): ErrorFields => ({ schema: catalog.schemaName(descriptor.schemaOid), dataType: descriptor.name });
  return (value, context, shownName) => {
    if (definition.notNull && value === null) {
      throw new PhantomError('23502', `domain ${shownName} does not allow null values`, of());
    }
    checks ??= definition.checks
      .map(({ name, expressionSql }) => ({
        name,
        condition: bindRowExpression(expressionSql, {
          columns: [
            { number: 1, name: 'value', type: definition.base, notNull: false, dropped: false, sinceVersion: 1 },
          ],
          relationName: undefined,
          catalog,
          target: BOOL,
          purpose: 'check',
        }),
      }))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    for (const { name, condition } of checks) {
      const given = condition.columns.length === 0 ? [] : [value];
      if (condition.evaluate(given, context as EvaluationContext) !== false) continue;
      throw new PhantomError('23514', `value for domain ${shownName} violates check constraint "${name}"`, {
        ...of(),
        constraint: name,
      });
    }
  };
}
