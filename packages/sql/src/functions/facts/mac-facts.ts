/** PostgreSQL 15's pg_proc: functions of macaddr and macaddr8. The form of a line is told in definitions.ts. */
export const macFacts = `
753 trunc 829 829 ix macaddr_trunc
830 macaddr_eq 829,829 16 ix macaddr_eq
831 macaddr_lt 829,829 16 ix macaddr_lt
832 macaddr_le 829,829 16 ix macaddr_le
833 macaddr_gt 829,829 16 ix macaddr_gt
834 macaddr_ge 829,829 16 ix macaddr_ge
835 macaddr_ne 829,829 16 ix macaddr_ne
836 macaddr_cmp 829,829 23 ix macaddr_cmp
3144 macaddr_not 829 829 ix macaddr_not
3145 macaddr_and 829,829 829 ix macaddr_and
3146 macaddr_or 829,829 829 ix macaddr_or
4112 trunc 774 774 ix macaddr8_trunc
4113 macaddr8_eq 774,774 16 ix macaddr8_eq
4114 macaddr8_lt 774,774 16 ix macaddr8_lt
4115 macaddr8_le 774,774 16 ix macaddr8_le
4116 macaddr8_gt 774,774 16 ix macaddr8_gt
4117 macaddr8_ge 774,774 16 ix macaddr8_ge
4118 macaddr8_ne 774,774 16 ix macaddr8_ne
4119 macaddr8_cmp 774,774 23 ix macaddr8_cmp
4120 macaddr8_not 774 774 ix macaddr8_not
4121 macaddr8_and 774,774 774 ix macaddr8_and
4122 macaddr8_or 774,774 774 ix macaddr8_or
4123 macaddr8 829 774 ix macaddrtomacaddr8
4124 macaddr 774 829 ix macaddr8tomacaddr
4125 macaddr8_set7bit 774 774 ix macaddr8_set7bit
`;
