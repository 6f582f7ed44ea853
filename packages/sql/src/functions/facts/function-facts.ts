/** Every function that is implemented here, in parts: see definitions.ts for the form of a line. */
import { catalogFunctionFacts } from './catalog-function-facts.js';
import { functionFacts1 } from './function-facts-1.js';
import { functionFacts2 } from './function-facts-2.js';
import { functionFacts3 } from './function-facts-3.js';
import { functionFacts4 } from './function-facts-4.js';

export const functionFacts: readonly string[] = [
  functionFacts1,
  functionFacts2,
  functionFacts3,
  functionFacts4,
  catalogFunctionFacts,
];
