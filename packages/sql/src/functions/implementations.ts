/** All families in one table, by the names that the facts use. */
import { aggregateSteps } from './aggregate-steps.js';
import { arrayFunctions } from './array-functions.js';
import { basicAggregates } from './basic-aggregates.js';
import { binaryFunctions } from './binary-functions.js';
import { bitFunctions } from './bit-functions.js';
import { catalogFunctions } from './catalog-functions.js';
import { partitionFunctions } from './partition-functions.js';
import { comparisonFunctions } from './comparison-functions.js';
import { dateTimeFields } from './date-time-fields.js';
import { dateTimeFunctions } from './date-time-functions.js';
import { floatFunctions } from './float-functions.js';
import { formatFunctions } from './format-functions.js';
import { generalFunctions } from './general-functions.js';
import { geometricFunctions } from './geometric-functions.js';
import { hashFunctions } from './hash-functions.js';
import type { Implementations } from './implementation.js';
import { indexProperties } from './index-properties.js';
import { integerFunctions } from './integer-functions.js';
import { jsonAggregates } from './json/json-aggregates.js';
import { jsonFunctions } from './json/json-functions.js';
import { jsonPopulation } from './json/json-populate.js';
import { jsonbFunctions } from './json/jsonb-functions.js';
import { jsonbUpdates } from './json/jsonb-update.js';
import { jsonPathFunctions } from './jsonpath/jsonpath-functions.js';
import { largeObjectFunctions } from './large-object-functions.js';
import { lockFunctions } from './lock-functions.js';
import { lsnFunctions } from './lsn-functions.js';
import { snapshotFunctions } from './snapshot-functions.js';
import { macFunctions } from './mac-functions.js';
import { moneyFunctions } from './money-functions.js';
import { monitoringFunctions } from './monitoring-functions.js';
import { multirangeFunctions } from './multirange-functions.js';
import { networkFunctions } from './network-functions.js';
import { numericFunctions } from './numeric-functions.js';
import { privilegeFunctions } from './privilege-functions.js';
import { rangeFunctions } from './range-functions.js';
import { regexFunctions } from './regex-functions.js';
import { sessionFunctions } from './session-functions.js';
import { statisticsAggregates } from './statistics-aggregates.js';
import { textSearchFunctions } from './text-search-functions.js';
import { textBuildingFunctions } from './text-building-functions.js';
import { textFunctions } from './text-functions.js';
import { uuidFunctions } from './uuid-functions.js';
import { xmlFunctions } from './xml/xml-functions.js';
import { xpathFunctions } from './xml/xpath-functions.js';

export const implementations: Implementations = {
  ...comparisonFunctions,
  ...catalogFunctions,
  ...partitionFunctions,
  ...privilegeFunctions,
  ...indexProperties,
  ...integerFunctions,
  ...floatFunctions,
  ...numericFunctions,
  ...textFunctions,
  ...textBuildingFunctions,
  ...binaryFunctions,
  ...arrayFunctions,
  ...regexFunctions,
  ...dateTimeFunctions,
  ...dateTimeFields,
  ...formatFunctions,
  ...basicAggregates,
  ...aggregateSteps,
  ...statisticsAggregates,
  ...jsonFunctions,
  ...jsonPopulation,
  ...jsonbFunctions,
  ...jsonbUpdates,
  ...jsonAggregates,
  ...jsonPathFunctions,
  ...generalFunctions,
  ...hashFunctions,
  ...geometricFunctions,
  ...sessionFunctions,
  ...bitFunctions,
  ...moneyFunctions,
  ...monitoringFunctions,
  ...networkFunctions,
  ...lsnFunctions,
  ...snapshotFunctions,
  ...macFunctions,
  ...uuidFunctions,
  ...largeObjectFunctions,
  ...lockFunctions,
  ...rangeFunctions,
  ...multirangeFunctions,
  ...textSearchFunctions,
  ...xmlFunctions,
  ...xpathFunctions,
};
