/**
 * What a file imports, read from its syntax tree: static imports, re-exports, `import()` calls and `import('x')` types.
 * A type-only import counts like any other: two files that cannot be read without each other are one file in two places,
 * whether or not the compiler erases the arrow.
 */
import ts from 'typescript';

export interface ImportOf {
  readonly specifier: string;
  /** 1-based. */
  readonly line: number;
  /** True for `export * from 'x'`. */
  readonly star: boolean;
}

/** The imports of one file in the order of its text. `text` need not type-check, but has to parse. */
export function importsOf(fileName: string, text: string): ImportOf[] {
  const source = ts.createSourceFile(fileName, text, ts.ScriptTarget.Latest, false);
  const found: ImportOf[] = [];
  const add = (specifier: ts.Node | undefined, star: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return;
    const line = source.getLineAndCharacterOfPosition(specifier.getStart(source)).line + 1;
    found.push({ specifier: specifier.text, line, star });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, false);
    else if (ts.isExportDeclaration(node)) add(node.moduleSpecifier, node.exportClause === undefined);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal, false);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword) {
      add(node.arguments[0], false);
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}
