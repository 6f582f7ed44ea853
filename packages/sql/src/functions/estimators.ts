/**
 * PostgreSQL's functions that estimate how many rows an operator leaves (RESTRICT) or joins (JOIN), with their oids. Operators of users
 * may name them: the names are kept and shown. Estimates here are made otherwise.
 */
const NUMBERS = `
101 eqsel,102 neqsel,103 scalarltsel,104 scalargtsel,105 eqjoinsel,106 neqjoinsel,107 scalarltjoinsel,108 scalargtjoinsel,139 areasel,
140 areajoinsel,336 scalarlesel,337 scalargesel,386 scalarlejoinsel,398 scalargejoinsel,1300 positionsel,1301 positionjoinsel,1302 contsel,
1303 contjoinsel,1814 iclikesel,1815 icnlikesel,1816 iclikejoinsel,1817 icnlikejoinsel,1818 regexeqsel,1819 likesel,1820 icregexeqsel,
1821 regexnesel,1822 nlikesel,1823 icregexnesel,1824 regexeqjoinsel,1825 likejoinsel,1826 icregexeqjoinsel,1827 regexnejoinsel,
1828 nlikejoinsel,1829 icregexnejoinsel,3169 rangesel,3437 prefixsel,3438 prefixjoinsel,3560 networksel,3561 networkjoinsel,3686 tsmatchsel,
3687 tsmatchjoinsel,3817 arraycontsel,3818 arraycontjoinsel,4243 multirangesel,5040 matchingsel,5041 matchingjoinsel`;

const OIDS: ReadonlyMap<string, number> = new Map(
  NUMBERS.trim()
    .split(',')
    .map((entry): [string, number] => {
      const [oid, name] = entry.trim().split(' ') as [string, string];
      return [name, Number(oid)];
    }),
);

/** The oid of an estimator; undefined for other names, and for one of joins where one of conditions is asked for. */
export function estimatorOid(name: string, ofJoins: boolean): number | undefined {
  return name.endsWith('joinsel') === ofJoins ? OIDS.get(name) : undefined;
}

/** The estimator of an oid, for those who show names of functions. */
export function estimatorName(oid: number): string | undefined {
  for (const [name, own] of OIDS) if (own === oid) return name;
  return undefined;
}
