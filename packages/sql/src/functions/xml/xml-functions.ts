/** Functions of xml that are called like any other. Those with a syntax of their own are bound in expr/bind-xml.ts. */
import { unsupportedError } from '@phantom/base';
import { xmlOf } from '../../types/xml-type.js';
import { isWellFormed } from '../../xml/check.js';
import { type Implementations, aggregate, contextual } from '../implementation.js';
import type { EvaluationContext } from '../registry.js';
import { XmlSequence, xmlComment, xmlConcat } from './xml-building.js';

export const xmlFunctions: Implementations = {
  xmlcomment: xmlComment,
  texttoxml: contextual((text: string, context: EvaluationContext) => xmlOf(text, context)),
  xmltotext: (value: string) => value,
  xmlconcat2: (left: string | null, right: string | null) => xmlConcat([left, right]),
  xmlvalidate: () => {
    throw unsupportedError('xmlvalidate');
  },
  xml_is_well_formed: contextual((text: string, context: EvaluationContext) => isWellFormed(text, context.xmlOption)),
  xml_is_well_formed_document: (text: string) => isWellFormed(text, 'document'),
  xml_is_well_formed_content: (text: string) => isWellFormed(text, 'content'),
  'xmlagg:xml': aggregate<XmlSequence, [string]>({
    init: () => new XmlSequence(),
    keepsInput: true,
    step: (sequence, value) => {
      sequence.add(value);
      return sequence;
    },
    final: (sequence) => sequence.text(),
  }),
};
