/** Imports between packages against the table, and the forms an import may take. */
import { belowTestkit, importTable, scope, type TableRow } from '../import-table.js';
import type { Problem } from '../problem.js';
import type { SourceFile, SourceTree } from './source-tree.js';
import type { ImportOf } from './imports.js';

const rowOf = new Map<string, TableRow>(importTable.map((row) => [row.name, row]));

/** Every import that the table forbids, that leaves its package by a relative path, or that re-exports without naming. */
export function checkImports(tree: SourceTree): Problem[] {
  const problems: Problem[] = [];
  for (const member of tree.members) {
    if (rowOf.has(shortName(member.manifest.name))) continue;
    problems.push({
      file: `${member.folder}/package.json`,
      line: 0,
      rule: 'import-table',
      message: `${member.manifest.name} is not in the import table`,
    });
  }
  for (const file of tree.files.values()) {
    for (const one of file.imports) {
      const message = judge(file, one);
      if (message !== undefined) problems.push({ file: file.path, line: one.line, ...message });
    }
  }
  return problems;
}

function judge(file: SourceFile, { specifier, star }: ImportOf): { rule: string; message: string } | undefined {
  if (star && file.area === 'src') return { rule: 'named-exports', message: `name what is exported from ${specifier}` };
  if (specifier.startsWith('.')) {
    const isConfig = file.area === '';
    return leavesMember(file, specifier) && !isConfig
      ? { rule: 'import-table', message: `${specifier} leaves the package; import it by name` }
      : undefined;
  }
  if (!specifier.startsWith(scope)) return undefined;
  const importer = shortName(file.member.manifest.name);
  const imported = shortName(specifier);
  if (importer === imported) {
    return file.area === 'src'
      ? { rule: 'import-table', message: `${importer} imports itself by name; import the file` }
      : undefined;
  }
  const row = rowOf.get(importer);
  const target = rowOf.get(imported);
  if (target === undefined) return { rule: 'import-table', message: `${specifier} is not in the import table` };
  if (file.area !== 'src') {
    return imported === 'testkit' && belowTestkit.includes(importer)
      ? { rule: 'import-table', message: `testkit stands on ${importer}; its tests may not import it` }
      : undefined;
  }
  return row === undefined || row.mayImport.includes(imported)
    ? undefined
    : { rule: 'import-table', message: `${importer} may not import ${imported}` };
}

function shortName(specifier: string): string {
  return specifier.startsWith(scope) ? specifier.slice(scope.length).split('/')[0]! : specifier;
}

function leavesMember(file: SourceFile, specifier: string): boolean {
  let depth = file.path.slice(file.member.folder.length + 1).split('/').length - 1;
  for (const part of specifier.split('/')) {
    if (part === '..') depth--;
    else if (part !== '.') depth++;
    if (depth < 0) return true;
  }
  return false;
}
