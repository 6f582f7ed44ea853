/**
 * What V8 compiled of the program, kept on disk for the next start: Node 22.1 and newer can, and half of what is loaded need not be
 * parsed again. The files are code that a later start trusts, so they lie in the user's own cache folder and not in one for everybody.
 * Node's variables go before: NODE_COMPILE_CACHE names another folder, NODE_DISABLE_COMPILE_CACHE=1 keeps nothing.
 */
import module from 'node:module';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The part of node:module that newer releases have. */
export interface CompileCacheHost {
  readonly enableCompileCache?: (directory: string) => unknown;
}

/** Where it is kept: beside other programs' caches in the home directory. */
export function compileCacheDirectory(environment: Readonly<Record<string, string | undefined>>): string {
  return join(environment.XDG_CACHE_HOME || join(homedir(), '.cache'), 'phantomd');
}

/** To be called before the bulk is imported. A home that cannot be written to has no cache; no error comes of it. */
export function enableCompileCache(
  environment: Readonly<Record<string, string | undefined>>,
  host: CompileCacheHost = module as object as CompileCacheHost,
): void {
  if (environment.NODE_COMPILE_CACHE !== undefined) return;
  host.enableCompileCache?.(compileCacheDirectory(environment));
}
