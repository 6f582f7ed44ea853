/**
 * What a file imports, read from its syntax tree: static imports, re-exports, `import()` calls and `import('x')` types.
 * A type-only import counts for the import table and for reachability like any other. Circles leave it out: types that hold each
 * other (an expression holds a query, a query holds expressions) are recursion, not an order in which modules must run.
 */
import ts from 'typescript';

export interface ImportOf {
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
  /** True for `export * from 'x'`. */
  readonly star: boolean;
  /** True when the compiler erases the import: `import type`, `export type`, `import('x').T`. */
  readonly typeOnly: boolean;
}

/** The imports of one file in the order of its text. `text` need not type-check, but has to parse. */
export function importsOf(fileName: string, text: string): ImportOf[] {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, false);
  const found: ImportOf[] = [];
  const add = (specifier: ts.Node | undefined, typeOnly: boolean, star = false): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const line = source.getLineAndCharacterOfPosition(specifier.getStart(source)).line + 1;
    found.push({ specifier: specifier.text, line, star, typeOnly });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword);
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly, node.exportClause === undefined);
    } else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, true);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
