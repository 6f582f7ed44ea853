/**
 * The functions, operators and casts of the built-in types. A session whose catalog has types of its own makes a registry
 * over them instead: `functionRegistry(types)`.
 */
import { builtinTypeCatalog } from '../types/type-catalog.js';
import { functionRegistry } from './function-registry.js';
import type { FunctionRegistry } from './registry.js';

export const builtinFunctions: FunctionRegistry = functionRegistry(builtinTypeCatalog);
