/** The sample shop that `npm start` shows: tables, rows, and what to type to see them. */
import { basename, dirname, relative } from 'node:path';
import type { Database } from '@phantom/db';
import { isUnused } from '../first-start.js';
import { type Rows, generateShop } from './generate.js';

const TABLES = `
create table customers (
  id int primary key,
  name text not null,
  email text not null unique,
  city text not null,
  joined date not null
);
create table products (
  id int primary key,
  name text not null,
  category text not null,
  price numeric(8, 2) not null check (price > 0),
  stock int not null check (stock >= 0)
);
create table orders (
  id int primary key,
  customer_id int not null references customers (id),
  ordered_at timestamptz not null,
  state text not null
);
create table order_items (
  order_id int not null references orders (id),
  line int not null,
  product_id int not null references products (id),
  quantity int not null check (quantity > 0),
  unit_price numeric(8, 2) not null,
  primary key (order_id, line)
);
create index orders_by_customer on orders (customer_id);
create index items_by_product on order_items (product_id);
`;

/** Rows of one INSERT. */
const INSERT_ROWS = 100;

/** Makes the shop in a store that holds nothing yet, in one transaction. False when there was something. */
export function ensureSampleShop(database: Database): boolean {
  if (!isUnused(database)) return false;
  const shop = generateShop();
  database.transactionSync((tx) => {
    tx.exec(TABLES);
    for (const [table, rows] of [
      ['customers', shop.customers],
      ['products', shop.products],
      ['orders', shop.orders],
      ['order_items', shop.orderItems],
    ] as const) {
      for (const statement of inserts(table, rows)) tx.exec(statement);
    }
  });
  return true;
}

/** INSERT statements of some rows each. The values are ours: letters, digits and marks without a quote. */
export function inserts(table: string, rows: Rows): string[] {
  const statements: string[] = [];
  for (let from = 0; from < rows.length; from += INSERT_ROWS) {
    const lists = rows.slice(from, from + INSERT_ROWS).map((row) => {
      const values = row.map((value) => (typeof value === 'number' ? String(value) : `'${value}'`));
      return `(${values.join(', ')})`;
    });
    statements.push(`insert into ${table} values ${lists.join(', ')}`);
  }
  return statements;
}

/** How a program is called once more that was called by this script, from this directory. */
export function calledAs(script: string, directory: string): string {
  if (basename(script) !== 'phantomd') return `node ${relative(directory, script)}`;
  return basename(dirname(script)) === '.bin' ? 'npx phantomd' : 'phantomd';
}

/** What to type next, after the ready line; `program`: how this one is called. */
export function nextSteps(url: string, program: string, dashboard: string | undefined): string {
  return `
There is a small shop in it: customers, products, orders, order_items. Try

  psql ${url}
  ${program} sql --url ${url}

and there

  select category, sum(quantity) as sold, sum(quantity * i.unit_price) as revenue
  from order_items i join products p on p.id = i.product_id
  group by category order by revenue desc;

${
  dashboard === undefined
    ? ''
    : `What it does is drawn at (whoever has this address is the superuser, until this process ends)

  ${dashboard}

`
}Ctrl-C ends it; what was committed stays.
`;
}
