/** Every function that is implemented here, by family. */
import { aggregateFacts } from './aggregate-facts.js';
import { aggregateStepFacts } from './aggregate-step-facts.js';
import { arrayFacts } from './array-facts.js';
import { binaryFacts } from './binary-facts.js';
import { bitFacts } from './bit-facts.js';
import { catalogFacts } from './catalog-facts.js';
import { comparisonFacts } from './comparison-facts.js';
import { dateTimeFacts } from './date-time-facts.js';
import { floatFacts } from './float-facts.js';
import { formatFacts } from './format-facts.js';
import { generalFacts } from './general-facts.js';
import { geometricFacts } from './geometric-facts.js';
import { hashFacts } from './hash-facts.js';
import { integerFacts } from './integer-facts.js';
import { internalFacts } from './internal-facts.js';
import { jsonFacts } from './json-facts.js';
import { jsonpathFacts } from './jsonpath-facts.js';
import { largeObjectFacts } from './large-object-facts.js';
import { lockFacts } from './lock-facts.js';
import { snapshotFacts } from './snapshot-facts.js';
import { lsnFacts } from './lsn-facts.js';
import { macFacts } from './mac-facts.js';
import { moneyFacts } from './money-facts.js';
import { monitoringFacts } from './monitoring-facts.js';
import { networkFacts } from './network-facts.js';
import { numericFacts } from './numeric-facts.js';
import { privilegeFacts } from './privilege-facts.js';
import { rangeFacts } from './range-facts.js';
import { regexFacts } from './regex-facts.js';
import { sessionFacts } from './session-facts.js';
import { textFacts } from './text-facts.js';
import { textSearchFacts } from './text-search-facts.js';
import { windowFacts } from './window-facts.js';
import { uuidFacts } from './uuid-facts.js';
import { xmlFacts } from './xml-facts.js';

export const functionFacts: readonly string[] = [
  aggregateFacts,
  aggregateStepFacts,
  arrayFacts,
  binaryFacts,
  bitFacts,
  catalogFacts,
  comparisonFacts,
  dateTimeFacts,
  floatFacts,
  formatFacts,
  generalFacts,
  geometricFacts,
  hashFacts,
  integerFacts,
  internalFacts,
  jsonFacts,
  jsonpathFacts,
  largeObjectFacts,
  lockFacts,
  snapshotFacts,
  lsnFacts,
  macFacts,
  uuidFacts,
  moneyFacts,
  monitoringFacts,
  networkFacts,
  numericFacts,
  privilegeFacts,
  rangeFacts,
  regexFacts,
  sessionFacts,
  textFacts,
  textSearchFacts,
  windowFacts,
  xmlFacts,
];
