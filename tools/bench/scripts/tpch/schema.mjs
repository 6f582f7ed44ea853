/**
 * The eight tables of TPC-H, with keys. Amounts are numeric(15,2), as the specification has them; SQLite, which has no such
 * type, keeps them as floats, and dates as text.
 */
export const TABLES = ['region', 'nation', 'supplier', 'customer', 'part', 'partsupp', 'orders', 'lineitem'];

const COLUMNS = {
  region: 'r_regionkey int primary key, r_name varchar(25) not null, r_comment varchar(152)',
  nation: 'n_nationkey int primary key, n_name varchar(25) not null, n_regionkey int not null, n_comment varchar(152)',
  supplier:
    's_suppkey int primary key, s_name varchar(25) not null, s_address varchar(40) not null, s_nationkey int not null, s_phone varchar(15) not null, s_acctbal numeric(15,2) not null, s_comment varchar(101) not null',
  customer:
    'c_custkey int primary key, c_name varchar(25) not null, c_address varchar(40) not null, c_nationkey int not null, c_phone varchar(15) not null, c_acctbal numeric(15,2) not null, c_mktsegment varchar(10) not null, c_comment varchar(117) not null',
  part: 'p_partkey int primary key, p_name varchar(55) not null, p_mfgr varchar(25) not null, p_brand varchar(10) not null, p_type varchar(25) not null, p_size int not null, p_container varchar(10) not null, p_retailprice numeric(15,2) not null, p_comment varchar(23) not null',
  partsupp:
    'ps_partkey int not null, ps_suppkey int not null, ps_availqty int not null, ps_supplycost numeric(15,2) not null, ps_comment varchar(199) not null, primary key (ps_partkey, ps_suppkey)',
  orders:
    'o_orderkey int primary key, o_custkey int not null, o_orderstatus varchar(1) not null, o_totalprice numeric(15,2) not null, o_orderdate date not null, o_orderpriority varchar(15) not null, o_clerk varchar(15) not null, o_shippriority int not null, o_comment varchar(79) not null',
  lineitem:
    'l_orderkey int not null, l_partkey int not null, l_suppkey int not null, l_linenumber int not null, l_quantity numeric(15,2) not null, l_extendedprice numeric(15,2) not null, l_discount numeric(15,2) not null, l_tax numeric(15,2) not null, l_returnflag varchar(1) not null, l_linestatus varchar(1) not null, l_shipdate date not null, l_commitdate date not null, l_receiptdate date not null, l_shipinstruct varchar(25) not null, l_shipmode varchar(10) not null, l_comment varchar(44) not null, primary key (l_orderkey, l_linenumber)',
};

/** Indexes on what the specification calls foreign keys: the same for every contestant. */
const INDEXES = [
  'create index supplier_nation on supplier (s_nationkey)',
  'create index customer_nation on customer (c_nationkey)',
  'create index partsupp_supplier on partsupp (ps_suppkey)',
  'create index orders_customer on orders (o_custkey)',
  'create index lineitem_part on lineitem (l_partkey, l_suppkey)',
];

/** Statements that make a table. `dialect`: phantom, postgres, sqlite or duckdb. */
export function createTable(table, dialect) {
  let columns = COLUMNS[table];
  if (dialect === 'sqlite') columns = columns.replaceAll('numeric(15,2)', 'real').replaceAll(' date ', ' text ');
  return `create table ${table} (${columns})`;
}

export function createIndexes(dialect) {
  return dialect === 'duckdb' ? [] : INDEXES;
}

/** A column index over all columns of each table. */
export function createColumnIndexes() {
  return TABLES.map((table) => {
    const names = columnsOf(table).map((column) => column.split(' ')[0]);
    return `create index ${table}_columns on ${table} using column (${names.join(', ')})`;
  });
}

/** Number of columns of a table. */
export function widthOf(table) {
  return columnsOf(table).length;
}

/** The definitions of a table's columns, without what stands in parentheses. */
function columnsOf(table) {
  const parts = COLUMNS[table].replaceAll(/\([^)]*\)/g, '').split(',');
  return parts.map((part) => part.trim()).filter((part) => !part.startsWith('primary key'));
}
