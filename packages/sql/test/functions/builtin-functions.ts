/**
 * The functions, operators and casts of the built-in types alone. A session makes a registry over the types of its catalog:
 * `functionRegistry(types)`.
 */
import { builtinTypeCatalog } from '../../src/types/type-catalog.js';
import { functionRegistry } from '../../src/functions/function-registry.js';
import type { FunctionRegistry } from '../../src/functions/registry.js';

export const builtinFunctions: FunctionRegistry = functionRegistry(builtinTypeCatalog);
