// Where the tested sources (tested-sources.mjs) lie, and how what is counted in them, and what fails there, is told of the sources. Apart
// from their making, because workers read this as well.
import { existsSync, readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { dirname, join, resolve, sep } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** In the package's folder, beside `src/`; `.gitignore` and the source gate know the name. */
export const TESTED_FOLDER = '.tested';

/** For vitest's list of what it leaves to Node. */
export const isTestedSource = new RegExp(`/\\${TESTED_FOLDER}/`);

/** The coverage of a file in `.tested/` as one of the source that it is made of, which the offsets do not yet fit; others as they are. */
export function asCoverageOfSource(root, coverage) {
  const path = fileURLToPath(coverage.url);
  const folder = join(root, TESTED_FOLDER) + sep;
  if (!path.startsWith(folder)) return coverage;
  const source = join(root, 'src', path.slice(folder.length).replace(/\.js$/, '.ts'));
  return { ...coverage, url: pathToFileURL(source).href };
}

/** What a source became, with the map from it: what the offsets of its coverage are offsets into. Undefined where nothing was made. */
export function testedCode(root, source) {
  const path = testedPath(root, source);
  if (!existsSync(path)) return undefined;
  const map = { ...JSON.parse(readFileSync(`${path}.map`, 'utf8')), sources: [pathToFileURL(source).href] };
  return { code: readFileSync(path, 'utf8'), map };
}

/** What the source becomes; both are paths of files. */
export function testedPath(root, source) {
  return join(root, TESTED_FOLDER, source.slice(join(root, 'src').length)).replace(/\.ts$/, '.js');
}

/**
 * Has a frame of vitest's traces name the source where it names what the source became. Vitest reads the map by itself for an error that a
 * test ends with, not for its causes, nor for one that nobody caught.
 */
export function nameSource(frame) {
  const map = `${frame.file}.map`;
  if (!isTestedSource.test(frame.file) || !existsSync(map)) return;
  // Vitest's lines and columns begin with 1, those of maps with 0.
  const found = new SourceMap(JSON.parse(readFileSync(map, 'utf8'))).findEntry(frame.line - 1, frame.column - 1);
  if (found.originalSource === undefined) return;
  frame.file = resolve(dirname(frame.file), found.originalSource);
  frame.line = found.originalLine + 1;
  frame.column = found.originalColumn + 1;
}
