/**
 * Data for TPC-H, made anew each time from a fixed seed: the shapes and correlations of the specification's section 4.2 (dates of
 * a line follow its order's, prices follow the part, a third of the customers has no orders), with a smaller grammar for comments.
 * The rows are not those of the official generator, so answers are compared with PostgreSQL's over the same rows.
 */
const COLORS =
  'almond antique aquamarine azure beige bisque black blanched blue blush brown burlywood burnished chartreuse chiffon chocolate coral cornflower cornsilk cream cyan dark deep dim dodger drab firebrick floral forest frosted gainsboro ghost goldenrod green grey honeydew hot indian ivory khaki lace lavender lawn lemon light lime linen magenta maroon medium metallic midnight mint misty moccasin navajo navy olive orange orchid pale papaya peach peru pink plum powder puff purple red rose rosy royal saddle salmon sandy seashell sienna sky slate smoke snow spring steel tan thistle tomato turquoise violet wheat white yellow'.split(
    ' ',
  );
const NATIONS = [
  ['ALGERIA', 0],
  ['ARGENTINA', 1],
  ['BRAZIL', 1],
  ['CANADA', 1],
  ['EGYPT', 4],
  ['ETHIOPIA', 0],
  ['FRANCE', 3],
  ['GERMANY', 3],
  ['INDIA', 2],
  ['INDONESIA', 2],
  ['IRAN', 4],
  ['IRAQ', 4],
  ['JAPAN', 2],
  ['JORDAN', 4],
  ['KENYA', 0],
  ['MOROCCO', 0],
  ['MOZAMBIQUE', 0],
  ['PERU', 1],
  ['CHINA', 2],
  ['ROMANIA', 3],
  ['SAUDI ARABIA', 4],
  ['VIETNAM', 2],
  ['RUSSIA', 3],
  ['UNITED KINGDOM', 3],
  ['UNITED STATES', 1],
];
const REGIONS = ['AFRICA', 'AMERICA', 'ASIA', 'EUROPE', 'MIDDLE EAST'];
const SEGMENTS = ['AUTOMOBILE', 'BUILDING', 'FURNITURE', 'MACHINERY', 'HOUSEHOLD'];
const PRIORITIES = ['1-URGENT', '2-HIGH', '3-MEDIUM', '4-NOT SPECIFIED', '5-LOW'];
const INSTRUCTIONS = ['DELIVER IN PERSON', 'COLLECT COD', 'NONE', 'TAKE BACK RETURN'];
const MODES = ['REG AIR', 'AIR', 'RAIL', 'SHIP', 'TRUCK', 'MAIL', 'FOB'];
const TYPES = [
  ['STANDARD', 'SMALL', 'MEDIUM', 'LARGE', 'ECONOMY', 'PROMO'],
  ['ANODIZED', 'BURNISHED', 'PLATED', 'POLISHED', 'BRUSHED'],
  ['TIN', 'NICKEL', 'BRASS', 'STEEL', 'COPPER'],
];
const CONTAINERS = [
  ['SM', 'LG', 'MED', 'JUMBO', 'WRAP'],
  ['CASE', 'BOX', 'BAG', 'JAR', 'PKG', 'PACK', 'CAN', 'DRUM'],
];
const WORDS =
  'furiously quickly slyly carefully blithely express regular special pending ironic final bold even silent unusual requests deposits packages accounts instructions foxes theodolites pinto beans dependencies platelets ideas asymptotes sleep wake haggle nag use boost cajole detect integrate among across above the after'.split(
    ' ',
  );

const DAY_MS = 86_400_000;
const START = Date.UTC(1992, 0, 1) / DAY_MS;
const ORDER_DAYS = Date.UTC(1998, 7, 2) / DAY_MS - START + 1;
const CURRENT = Date.UTC(1995, 5, 17) / DAY_MS;

/** A small generator of random numbers (mulberry32), the same on every machine. */
class Numbers {
  constructor(seed) {
    this.state = seed;
  }

  /** A whole number from low to high, both included. */
  between(low, high) {
    this.state = (this.state + 0x6d2b79f5) | 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), 1 | this.state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return low + (((t ^ (t >>> 14)) >>> 0) % (high - low + 1));
  }

  one(list) {
    return list[this.between(0, list.length - 1)];
  }

  words(charactersMax) {
    let text = this.one(WORDS);
    for (;;) {
      const next = this.one(WORDS);
      if (text.length + 1 + next.length > charactersMax) return text;
      text += ` ${next}`;
    }
  }
}

const dateNames = new Map();
function dateText(day) {
  let text = dateNames.get(day);
  if (text === undefined) dateNames.set(day, (text = new Date(day * DAY_MS).toISOString().slice(0, 10)));
  return text;
}
const money = (cents) =>
  `${cents < 0 ? '-' : ''}${Math.trunc(Math.abs(cents) / 100)}.${String(Math.abs(cents) % 100).padStart(2, '0')}`;
const nine = (n) => String(n).padStart(9, '0');
const phone = (numbers, nation) =>
  `${nation + 10}-${numbers.between(100, 999)}-${numbers.between(100, 999)}-${numbers.between(1000, 9999)}`;
const retailCents = (part) => 90000 + (Math.trunc(part / 10) % 20001) + 100 * (part % 1000);

/** Rows of one table at a scale, as arrays of strings and numbers; dates as ISO text, amounts as decimal text. */
export function* rowsOf(table, scale) {
  const suppliers = Math.max(1, Math.round(10_000 * scale));
  const customers = Math.round(150_000 * scale);
  const parts = Math.round(200_000 * scale);
  const orders = Math.round(1_500_000 * scale);
  const numbers = new Numbers(7 + table.length * 1009);
  const supplierOf = (part, i) =>
    ((part + i * (Math.trunc(suppliers / 4) + Math.trunc((part - 1) / suppliers))) % suppliers) + 1;
  switch (table) {
    case 'region':
      for (let i = 0; i < REGIONS.length; i++) yield [i, REGIONS[i], numbers.words(100)];
      return;
    case 'nation':
      for (let i = 0; i < NATIONS.length; i++) yield [i, NATIONS[i][0], NATIONS[i][1], numbers.words(100)];
      return;
    case 'supplier':
      for (let i = 1; i <= suppliers; i++) {
        const nation = numbers.between(0, 24);
        let comment = numbers.words(90);
        if (i % 2000 === 1000 || (scale < 0.2 && i % 50 === 7))
          comment = `wake Customer slow Complaints ${comment.slice(0, 50)}`;
        yield [
          i,
          `Supplier#${nine(i)}`,
          numbers.words(30),
          nation,
          phone(numbers, nation),
          money(numbers.between(-99999, 999999)),
          comment,
        ];
      }
      return;
    case 'customer':
      for (let i = 1; i <= customers; i++) {
        const nation = numbers.between(0, 24);
        yield [
          i,
          `Customer#${nine(i)}`,
          numbers.words(30),
          nation,
          phone(numbers, nation),
          money(numbers.between(-99999, 999999)),
          numbers.one(SEGMENTS),
          numbers.words(100),
        ];
      }
      return;
    case 'part':
      for (let i = 1; i <= parts; i++) {
        const maker = numbers.between(1, 5);
        const name = Array.from({ length: 5 }, () => numbers.one(COLORS)).join(' ');
        yield [
          i,
          name,
          `Manufacturer#${maker}`,
          `Brand#${maker}${numbers.between(1, 5)}`,
          TYPES.map((syllables) => numbers.one(syllables)).join(' '),
          numbers.between(1, 50),
          CONTAINERS.map((syllables) => numbers.one(syllables)).join(' '),
          money(retailCents(i)),
          numbers.words(20),
        ];
      }
      return;
    case 'partsupp':
      for (let i = 1; i <= parts; i++) {
        for (let j = 0; j < 4; j++)
          yield [
            i,
            supplierOf(i, j),
            numbers.between(1, 9999),
            money(numbers.between(100, 100000)),
            numbers.words(120),
          ];
      }
      return;
    case 'orders':
    case 'lineitem':
      yield* ordersAndLines(table, numbers, { customers, parts, orders, supplierOf });
      return;
    default:
      throw new Error(`no table ${table}`);
  }
}

/** Both tables come from the same draws, so that an order's total and status are those of its lines. */
function* ordersAndLines(table, own, { customers, parts, orders, supplierOf }) {
  for (let n = 0; n < orders; n++) {
    const order = Math.trunc(n / 8) * 32 + (n % 8) + 1;
    const numbers = new Numbers(order * 2654435761);
    const day = START + numbers.between(0, ORDER_DAYS - 122);
    const lines = numbers.between(1, 7);
    let total = 0;
    let open = 0;
    for (let line = 1; line <= lines; line++) {
      const part = numbers.between(1, parts);
      const supplier = supplierOf(part, numbers.between(0, 3));
      const quantity = numbers.between(1, 50);
      const price = quantity * retailCents(part);
      const discount = numbers.between(0, 10);
      const tax = numbers.between(0, 8);
      const shipped = day + numbers.between(1, 121);
      const committed = day + numbers.between(30, 90);
      const received = shipped + numbers.between(1, 30);
      total += Math.round((price * (100 + tax) * (100 - discount)) / 10_000);
      if (shipped > CURRENT) open++;
      if (table === 'orders') continue;
      const flag = received <= CURRENT ? own.one(['R', 'A']) : 'N';
      yield [
        order,
        part,
        supplier,
        line,
        money(quantity * 100),
        money(price),
        money(discount),
        money(tax),
        flag,
        shipped > CURRENT ? 'O' : 'F',
        dateText(shipped),
        dateText(committed),
        dateText(received),
        own.one(INSTRUCTIONS),
        own.one(MODES),
        own.words(40),
      ];
    }
    if (table === 'lineitem') continue;
    let customer = own.between(1, customers);
    if (customer % 3 === 0) customer = Math.max(1, customer - 1);
    const status = open === 0 ? 'F' : open === lines ? 'O' : 'P';
    yield [
      order,
      customer,
      status,
      money(total),
      dateText(day),
      own.one(PRIORITIES),
      `Clerk#${nine(own.between(1, Math.max(1, Math.trunc(orders / 1500))))}`,
      0,
      own.words(70),
    ];
  }
}
