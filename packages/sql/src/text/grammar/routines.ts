/** Functions, procedures and triggers: CREATE and ALTER, CALL and DO. */
import type { ObjectRef, RoutineParameter } from '../ast-access.js';
import type { FieldDefinition, Name, QualifiedName, StringLiteral, TypeName } from '../ast-leaves.js';
import type { Deferral, RoutineOption } from '../ast-schema.js';
import type { Call, DoBlock, Reset, SetSetting } from '../ast-session.js';
import type {
  AlterRoutine,
  CreateRoutine,
  CreateTrigger,
  ReturnStatement,
  RoutineBody,
  Statement,
  TriggerEvent,
  TriggerTransition,
} from '../ast-statements.js';
import type { Expression, FunctionCall } from '../ast.js';
import { DefinitionGrammar } from './definitions.js';

type Settings = (SetSetting | Reset)[];

export abstract class RoutineGrammar extends DefinitionGrammar {
  /** SET name ... or RESET name, as a routine's option. */
  protected abstract settingClause(): SetSetting | Reset;

  // ---------------------------------------------------------------------------------------------------- routines

  protected createRoutine(routine: 'function' | 'procedure', orReplace: boolean, position: number): CreateRoutine {
    const name = this.functionName();
    const parameters: RoutineParameter[] = this.routineParameters(true);
    let returns: TypeName | undefined;
    let returnsTable: FieldDefinition[] | undefined;
    if (routine === 'function' && this.accept('returns')) {
      if (this.accept('table')) returnsTable = this.parenthesisedList(this.resultColumn);
      else returns = this.typeName(true);
    }
    const { options, settings } = this.routineOptions();
    const body = this.routineBody();
    return {
      kind: 'create-routine',
      routine,
      orReplace,
      name,
      parameters,
      returns,
      returnsTable,
      options,
      settings,
      body,
      position,
    };
  }

  private resultColumn(): FieldDefinition {
    const { startOffset: position } = this.next();
    const name = this.makeName(this.advance());
    return { name, type: this.typeName(true), collation: undefined, position };
  }

  private routineOptions(): { options: RoutineOption[]; settings: Settings } {
    const options: RoutineOption[] = [];
    const settings: Settings = [];
    for (;;) {
      if (this.at('set') || this.at('reset')) {
        settings.push(this.settingClause());
        continue;
      }
      const option = this.routineOption();
      if (option === undefined) return { options, settings };
      options.push(option);
    }
  }

  private routineOption(): RoutineOption | undefined {
    const position = this.position();
    const word = this.next().tokenType.name;
    switch (word) {
      case 'immutable':
      case 'stable':
      case 'volatile':
        this.advance();
        return { kind: 'volatility', value: word, position };
      case 'strict':
      case 'leakproof':
      case 'window':
        this.advance();
        return { kind: word, value: true, position };
      case 'not':
        if (!this.accept2('not', 'leakproof')) return undefined;
        return { kind: 'leakproof', value: false, position };
      case 'called':
        this.advance();
        this.onNullInput();
        return { kind: 'strict', value: false, position };
      case 'returns':
        this.advance();
        this.expect('null');
        this.onNullInput();
        return { kind: 'strict', value: true, position };
      case 'external':
      case 'security':
        return this.securityOption(position);
      case 'cost':
      case 'rows': {
        this.advance();
        const value = this.signedNumber();
        if (value?.kind !== 'number') this.fail();
        return { kind: word, value, position };
      }
      case 'language':
        this.advance();
        return { kind: 'language', name: this.wordOrString(), position };
      case 'parallel':
        this.advance();
        return { kind: 'parallel', value: this.columnName(), position };
      case 'support':
        this.advance();
        return { kind: 'support', function: this.qualifiedName(), position };
      case 'transform':
        this.advance();
        return { kind: 'transform', types: this.commaList(this.transformType), position };
      case 'as': {
        this.advance();
        const bodyAt = this.bodyOffset();
        return { kind: 'as', sources: this.commaList(this.stringLiteralValue), bodyAt, position };
      }
      default:
        return this.isoRoutineOption(position);
    }
  }

  /** Where the value of the string that comes next stands in the text; undefined where it is written otherwise. */
  private bodyOffset(): number | undefined {
    const { image, value, startOffset } = this.next();
    const delimiter = (image.length - value.length) / 2;
    return image.slice(delimiter, image.length - delimiter) === value ? startOffset + delimiter : undefined;
  }

  private onNullInput(): void {
    this.expect('on');
    this.expect('null');
    this.expect('input');
  }

  private securityOption(position: number): RoutineOption {
    this.accept('external');
    this.expect('security');
    const definer = this.accept('definer');
    if (!definer) this.expect('invoker');
    return { kind: 'security-definer', value: definer, position };
  }

  private transformType(): TypeName {
    this.expect('for');
    this.expect('type');
    return this.typeName();
  }

  /** NonReservedWord_or_Sconst. */
  protected wordOrString(): Name {
    if (!this.at('String')) return this.nonReservedWord();
    const token = this.advance();
    return { text: token.value, position: token.startOffset, quoted: true };
  }

  /** [NOT] DETERMINISTIC, CONTAINS | READS | MODIFIES | NO SQL ..., DYNAMIC RESULT SETS n. */
  private isoRoutineOption(position: number): RoutineOption | undefined {
    if (this.acceptWord('deterministic')) return { kind: 'volatility', value: 'immutable', position };
    if (this.accept2('no', 'sql')) return { kind: 'data-access', value: 'none', position };
    if (this.acceptWord('contains')) {
      this.expect('sql');
      return { kind: 'data-access', value: 'contains', position };
    }
    for (const value of ['reads', 'modifies'] as const) {
      if (!this.acceptWord(value)) continue;
      this.expect('sql');
      this.expect('data');
      return { kind: 'data-access', value, position };
    }
    if (this.acceptWord('dynamic')) {
      this.expectWord('result');
      this.expect('sets');
      const value = this.signedNumber();
      if (value?.kind !== 'number') this.fail();
      return { kind: 'result-sets', value, position };
    }
    return undefined;
  }

  private routineBody(): RoutineBody | undefined {
    const position = this.position();
    if (this.accept('return')) return { kind: 'return', value: this.expression(), position };
    if (!this.at2('begin', 'atomic')) return undefined;
    this.enter();
    const statements = this.atomicBlock();
    this.leave();
    return { kind: 'atomic', statements, position };
  }

  /** BEGIN ATOMIC statement; ... END. */
  private atomicBlock(): (Statement | ReturnStatement)[] {
    this.accept2('begin', 'atomic');
    const statements: (Statement | ReturnStatement)[] = [];
    while (!this.at('end')) {
      if (!this.at(';')) statements.push(this.atomicStatement());
      this.expect(';');
    }
    this.advance();
    return statements;
  }

  private atomicStatement(): Statement | ReturnStatement {
    const position = this.position();
    if (this.accept('return')) return { kind: 'return-statement', value: this.expression(), position };
    return this.statement();
  }

  /** ALTER FUNCTION | PROCEDURE | ROUTINE with options; the name has been read. */
  protected alterRoutine(target: ObjectRef, position: number): AlterRoutine {
    const { options, settings } = this.routineOptions();
    if (options.length + settings.length === 0) this.fail();
    this.accept('restrict');
    return { kind: 'alter-routine', target, options, settings, position };
  }

  // ---------------------------------------------------------------------------------------------------- triggers

  protected createTrigger(orReplace: boolean, constraint: boolean, position: number): CreateTrigger {
    const name = this.columnName();
    const timing = this.triggerTiming();
    const events = [this.triggerEvent()];
    while (this.accept('or')) events.push(this.triggerEvent());
    this.expect('on');
    const table = this.qualifiedName();
    const from = constraint && this.accept('from') ? this.qualifiedName() : undefined;
    const { deferrable, initiallyDeferred } = this.constraintAttributes('TRIGGER');
    const deferral: Deferral = { deferrable, initiallyDeferred };
    const transitions: TriggerTransition[] = [];
    if (this.accept('referencing')) {
      do transitions.push(this.triggerTransition());
      while (this.at('new') || this.at('old'));
    }
    let forEach: CreateTrigger['forEach'] = 'statement';
    if (this.accept('for')) {
      this.accept('each');
      if (this.accept('row')) forEach = 'row';
      else this.expect('statement');
    }
    const when = this.accept('when') ? this.parenthesised(this.expression) : undefined;
    const action = this.triggerAction();
    return {
      kind: 'create-trigger',
      orReplace,
      constraint,
      name,
      timing,
      events,
      table,
      from,
      deferral,
      transitions,
      forEach,
      when,
      ...action,
      position,
    };
  }

  private triggerTiming(): CreateTrigger['timing'] {
    if (this.accept('before')) return 'before';
    if (this.accept('after')) return 'after';
    this.expect('instead');
    this.expect('of');
    return 'instead-of';
  }

  private triggerEvent(): TriggerEvent {
    const position = this.position();
    for (const event of ['insert', 'delete', 'truncate'] as const) {
      if (this.accept(event)) return { event, columns: [], position };
    }
    this.expect('update');
    return { event: 'update', columns: this.accept('of') ? this.commaList(this.columnName) : [], position };
  }

  private triggerTransition(): TriggerTransition {
    const position = this.position();
    const which = this.accept('new') ? 'new' : (this.expect('old'), 'old');
    const table = this.accept('table');
    // ISO leaves ROW out as well.
    if (!table) this.accept('row');
    this.accept('as');
    return { which: which as 'new' | 'old', table, name: this.columnName(), position };
  }

  private triggerAction(): Pick<CreateTrigger, 'function' | 'arguments' | 'body'> {
    if (this.accept('execute')) {
      if (!this.accept('function')) this.expect('procedure');
      const fn: QualifiedName = this.functionName();
      this.expect('(');
      const list = this.at(')') ? [] : this.commaList(this.triggerArgument);
      this.expect(')');
      return { function: fn, arguments: list, body: undefined };
    }
    const block = this.at2('begin', 'atomic');
    const body = block ? (this.atomicBlock() as Statement[]) : [this.queryOrChange()];
    return { function: undefined, arguments: [], body };
  }

  private triggerArgument(): string {
    if (this.at('Integer') || this.at('Decimal') || this.at('String')) return this.advance().value;
    return this.label().text;
  }

  // ---------------------------------------------------------------------------------------------------- CALL, DO

  protected callStatement(position: number): Call {
    const name = this.functionName();
    if (!this.at('(')) this.fail();
    const call: Expression = this.call(name, position);
    if (call.kind !== 'call') this.fail();
    return { kind: 'call-statement', call: call satisfies FunctionCall, position };
  }

  protected doBlock(position: number): DoBlock {
    let language: Name | undefined;
    let source: StringLiteral | undefined;
    let bodyAt: number | undefined;
    while (this.at('String') || this.at('language')) {
      if (this.accept('language')) {
        language = this.wordOrString();
        continue;
      }
      bodyAt = this.bodyOffset();
      source = this.stringLiteralValue();
    }
    if (source === undefined) this.fail();
    return { kind: 'do', language, source, bodyAt, position };
  }
}
