/** Cursors of a body. */
import { unsupportedError } from '@phantom/base';
import type { Compilation } from './compilation.js';
import type { Compiler } from './compiler.js';
import type { Step } from './steps.js';
import type { CloseNode, FetchNode, ForCursorNode, OpenNode } from './syntax.js';

export function compileOpen(_compilation: Compilation, _node: OpenNode): Step {
  throw unsupportedError('OPEN in PL/pgSQL');
}

export function compileFetch(_compilation: Compilation, _node: FetchNode): Step {
  throw unsupportedError('FETCH in PL/pgSQL');
}

export function compileClose(_compilation: Compilation, _node: CloseNode): Step {
  throw unsupportedError('CLOSE in PL/pgSQL');
}

export function compileForCursor(_compiler: Compiler, _node: ForCursorNode): Step {
  throw unsupportedError('FOR over a cursor in PL/pgSQL');
}
