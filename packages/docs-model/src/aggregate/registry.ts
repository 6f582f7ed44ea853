/** Expression operators by name. */
import { arithmeticOperators } from './arithmetic-operators.js';
import { arrayOperators } from './array-operators.js';
import { bitOperators } from './bit-operators.js';
import { conversionOperators } from './conversion-operators.js';
import { dateOperators } from './date-operators.js';
import type { OperatorMaker } from './evaluate.js';
import { logicOperators } from './logic-operators.js';
import { objectOperators } from './object-operators.js';
import { textOperators } from './text-operators.js';
import { trigonometryOperators } from './trigonometry-operators.js';

export const expressionOperators: ReadonlyMap<string, OperatorMaker> = new Map(
  [
    arithmeticOperators,
    arrayOperators,
    bitOperators,
    conversionOperators,
    dateOperators,
    logicOperators,
    objectOperators,
    textOperators,
    trigonometryOperators,
  ].flatMap((family) => Object.entries(family)),
);

export function operatorNamed(name: string): OperatorMaker | undefined {
  return expressionOperators.get(name);
}
