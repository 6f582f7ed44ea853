/** What a session's settings say of values as text, read once for all values until a setting changes. */
import { dateStyleOf } from '../types/date-style.js';
import type { TypeContext } from '../types/type.js';
import type { Settings } from './settings.js';

export class TextStyle {
  readonly timeZone: string;
  readonly dateStyle: TypeContext['dateStyle'];
  readonly dateOrder: TypeContext['dateOrder'];
  readonly intervalStyle: TypeContext['intervalStyle'];
  readonly byteaOutput: TypeContext['byteaOutput'];
  readonly xmlOption: TypeContext['xmlOption'];
  readonly extraFloatDigits: number;
  private readonly settings: Settings;
  private readonly version: number;

  constructor(settings: Settings) {
    const { style, order } = dateStyleOf(settings.get('datestyle'));
    this.timeZone = settings.get('timezone');
    this.dateStyle = style;
    this.dateOrder = order;
    this.intervalStyle = settings.get('intervalstyle') as TypeContext['intervalStyle'];
    this.byteaOutput = settings.get('bytea_output') as TypeContext['byteaOutput'];
    this.xmlOption = settings.get('xmloption') as TypeContext['xmlOption'];
    this.extraFloatDigits = settings.integer('extra_float_digits');
    this.settings = settings;
    this.version = settings.version;
  }

  /** Whether it still says what the settings say. */
  isOf(settings: Settings): boolean {
    return this.settings === settings && this.version === settings.version;
  }
}
