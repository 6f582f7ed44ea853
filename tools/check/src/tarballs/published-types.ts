/**
 * Whether the published declarations stand on their own: a strict TypeScript user who imports every specifier, once from an
 * ES module and once from CommonJS, without skipLibCheck. Errors inside declarations of third parties are theirs, not ours, and not looked
 * for. Both users are one program, which reads what they share once; which declarations each is given is told by its own file name.
 */
import { writeFileSync } from 'node:fs';
import { basename, join, sep } from 'node:path';
import ts from 'typescript';
import { verdict, type Verdict } from './verdict.js';

/** Two verdicts, one a module format. `typeRoots` is where `@types/node` is found. */
export function checkPublishedTypes(project: string, specifiers: readonly string[], typeRoots: string): Verdict[] {
  const text = specifiers.map((name, index) => `import * as p${index} from '${name}';\nvoid p${index};\n`).join('');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    strict: true,
    noEmit: true,
    types: ['node'],
    typeRoots: [typeRoots],
  };
  const consumers = ['consumer.mts', 'consumer.cts'].map((name) => join(project, name));
  for (const file of consumers) writeFileSync(file, text);
  const program = ts.createProgram(consumers, options);
  const found = [
    ...program.getOptionsDiagnostics(),
    ...program.getGlobalDiagnostics(),
    ...program
      .getSourceFiles()
      .filter(({ fileName }) => isOurs(fileName, project))
      .flatMap((file) => [...program.getSyntacticDiagnostics(file), ...program.getSemanticDiagnostics(file)]),
  ];
  return consumers.map((consumer) => {
    const isCommonJs = consumer.endsWith('.cts');
    const lines = found
      .filter(({ file }) => file === undefined || file.fileName.endsWith('.cts') === isCommonJs)
      .slice(0, 10)
      .map((one) => {
        const message = ts.flattenDiagnosticMessageText(one.messageText, ' ');
        return `${one.file?.fileName.slice(project.length) ?? ''} ${message}`;
      });
    return verdict(`types for ${basename(consumer)}`, lines.length === 0 ? undefined : lines.join('\n'));
  });
}

function isOurs(fileName: string, project: string): boolean {
  const path = fileName.replaceAll('/', sep);
  return !path.includes(`node_modules${sep}`) || path.startsWith(join(project, 'node_modules', '@phantom'));
}
