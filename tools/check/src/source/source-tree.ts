/** The code of the workspace with its imports resolved to files: what the import rules are asked over. */
import { readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { importsOf, type ImportOf } from './imports.js';
import { isCode, listFiles, readMembers, type Member } from '../workspace.js';

export interface SourceFile {
  /** Relative to the root. */
  readonly path: string;
  readonly member: Member;
  /** `src`, `test`, `bench`, or '' for a file beside them. */
  readonly area: string;
  readonly imports: readonly ImportOf[];
  /** Files of the same member that it imports, as paths relative to the root. */
  readonly targets: readonly string[];
  /** Those of them whose code runs first: all but the type-only ones. */
  readonly codeTargets: readonly string[];
}

export interface SourceTree {
  readonly root: string;
  readonly members: readonly Member[];
  /** By path. */
  readonly files: ReadonlyMap<string, SourceFile>;
}

/** Reads every code file of every member. Fixture trees below a `test/fixtures` folder are data, not code, and left out. */
export function readSourceTree(root: string): SourceTree {
  const members = readMembers(root);
  const files = new Map<string, SourceFile>();
  for (const member of members) {
    const paths = listFiles(root, member.folder).filter((path) => isCode(path) && !path.includes('/test/fixtures/'));
    const known = new Set(paths);
    for (const path of paths) {
      const imports = importsOf(path, readFileSync(join(root, path), 'utf8'));
      const targetsOf = (some: readonly ImportOf[]): string[] =>
        some.map(({ specifier }) => resolveRelative(path, specifier, known)).filter((target) => target !== undefined);
      const targets = targetsOf(imports);
      const codeTargets = targetsOf(imports.filter(({ typeOnly }) => !typeOnly));
      files.set(path, { path, member, area: areaOf(path, member), imports, targets, codeTargets });
    }
  }
  return { root, members, files };
}

function areaOf(path: string, member: Member): string {
  const parts = path.slice(member.folder.length + 1).split('/');
  return parts.length > 1 ? parts[0]! : '';
}

/** `./x.js` names `./x.ts` in source; a file with exactly that name wins. Undefined for packages and unknown files. */
function resolveRelative(from: string, specifier: string, known: ReadonlySet<string>): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  const path = posix.join(dirname(from).replaceAll('\\', '/'), specifier);
  if (known.has(path)) return path;
  const asSource = path.replace(/\.([mc]?)js$/, '.$1ts');
  return known.has(asSource) ? asSource : undefined;
}
