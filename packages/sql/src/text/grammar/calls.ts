/** Function calls: ordinary ones with all their clauses, and those with a syntax of their own (EXTRACT, TRIM, ...). */
import type { CurrentValue, Name, NumberLiteral, QualifiedName, TypeModifier } from '../ast-leaves.js';
import type {
  CallArgument,
  Conditional,
  Expression,
  FunctionCall,
  OverflowClause,
  SortItem,
  SpecialFunction,
} from '../ast.js';
import { FUNCTION_NAME } from '../tokens.js';
import { XmlGrammar } from './xml.js';

/** What stands between the parentheses of a call. */
interface Inside {
  readonly arguments: CallArgument[];
  readonly star: boolean;
  readonly distinct: boolean;
  readonly orderBy: SortItem[];
  readonly onOverflow: OverflowClause | undefined;
}

/** Functions that take ISO's USING CHARACTERS | OCTETS by name. */
const LENGTH_FUNCTIONS: ReadonlySet<string> = new Set(['char_length', 'character_length']);
/** Fields of EXTRACT that are keywords. */
const EXTRACT_FIELDS: ReadonlySet<string> = new Set(['year', 'month', 'day', 'hour', 'minute', 'second']);

/** What stands behind a call. */
type Behind = Pick<FunctionCall, 'from' | 'nulls' | 'withinGroup' | 'filter' | 'over'>;
const NOTHING_BEHIND: Behind = {
  from: undefined,
  nulls: undefined,
  withinGroup: [],
  filter: undefined,
  over: undefined,
};

export abstract class CallGrammar extends XmlGrammar {
  /**
   * A call; its name is consumed and `(` is next. A string behind it makes it a typed literal with modifiers. In FROM
   * (`windowless`) no FILTER and OVER may follow.
   */
  protected call(name: QualifiedName, position: number, windowless = false): Expression {
    const only = name[0] as Name;
    if (name.length === 1 && !only.quoted && this.isJsonCall(only.text)) {
      let first: Expression | undefined;
      const json = this.jsonCall(only.text, position, (value) => (first = value));
      if (json !== undefined) return json;
      if (first !== undefined) return this.callAfter(name, position, this.argumentsAfter(first), windowless);
    }
    this.expect('(');
    const inside = this.callInside();
    if (this.at('using') && name.length === 1 && LENGTH_FUNCTIONS.has(only.text)) {
      const counted: Name = this.usingOctets() ? { ...only, text: 'octet_length' } : only;
      return this.callAfter([counted], position, inside, windowless);
    }
    return this.callAfter(name, position, inside, windowless);
  }

  private callAfter(name: QualifiedName, position: number, inside: Inside, windowless = false): Expression {
    this.expect(')');
    if (!windowless && inside.arguments.length > 0 && this.at('String'))
      return this.modifiedLiteral(name, position, inside);
    if (windowless) return this.makeCall(name, position, inside);
    const from = this.fromFirstOrLast();
    const nulls = this.nullTreatment();
    const withinGroup = this.withinGroup(inside);
    const filter = this.optionalFilter();
    return this.makeCall(name, position, inside, { from, nulls, withinGroup, filter, over: this.optionalOver() });
  }

  private makeCall(name: QualifiedName, position: number, inside: Inside, behind: Behind = NOTHING_BEHIND): Expression {
    const { from, nulls, withinGroup, filter, over } = behind;
    return {
      kind: 'call',
      name,
      arguments: inside.arguments,
      star: inside.star,
      distinct: inside.distinct,
      orderBy: inside.orderBy,
      withinGroup,
      filter,
      nulls,
      from,
      onOverflow: inside.onOverflow,
      over,
      position,
    };
  }

  private callInside(): Inside {
    if (this.at(')')) return { arguments: [], star: false, distinct: false, orderBy: [], onOverflow: undefined };
    if (this.at2('*', ')')) {
      this.advance();
      return { arguments: [], star: true, distinct: false, orderBy: [], onOverflow: undefined };
    }
    const distinct = this.accept('distinct');
    if (!distinct) this.accept('all');
    return this.argumentsUntilEnd([this.callArgument()], distinct);
  }

  private argumentsAfter(first: Expression): Inside {
    const argument = { name: undefined, value: first, variadic: false, position: first.position };
    return this.argumentsUntilEnd([argument], false);
  }

  private argumentsUntilEnd(list: CallArgument[], distinct: boolean): Inside {
    while (!(list.at(-1) as CallArgument).variadic && this.accept(',')) list.push(this.callArgument());
    const onOverflow = this.overflow();
    return { arguments: list, star: false, distinct, orderBy: this.optionalOrderBy(), onOverflow };
  }

  private callArgument(): CallArgument {
    const position = this.position();
    const variadic = this.accept('variadic');
    let name: Name | undefined;
    if ((this.aheadIs(2, '=>') || this.aheadIs(2, ':=')) && this.atPlace(FUNCTION_NAME)) {
      name = this.makeName(this.advance());
      this.advance();
    }
    return { name, value: this.expression(), variadic, position };
  }

  /** LISTAGG's ON OVERFLOW ERROR | TRUNCATE [filler] WITH | WITHOUT COUNT. */
  private overflow(): OverflowClause | undefined {
    if (!this.at('on') || !this.atWord('overflow', 2)) return undefined;
    this.advance();
    this.advance();
    if (this.acceptWord('error')) return { action: 'error', filler: undefined, withCount: false };
    this.expect('truncate');
    const filler = this.at('with') || this.at('without') ? undefined : this.expression();
    const withCount = this.accept('with');
    if (!withCount) this.expect('without');
    this.expectWord('count');
    return { action: 'truncate', filler, withCount };
  }

  /** NTH_VALUE(...) FROM FIRST | LAST, told from a FROM clause by what follows. */
  private fromFirstOrLast(): 'first' | 'last' | undefined {
    if (!this.at('from') || !(this.aheadIs(2, 'first') || this.aheadIs(2, 'last'))) return undefined;
    if (!this.aheadIs(3, 'over') && !this.atWord('respect', 3) && !this.atWord('ignore', 3)) return undefined;
    this.advance();
    return this.advance().tokenType.name as 'first' | 'last';
  }

  private nullTreatment(): 'respect' | 'ignore' | undefined {
    if (!this.aheadIs(2, 'nulls')) return undefined;
    const treatment = this.atWord('respect') ? 'respect' : this.atWord('ignore') ? 'ignore' : undefined;
    if (treatment === undefined) return undefined;
    this.advance();
    this.advance();
    return treatment;
  }

  private withinGroup(inside: Inside): SortItem[] {
    if (!this.at2('within', 'group')) return [];
    const position = this.advance().startOffset;
    this.advance();
    this.expect('(');
    if (!this.at('order')) this.fail();
    const items = this.optionalOrderBy();
    this.expect(')');
    if (inside.orderBy.length > 0) {
      this.complain('42601', 'cannot use multiple ORDER BY clauses with WITHIN GROUP', position);
    }
    if (inside.distinct) this.complain('42601', 'cannot use DISTINCT with WITHIN GROUP', position);
    if (inside.arguments.some((argument) => argument.variadic)) {
      this.complain('42601', 'cannot use VARIADIC with WITHIN GROUP', position);
    }
    return items;
  }

  /** `name(modifiers) 'literal'`. */
  private modifiedLiteral(name: QualifiedName, position: number, inside: Inside): Expression {
    if (inside.distinct || inside.orderBy.length > 0) this.fail();
    const modifiers = inside.arguments.map((argument): TypeModifier => {
      const value = argument.value;
      if (argument.name !== undefined || argument.variadic) this.fail();
      if (value.kind === 'number') return { kind: 'number', text: value.text, position: value.position };
      if (value.kind === 'string') return { kind: 'string', text: value.value, position: value.position };
      if (value.kind !== 'column' || value.names.length > 1) this.fail();
      return { kind: 'word', text: (value.names[0] as Name).text, position: value.position };
    });
    const type = this.makeType(name, false, modifiers, [], false, position);
    const token = this.advance();
    const operand: Expression = { kind: 'string', value: token.value, position: token.startOffset };
    return { kind: 'cast', operand, type, spelling: 'literal', position };
  }

  // ---------------------------------------------------------------------------------------- calls without parentheses

  /** CURRENT_DATE and its kin; undefined when the next token is none of them. */
  protected currentValue(): Expression | undefined {
    const token = this.next();
    const name = token.tokenType.name as CurrentValue['function'];
    switch (name) {
      case 'current_time':
      case 'current_timestamp':
      case 'localtime':
      case 'localtimestamp': {
        this.advance();
        const precision = this.at('(') ? this.parenthesised(this.integer) : undefined;
        return { kind: 'current', function: name, precision, position: token.startOffset };
      }
      case 'current_schema':
        if (this.aheadIs(2, '(')) return undefined;
        break;
      case 'current_date':
      case 'current_user':
      case 'current_role':
      case 'session_user':
      case 'user':
      case 'current_catalog':
        break;
      default:
        return undefined;
    }
    this.advance();
    return { kind: 'current', function: name, precision: undefined, position: token.startOffset };
  }

  // -------------------------------------------------------------------------------- calls with a syntax of their own

  /** A special call whose keyword is next and followed by `(`; undefined when the keyword is none of them. */
  protected specialCall(): Expression | undefined {
    const token = this.next();
    const position = token.startOffset;
    switch (token.tokenType.name) {
      case 'coalesce':
      case 'greatest':
      case 'least':
        return this.conditional(token.tokenType.name, position);
      case 'nullif': {
        this.advance();
        this.expect('(');
        const first = this.expression();
        this.expect(',');
        const second = this.expression();
        this.expect(')');
        return { kind: 'conditional', function: 'nullif', arguments: [first, second], position };
      }
      case 'extract':
        return this.extract(position);
      case 'position':
        return this.positionCall(position);
      case 'substring':
        return this.substring(position);
      case 'overlay':
        return this.overlay(position);
      case 'trim':
        return this.trim(position);
      case 'normalize':
        return this.normalize(position);
      case 'treat':
        return this.complain('0A000', 'TREAT is not supported', position);
      default:
        return this.xmlCall();
    }
  }

  private conditional(name: Conditional['function'], position: number): Expression {
    this.advance();
    return { kind: 'conditional', function: name, arguments: this.parenthesisedList(this.expression), position };
  }

  private special(name: SpecialFunction['function'], position: number, list: Expression[]): Expression {
    this.expect(')');
    return { kind: 'special', function: name, arguments: list, position };
  }

  private extract(position: number): Expression {
    this.advance();
    this.expect('(');
    const at = this.position();
    const word = this.next().tokenType.name;
    if (word !== 'Identifier' && word !== 'String' && !EXTRACT_FIELDS.has(word)) this.fail();
    const field: Expression = { kind: 'string', value: this.advance().value, position: at };
    this.expect('from');
    return this.special('extract', position, [field, this.expression()]);
  }

  /** ISO's USING CHARACTERS, which says nothing, or USING OCTETS (true). */
  private usingOctets(): boolean {
    if (!this.accept('using')) return false;
    if (!this.atWord('characters') && !this.atWord('octets')) this.fail();
    return this.octets();
  }

  /** A text as its bytes. */
  private bytesOf(text: Expression): Expression {
    return this.utf8Call('convert_to', text);
  }
  private utf8Call(name: 'convert_to' | 'convert_from', value: Expression): Expression {
    const { position } = value;
    const encoding: Expression = { kind: 'string', value: 'UTF8', position };
    const list = [value, encoding].map((one) => ({ name: undefined, value: one, variadic: false, position }));
    const path = ['pg_catalog', name].map((text) => ({ text, position, quoted: false }));
    const inside: Inside = { arguments: list, star: false, distinct: false, orderBy: [], onOverflow: undefined };
    return this.makeCall(path, position, inside);
  }

  private positionCall(position: number): Expression {
    this.advance();
    this.expect('(');
    const part = this.simpleExpression();
    this.expect('in');
    const text = this.simpleExpression();
    if (!this.usingOctets()) return this.special('position', position, [text, part]);
    return this.special('position', position, [this.bytesOf(text), this.bytesOf(part)]);
  }

  /** A special call that turned out to be an ordinary one: `substring(a, b, c)`. */
  private ordinary(name: string, position: number, list: Expression[]): Expression {
    const rest = list.map((value) => ({ name: undefined, value, variadic: false, position: value.position }));
    const inside = this.argumentsUntilEnd(rest, false);
    return this.callAfter([{ text: name, position, quoted: false }], position, inside);
  }

  private plainInside(name: string, position: number): Expression | undefined {
    const named = this.aheadIs(2, '=>') || this.aheadIs(2, ':=');
    if (!named && !this.at(')') && !this.at('variadic')) return undefined;
    return this.callAfter([{ text: name, position, quoted: false }], position, this.callInside());
  }

  private substring(position: number): Expression {
    this.advance();
    this.expect('(');
    const plain = this.plainInside('substring', position);
    if (plain !== undefined) return plain;
    const text = this.expression();
    if (this.accept('similar')) {
      const pattern = this.expression();
      this.expect('escape');
      return this.special('substring-similar', position, [text, pattern, this.expression()]);
    }
    if (this.accept('from')) {
      const list = [text, this.expression()];
      if (this.accept('for')) list.push(this.expression());
      if (!this.usingOctets()) return this.special('substring', position, list);
      list[0] = this.bytesOf(text);
      return this.utf8Call('convert_from', this.special('substring', position, list));
    }
    if (this.accept('for')) {
      const count = this.expression();
      const one: NumberLiteral = { kind: 'number', text: '1', integer: true, position };
      return this.special('substring', position, [text, this.accept('from') ? this.expression() : one, count]);
    }
    return this.ordinary('substring', position, [text]);
  }

  private overlay(position: number): Expression {
    this.advance();
    this.expect('(');
    const plain = this.plainInside('overlay', position);
    if (plain !== undefined) return plain;
    const text = this.expression();
    if (!this.accept('placing')) return this.ordinary('overlay', position, [text]);
    const insertion = this.expression();
    this.expect('from');
    const list = [text, insertion, this.expression()];
    if (this.accept('for')) list.push(this.expression());
    const at = this.position();
    if (this.usingOctets()) this.complain('0A000', 'OVERLAY USING OCTETS is not supported', at);
    return this.special('overlay', position, list);
  }

  private trim(position: number): Expression {
    this.advance();
    this.expect('(');
    let name: 'btrim' | 'ltrim' | 'rtrim' = 'btrim';
    if (this.accept('leading')) name = 'ltrim';
    else if (this.accept('trailing')) name = 'rtrim';
    else this.accept('both');
    if (this.accept('from')) return this.special(name, position, this.commaList(this.expression));
    const first = this.expression();
    if (this.accept('from')) return this.special(name, position, [...this.commaList(this.expression), first]);
    const list = [first];
    while (this.accept(',')) list.push(this.expression());
    return this.special(name, position, list);
  }

  private normalize(position: number): Expression {
    this.advance();
    this.expect('(');
    const list = [this.expression()];
    if (this.accept(',')) {
      const form = this.normalForm();
      if (form === undefined) this.fail();
      list.push({ kind: 'string', value: form, position: this.position() });
    }
    return this.special('normalize', position, list);
  }

  protected normalForm(): 'nfc' | 'nfd' | 'nfkc' | 'nfkd' | undefined {
    for (const form of ['nfc', 'nfd', 'nfkc', 'nfkd'] as const) if (this.accept(form)) return form;
    return undefined;
  }
}
