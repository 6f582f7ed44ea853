/** Runs the TypeScript and JavaScript examples of a README as a user would: pasted into an ES module of an empty project. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { mapLimited, runNode, said } from './exec.js';
import { verdict, type Verdict } from './verdict.js';
import type { Member } from '../workspace.js';

/** The text of the first block fenced as ts or js, and of those that are marked: "```js example". Empty when there is none. */
export function examplesOf(markdown: string): string[] {
  const blocks = markdown.matchAll(/^```(?:ts|js|typescript|javascript|mjs)\b([^\n]*)\n([\s\S]*?)^```/gm);
  return [...blocks].flatMap(([, mark = '', text = ''], at) => (at === 0 || mark.trim() === 'example' ? [text] : []));
}

/** Runs each member's examples in a folder of its own below the project. A library without an example fails; a program may have none. */
export function checkReadmeExamples(root: string, project: string, members: readonly Member[]): Promise<Verdict[]> {
  return mapLimited(members, 2, async ({ folder, manifest }) => {
    const title = `README example of ${manifest.name}`;
    const readme = join(root, folder, 'README.md');
    if (!existsSync(readme)) return verdict(title, 'there is no README.md');
    const examples = examplesOf(readFileSync(readme, 'utf8'));
    if (examples.length === 0) {
      return verdict(title, manifest.bin === undefined ? 'README.md has no ts or js block' : undefined);
    }
    const own = join(project, 'examples', folder);
    mkdirSync(own, { recursive: true });
    const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
    for (const example of examples) {
      writeFileSync(join(own, 'example.mjs'), ts.transpileModule(example, { compilerOptions }).outputText);
      const result = await runNode(join(own, 'example.mjs'), { cwd: own, timeoutMs: 30_000 });
      if (result.status !== 0) return verdict(title, said(result));
    }
    return verdict(title, undefined);
  });
}
