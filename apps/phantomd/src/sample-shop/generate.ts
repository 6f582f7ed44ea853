/**
 * The goods of a small shop, made up by a seeded generator: the same on every machine, so that documentation can show
 * answers. Rows come as values by column, for INSERT statements.
 */
import { Random } from '@phantom/base';

const SEED = 2026;
export const CUSTOMER_COUNT = 120;
export const PRODUCT_COUNT = 40;
export const ORDER_COUNT = 400;
const ITEMS_MAX = 5;
/** First and last day on which somebody orders. */
const FIRST_DAY = Date.UTC(2025, 0, 1);
const DAYS = 365;
const DAY_MS = 86_400_000;

const FIRST_NAMES =
  'Ada Alan Barbara Carl Chen Dana Edgar Emil Fatima Grace Hans Ines Jim Karen Leslie Mary Niklaus Olga Priya Radia'.split(
    ' ',
  );
const LAST_NAMES =
  'Adler Bauer Cohen Diaz Eriksen Fischer Gupta Haas Ito Jansen Klein Lopez Meyer Novak Okafor Park Quist Rossi Silva Tanaka'.split(
    ' ',
  );
const CITIES = ['Berlin', 'Bogotá', 'Chicago', 'Kyōto', 'Lagos', 'Lyon', 'Pune', 'Tallinn', 'Toronto', 'Wien'];
const KINDS: readonly (readonly [category: string, noun: string, cents: number])[] = [
  ['kitchen', 'teapot', 2900],
  ['kitchen', 'bread knife', 1850],
  ['kitchen', 'salt cellar', 990],
  ['office', 'notebook', 650],
  ['office', 'fountain pen', 4200],
  ['garden', 'watering can', 2400],
  ['garden', 'trowel', 1290],
  ['toys', 'wooden train', 3490],
];
const FINISHES = ['plain', 'blue', 'red', 'copper', 'oak'];
const STATES = ['paid', 'shipped', 'delivered', 'delivered', 'delivered', 'returned'];

export type SqlValue = string | number;
export type Rows = readonly (readonly SqlValue[])[];

export interface Shop {
  /** id, name, email, city, joined */
  readonly customers: Rows;
  /** id, name, category, price, stock */
  readonly products: Rows;
  /** id, customer_id, ordered_at, state */
  readonly orders: Rows;
  /** order_id, line, product_id, quantity, unit_price */
  readonly orderItems: Rows;
}

/** The whole shop. */
export function generateShop(): Shop {
  const random = new Random(SEED);
  const pick = <T>(from: readonly T[]): T => from[random.below(from.length)] as T;
  const customers = Array.from({ length: CUSTOMER_COUNT }, (_, i) => {
    const name = `${FIRST_NAMES[i % FIRST_NAMES.length] as string} ${pick(LAST_NAMES)}`;
    const email = `${name.toLowerCase().replace(' ', '.')}.${i + 1}@example.com`;
    return [i + 1, name, email, pick(CITIES), day(FIRST_DAY - random.below(DAYS) * DAY_MS)];
  });
  const products = Array.from({ length: PRODUCT_COUNT }, (_, i) => {
    const [category, noun, cents] = KINDS[i % KINDS.length] as (typeof KINDS)[number];
    const finish = FINISHES[Math.floor(i / KINDS.length)] as string;
    return [i + 1, `${finish} ${noun}`, category, money(cents + 100 * random.below(10)), random.below(200)];
  });
  const orders: SqlValue[][] = [];
  const orderItems: SqlValue[][] = [];
  for (let id = 1; id <= ORDER_COUNT; id++) {
    const at = FIRST_DAY + Math.floor((id / (ORDER_COUNT + 1)) * DAYS * DAY_MS) + random.below(3600) * 1000;
    // Some customers come again and again: the smaller of two draws.
    const customer = Math.min(random.below(CUSTOMER_COUNT), random.below(CUSTOMER_COUNT)) + 1;
    orders.push([id, customer, new Date(at).toISOString(), pick(STATES)]);
    const lines = 1 + random.below(ITEMS_MAX);
    for (let line = 1; line <= lines; line++) {
      const product = pick(products);
      orderItems.push([id, line, product[0] as number, 1 + random.below(4), product[3] as string]);
    }
  }
  return { customers, products, orders, orderItems };
}

function money(cents: number): string {
  return (cents / 100).toFixed(2);
}

function day(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}
