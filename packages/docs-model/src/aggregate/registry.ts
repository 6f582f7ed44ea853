/** Expression operators by name. */
import { arithmeticOperators } from './arithmetic-operators.js';
import { arrayOperators } from './array-operators.js';
import { conversionOperators } from './conversion-operators.js';
import { dateOperators } from './date-operators.js';
import type { OperatorMaker } from './evaluate.js';
import { logicOperators } from './logic-operators.js';
import { objectOperators } from './object-operators.js';
import { textOperators } from './text-operators.js';

const operators = new Map<string, OperatorMaker>(
  [
    arithmeticOperators,
    arrayOperators,
    conversionOperators,
    dateOperators,
    logicOperators,
    objectOperators,
    textOperators,
  ].flatMap((family) => Object.entries(family)),
);

export function operatorNamed(name: string): OperatorMaker | undefined {
  return operators.get(name);
}
