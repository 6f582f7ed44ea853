/** Whether a text may be a value of type xml, with PostgreSQL's errors where it may not. */
import { PhantomError } from '@phantom/base';
import { isXmlSpace } from './characters.js';
import { type XmlDeclaration, readDeclaration } from './declaration.js';
import { type XmlHandler, parseContent, parseDocument } from './parser.js';
import { XmlSyntaxError } from './syntax-error.js';

/** What a text has to be: one element with what may stand around it, or anything that may stand in an element. */
export type XmlForm = 'document' | 'content';

function declarationOf(text: string): XmlDeclaration {
  try {
    return readDeclaration(text);
  } catch (error) {
    if (!(error instanceof XmlSyntaxError)) throw error;
    throw new PhantomError('2200N', 'invalid XML content: invalid XML declaration', {
      detail: error.message,
      family: 'input',
    });
  }
}

/** Content that has a document type can only be a document: what stands before it are comments and instructions. */
function hasDocumentType(text: string, start: number): boolean {
  let at = start;
  for (;;) {
    while (isXmlSpace(text.charCodeAt(at))) at++;
    const isComment = text.startsWith('<!--', at);
    if (!isComment && !text.startsWith('<?', at)) return text.startsWith('<!DOCTYPE', at);
    const end = text.indexOf(isComment ? '-->' : '?>', at + 2);
    if (end < 0) return false;
    at = end + (isComment ? 3 : 2);
  }
}

function parse(text: string, form: XmlForm, handler: XmlHandler | undefined): void {
  if (form === 'document') {
    parseDocument(text, handler);
    return;
  }
  const { length } = declarationOf(text);
  if (hasDocumentType(text, length)) parseDocument(text, handler);
  else parseContent(text.slice(length), handler);
}

/** Tells the parts of the text to the handler; 2200M where it is no document, 2200N where it is no content. */
export function readXml(text: string, form: XmlForm, handler?: XmlHandler): void {
  try {
    parse(text, form, handler);
  } catch (error) {
    if (!(error instanceof XmlSyntaxError)) throw error;
    const [code, message] = form === 'document' ? ['2200M', 'invalid XML document'] : ['2200N', 'invalid XML content'];
    throw new PhantomError(code as string, message as string, { detail: error.report, family: 'input' });
  }
}

/** Whether the text is a document, or content. */
export function isWellFormed(text: string, form: XmlForm): boolean {
  try {
    readXml(text, form);
    return true;
  } catch (error) {
    if (error instanceof PhantomError) return false;
    throw error;
  }
}
