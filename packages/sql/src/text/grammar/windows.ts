/** Sort lists and window specifications: what calls and queries both have. */
import type { Name, OperatorName } from '../ast-leaves.js';
import type { Expression, FrameBound, SortItem, WindowFrame, WindowSpecification } from '../ast.js';
import { TypeGrammar } from './types.js';

const WINDOWING_ERROR = '42P20';

export abstract class WindowGrammar extends TypeGrammar {
  /** ORDER BY list, or nothing. */
  protected optionalOrderBy(): SortItem[] {
    if (!this.accept('order')) return [];
    this.expect('by');
    return this.commaList(this.sortItem);
  }

  private sortItem(): SortItem {
    const position = this.position();
    const value = this.expression();
    let using: OperatorName | undefined;
    let direction: 'asc' | 'desc' | undefined;
    if (this.accept('using')) using = this.qualifiedOperator();
    else direction = this.direction();
    return { value, direction, using, nulls: this.nullsOrder(), position };
  }

  /** A bare operator or OPERATOR(schema.op). */
  protected qualifiedOperator(): OperatorName {
    if (!this.accept('operator')) return this.anyOperator();
    return this.parenthesised(this.schemaOperator);
  }

  protected direction(): 'asc' | 'desc' | undefined {
    if (this.accept('asc')) return 'asc';
    return this.accept('desc') ? 'desc' : undefined;
  }

  protected nullsOrder(): 'first' | 'last' | undefined {
    if (this.accept2('nulls', 'first')) return 'first';
    return this.accept2('nulls', 'last') ? 'last' : undefined;
  }

  protected optionalFilter(): Expression | undefined {
    if (!this.accept2('filter', '(')) return undefined;
    this.expect('where');
    const condition = this.expression();
    this.expect(')');
    return condition;
  }

  protected optionalOver(): WindowSpecification | Name | undefined {
    if (!this.accept('over')) return undefined;
    return this.at('(') ? this.windowSpecification() : this.columnName();
  }

  protected windowSpecification(): WindowSpecification {
    const position = this.expect('(').startOffset;
    // These four are unreserved, but begin a clause here.
    const clause = this.at('partition') || this.at('range') || this.at('rows') || this.at('groups');
    const base = !clause && this.atColumnName() ? this.columnName() : undefined;
    let partitionBy: Expression[] = [];
    if (this.accept('partition')) {
      this.expect('by');
      partitionBy = this.commaList(this.expression);
    }
    const orderBy = this.optionalOrderBy();
    const frame = this.optionalFrame();
    this.expect(')');
    return { kind: 'window', base, partitionBy, orderBy, frame, position };
  }

  private optionalFrame(): WindowFrame | undefined {
    const position = this.position();
    let unit: WindowFrame['unit'];
    if (this.accept('rows')) unit = 'rows';
    else if (this.accept('range')) unit = 'range';
    else if (this.accept('groups')) unit = 'groups';
    else return undefined;
    const between = this.accept('between');
    const start = this.frameBound();
    let end: FrameBound | undefined;
    if (between) {
      this.expect('and');
      end = this.frameBound();
    }
    this.checkFrame(start, end);
    return { unit, start, end, exclude: this.frameExclusion(), position };
  }

  private frameBound(): FrameBound {
    const position = this.position();
    if (this.accept2('unbounded', 'preceding')) return { kind: 'unbounded-preceding', offset: undefined, position };
    if (this.accept2('unbounded', 'following')) return { kind: 'unbounded-following', offset: undefined, position };
    if (this.accept2('current', 'row')) return { kind: 'current-row', offset: undefined, position };
    const offset = this.expression();
    if (this.accept('preceding')) return { kind: 'preceding', offset, position };
    this.expect('following');
    return { kind: 'following', offset, position };
  }

  private checkFrame(start: FrameBound, end: FrameBound | undefined): void {
    const refuse = (message: string, at: FrameBound): never => this.complain(WINDOWING_ERROR, message, at.position);
    if (start.kind === 'unbounded-following') refuse('frame start cannot be UNBOUNDED FOLLOWING', start);
    if (end === undefined) {
      if (start.kind === 'following') refuse('frame starting from following row cannot end with current row', start);
      return;
    }
    if (end.kind === 'unbounded-preceding') refuse('frame end cannot be UNBOUNDED PRECEDING', end);
    if (start.kind === 'current-row' && end.kind === 'preceding') {
      refuse('frame starting from current row cannot have preceding rows', end);
    }
    if (start.kind === 'following' && (end.kind === 'preceding' || end.kind === 'current-row')) {
      refuse('frame starting from following row cannot have preceding rows', end);
    }
  }

  private frameExclusion(): WindowFrame['exclude'] {
    if (!this.accept('exclude')) return undefined;
    if (this.accept2('current', 'row')) return 'current-row';
    if (this.accept('group')) return 'group';
    if (this.accept('ties')) return 'ties';
    this.expect('no');
    this.expect('others');
    return 'no-others';
  }
}
