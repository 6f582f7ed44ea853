/** PostgreSQL 15's pg_proc: functions of money values. The form of a line is told in definitions.ts. */
export const moneyFacts = `
377 cash_cmp 790,790 23 ix cash_cmp
846 cash_mul_flt4 790,700 790 ix cash_mul_flt4
847 cash_div_flt4 790,700 790 ix cash_div_flt4
848 flt4_mul_cash 700,790 790 ix flt4_mul_cash
862 int4_mul_cash 23,790 790 ix int4_mul_cash
863 int2_mul_cash 21,790 790 ix int2_mul_cash
864 cash_mul_int4 790,23 790 ix cash_mul_int4
865 cash_div_int4 790,23 790 ix cash_div_int4
866 cash_mul_int2 790,21 790 ix cash_mul_int2
867 cash_div_int2 790,21 790 ix cash_div_int2
888 cash_eq 790,790 16 ix cash_eq
889 cash_ne 790,790 16 ix cash_ne
890 cash_lt 790,790 16 ix cash_lt
891 cash_le 790,790 16 ix cash_le
892 cash_gt 790,790 16 ix cash_gt
893 cash_ge 790,790 16 ix cash_ge
894 cash_pl 790,790 790 ix cash_pl
895 cash_mi 790,790 790 ix cash_mi
896 cash_mul_flt8 790,701 790 ix cash_mul_flt8
897 cash_div_flt8 790,701 790 ix cash_div_flt8
898 cashlarger 790,790 790 ix cashlarger
899 cashsmaller 790,790 790 ix cashsmaller
919 flt8_mul_cash 701,790 790 ix flt8_mul_cash
935 cash_words 790 25 ix cash_words
2112 sum 790 790 ia sum:money
3344 cash_mul_int8 790,20 790 ix cash_mul_int8
3345 cash_div_int8 790,20 790 ix cash_div_int8
3399 int8_mul_cash 20,790 790 ix int8_mul_cash
3811 money 23 790 sx int4_cash
3812 money 20 790 sx int8_cash
3822 cash_div_cash 790,790 701 ix cash_div_cash
3823 numeric 790 1700 sx cash_numeric
3824 money 1700 790 sx numeric_cash
`;
