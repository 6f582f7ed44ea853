/**
 * Which of PostgreSQL's functions read and write the values of a type: pg_type's columns from typinput to typsubscript. By them clients tell what
 * kind of type it is.
 */
import type { SqlType, TypeLookup } from '../types/type.js';

/** The columns, in the order of the numbers below. */
const COLUMNS = [
  'typinput',
  'typoutput',
  'typreceive',
  'typsend',
  'typmodin',
  'typmodout',
  'typanalyze',
  'typsubscript',
] as const;

type TypeFunctions = Readonly<Record<(typeof COLUMNS)[number], number>>;

/** A built-in type a line: its oid, then the functions' ones, as many as there are before the last zeros. */
const FACTS = `
16 1242 1243 2436 2437
17 1244 31 2412 2413
18 1245 33 2434 2435
19 34 35 2422 2423 0 0 0 6180
20 460 461 2408 2409
21 38 39 2404 2405
22 40 41 2410 2411 0 0 0 6179
23 42 43 2406 2407
24 44 45 2444 2445
25 46 47 2414 2415
26 1798 1799 2418 2419
27 48 49 2438 2439
28 50 51 2440 2441
29 52 53 2442 2443
30 54 55 2420 2421 0 0 0 6179
114 321 322 323 324
142 2893 2894 2898 2899
194 195 196 197 198
269 267 268
325 326 327
600 117 118 2428 2429 0 0 0 6180
601 119 120 2480 2481 0 0 0 6180
602 121 122 2482 2483
603 123 124 2484 2485 0 0 0 6180
604 347 348 2486 2487
628 1490 1491 2488 2489 0 0 0 6180
650 1267 1427 2498 2499
700 200 201 2424 2425
701 214 215 2426 2427
705 109 110 2416 2417
718 1450 1451 2490 2491
774 4110 4111 3446 3447
790 886 887 2492 2493
829 436 437 2494 2495
869 910 911 2496 2497
1033 1031 1032
1042 1044 1045 2430 2431 2913 2914
1043 1046 1047 2432 2433 2915 2916
1082 1084 1085 2468 2469
1083 1143 1144 2470 2471 2909 2910
1114 1312 1313 2474 2475 2905 2906
1184 1150 1151 2476 2477 2907 2908
1186 1160 1161 2478 2479 2903 2904
1266 1350 1351 2472 2473 2911 2912
1560 1564 1565 2456 2457 2919 2920
1562 1579 1580 2458 2459 2902 2921
1700 1701 1702 2460 2461 2917 2918
1790 46 47 2414 2415
2202 2212 2213 2446 2447
2203 2214 2215 2448 2449
2204 2216 2217 2450 2451
2205 2218 2219 2452 2453
2206 2220 2221 2454 2455
2249 2290 2291 2402 2403
2275 2292 2293 2500 2501
2276 2294 2295
2277 2296 2297 2502 2503
2278 2298 2299 3120 3121
2279 2300 2301
2280 2302 2303
2281 2304 2305
2283 2312 2313
2776 2777 2778
2950 2952 2953 2961 2962
2970 2939 2940 2941 2942
3220 3229 3230 3238 3239
3361 3355 3356 3357 3358
3402 3404 3405 3406 3407
3500 3504 3505
3614 3610 3611 3639 3638 0 0 3688
3615 3612 3613 3641 3640
3642 3646 3647
3734 3736 3737 3738 3739
3769 3771 3772 3773 3774
3802 3806 3804 3805 3803 0 0 0 6098
3831 3832 3833
3838 3594 3595
3904 3834 3835 3836 3837 0 0 3916
3906 3834 3835 3836 3837 0 0 3916
3908 3834 3835 3836 3837 0 0 3916
3910 3834 3835 3836 3837 0 0 3916
3912 3834 3835 3836 3837 0 0 3916
3926 3834 3835 3836 3837 0 0 3916
4072 4001 4003 4002 4004
4089 4084 4085 4087 4088
4096 4098 4092 4094 4095
4191 4193 4194 4196 4197
4451 4231 4232 4233 4234 0 0 4242
4532 4231 4232 4233 4234 0 0 4242
4533 4231 4232 4233 4234 0 0 4242
4534 4231 4232 4233 4234 0 0 4242
4535 4231 4232 4233 4234 0 0 4242
4536 4231 4232 4233 4234 0 0 4242
4537 4229 4230
4538 4226 4227
4600 4596 4597 4598 4599
4601 4638 4639 4640 4641
5017 5018 5019 5020 5021
5038 5055 5056 5057 5058
5069 5070 5081 5082 5083
5077 5086 5087
5078 5088 5089 5090 5091
5079 5092 5093
5080 5094 5095
`;

const ARRAY = functionsOf([750, 751, 2400, 2401, 0, 0, 3816, 6179]);
const BY_KIND: Readonly<Partial<Record<SqlType['kind'], TypeFunctions>>> = {
  enum: functionsOf([3506, 3507, 3532, 3533]),
  range: functionsOf([3834, 3835, 3836, 3837, 0, 0, 3916]),
  multirange: functionsOf([4231, 4232, 4233, 4234, 0, 0, 4242]),
};
const COMPOSITE = functionsOf([2290, 2291, 2402, 2403]);
const DOMAIN_INPUT = 2597;
const DOMAIN_RECEIVE = 2598;

function functionsOf(oids: readonly number[]): TypeFunctions {
  return Object.fromEntries(COLUMNS.map((column, i) => [column, oids[i] ?? 0])) as TypeFunctions;
}

let byOid: ReadonlyMap<number, TypeFunctions> | undefined;

function builtIn(oid: number): TypeFunctions | undefined {
  byOid ??= new Map(
    FACTS.trim()
      .split('\n')
      .map((line) => {
        const [type = 0, ...functions] = line.split(' ').map(Number);
        return [type, functionsOf(functions)];
      }),
  );
  return byOid.get(oid);
}

/** Oids of a type's functions by the columns of pg_type; all of them 0 for a type that PostgreSQL has not. */
export function typeFunctions(type: SqlType, types: TypeLookup): TypeFunctions {
  const found = builtIn(type.oid);
  if (found !== undefined) return found;
  if (type.kind === 'array') {
    const element = types.byOid(type.elementOid);
    const { typmodin = 0, typmodout = 0 } = element === undefined ? {} : typeFunctions(element, types);
    return { ...ARRAY, typmodin, typmodout };
  }
  if (type.kind === 'composite') return COMPOSITE;
  if (type.kind === 'domain' || type.kind === 'distinct') {
    const base = types.byOid(type.baseOid);
    const { typoutput, typsend, typanalyze } = base === undefined ? functionsOf([]) : typeFunctions(base, types);
    return { ...functionsOf([]), typinput: DOMAIN_INPUT, typoutput, typreceive: DOMAIN_RECEIVE, typsend, typanalyze };
  }
  return BY_KIND[type.kind] ?? functionsOf([]);
}

/** Those of the rows of tables, which have no type of their own here. */
export function compositeFunctions(): TypeFunctions {
  return COMPOSITE;
}
