/** The setting `datestyle`: a style of output and an order of day, month and year, as `ISO, MDY`. */
import { PhantomError, assert } from '@phantom/base';
import type { TypeContext } from './type.js';

export interface DateStyle {
  readonly style: TypeContext['dateStyle'];
  readonly order: TypeContext['dateOrder'];
}

const STYLES: readonly (readonly [RegExp, DateStyle['style']])[] = [
  [/^iso$/, 'ISO'],
  [/^sql$/, 'SQL'],
  [/^postgres/, 'Postgres'],
  [/^german$/, 'German'],
];
const ORDERS: readonly (readonly [RegExp, DateStyle['order']])[] = [
  [/^ymd$/, 'YMD'],
  [/^(?:dmy|euro)/, 'DMY'],
  [/^(?:mdy|us$|noneuro)/, 'MDY'],
];

/** What PostgreSQL begins with, and the word `default` means. */
export const DEFAULT_DATE_STYLE = 'ISO, MDY';

/**
 * Reads words in any order; what they leave out stays as `current` has it, but that German dates begin with the day.
 * 22023 for an unknown word and for two that contradict each other.
 */
export function parseDateStyle(text: string, current: DateStyle): DateStyle {
  let style: DateStyle['style'] | undefined;
  let order: DateStyle['order'] | undefined;
  const refuse = (detail: string): PhantomError =>
    new PhantomError('22023', `invalid value for parameter "DateStyle": "${text}"`, { detail });
  for (const part of text.split(',')) {
    const word = part.trim().toLowerCase();
    const newStyle = STYLES.find(([pattern]) => pattern.test(word))?.[1];
    const newOrder = ORDERS.find(([pattern]) => pattern.test(word))?.[1];
    if (word === 'default') {
      style ??= 'ISO';
      order ??= 'MDY';
    } else if (newStyle === undefined && newOrder === undefined) {
      throw refuse(`Unrecognized key word: "${word}".`);
    }
    const conflict = (style ?? newStyle) !== (newStyle ?? style) || (order ?? newOrder) !== (newOrder ?? order);
    if (conflict) throw refuse('Conflicting "datestyle" specifications.');
    style ??= newStyle;
    order ??= newOrder;
  }
  return { style: style ?? current.style, order: order ?? (style === 'German' ? 'DMY' : current.order) };
}

/** The setting as it is kept, shown and read back. */
export function formatDateStyle({ style, order }: DateStyle): string {
  return `${style}, ${order}`;
}

/** Every setting as it is kept, so that reading one costs a look-up for each date that is shown. */
const KEPT: ReadonlyMap<string, DateStyle> = new Map(
  STYLES.flatMap(([, style]) =>
    ORDERS.map(([, order]) => [formatDateStyle({ style, order }), { style, order }] as const),
  ),
);

/** A setting that was kept. */
export function dateStyleOf(text: string): DateStyle {
  const style = KEPT.get(text);
  assert(style !== undefined, 'a date style is kept as it is formatted');
  return style;
}
