/** All families in one table, by the names that the facts use. */
import { basicAggregates } from './basic-aggregates.js';
import { comparisonFunctions } from './comparison-functions.js';
import { dateTimeFields } from './date-time-fields.js';
import { dateTimeFunctions } from './date-time-functions.js';
import { floatFunctions } from './float-functions.js';
import { formatFunctions } from './format-functions.js';
import type { Implementations } from './implementation.js';
import { integerFunctions } from './integer-functions.js';
import { numericFunctions } from './numeric-functions.js';
import { regexFunctions } from './regex-functions.js';
import { sessionFunctions } from './session-functions.js';
import { textFunctions } from './text-functions.js';

export const implementations: Implementations = {
  ...comparisonFunctions,
  ...integerFunctions,
  ...floatFunctions,
  ...numericFunctions,
  ...textFunctions,
  ...regexFunctions,
  ...dateTimeFunctions,
  ...dateTimeFields,
  ...formatFunctions,
  ...basicAggregates,
  ...sessionFunctions,
};
