/** Runs the first TypeScript or JavaScript example of a README as a user would: pasted into an ES module of an empty project. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { mapLimited, runNode, said } from './exec.js';
import { verdict, type Verdict } from './verdict.js';
import type { Member } from '../workspace.js';

/** The text of the first block fenced as ts or js; undefined when there is none. */
export function firstExample(markdown: string): string | undefined {
  return /^```(?:ts|js|typescript|javascript|mjs)\b[^\n]*\n([\s\S]*?)^```/m.exec(markdown)?.[1];
}

/** Runs each member's example in a folder of its own below the project. A library without an example fails; a program may have none. */
export function checkReadmeExamples(root: string, project: string, members: readonly Member[]): Promise<Verdict[]> {
  return mapLimited(members, 2, async ({ folder, manifest }) => {
    const title = `README example of ${manifest.name}`;
    const readme = join(root, folder, 'README.md');
    if (!existsSync(readme)) return verdict(title, 'there is no README.md');
    const example = firstExample(readFileSync(readme, 'utf8'));
    if (example === undefined) {
      return verdict(title, manifest.bin === undefined ? 'README.md has no ts or js block' : undefined);
    }
    const own = join(project, 'examples', folder);
    mkdirSync(own, { recursive: true });
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    writeFileSync(join(own, 'example.mjs'), ts.transpileModule(example, { compilerOptions }).outputText);
    const result = await runNode(join(own, 'example.mjs'), { cwd: own, timeoutMs: 30_000 });
    return verdict(title, result.status === 0 ? undefined : said(result));
  });
}
