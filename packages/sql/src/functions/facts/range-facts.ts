/** PostgreSQL 15's pg_proc and pg_operator: ranges and multiranges. The form of a line is told in definitions.ts. */
export const rangeFacts = `
1293 unnest 4537 3831 ixr multirange_unnest
3840 int4range 23,23 3904 i range_constructor2
3841 int4range 23,23,25 3904 i range_constructor3
3844 numrange 1700,1700 3906 i range_constructor2
3845 numrange 1700,1700,25 3906 i range_constructor3
3848 lower 3831 2283 ix range_lower
3849 upper 3831 2283 ix range_upper
3850 isempty 3831 16 ix range_empty
3851 lower_inc 3831 16 ix range_lower_inc
3852 upper_inc 3831 16 ix range_upper_inc
3853 lower_inf 3831 16 ix range_lower_inf
3854 upper_inf 3831 16 ix range_upper_inf
3855 range_eq 3831,3831 16 ix range_eq
3856 range_ne 3831,3831 16 ix range_ne
3857 range_overlaps 3831,3831 16 ix range_overlaps
3858 range_contains_elem 3831,2283 16 ix range_contains_elem
3859 range_contains 3831,3831 16 ix range_contains
3860 elem_contained_by_range 2283,3831 16 ix elem_contained_by_range
3861 range_contained_by 3831,3831 16 ix range_contained_by
3862 range_adjacent 3831,3831 16 ix range_adjacent
3863 range_before 3831,3831 16 ix range_before
3864 range_after 3831,3831 16 ix range_after
3865 range_overleft 3831,3831 16 ix range_overleft
3866 range_overright 3831,3831 16 ix range_overright
3867 range_union 3831,3831 3831 ix range_union
3868 range_intersect 3831,3831 3831 ix range_intersect
3869 range_minus 3831,3831 3831 ix range_minus
3870 range_cmp 3831,3831 23 ix range_cmp
3871 range_lt 3831,3831 16 ix range_lt
3872 range_le 3831,3831 16 ix range_le
3873 range_ge 3831,3831 16 ix range_ge
3874 range_gt 3831,3831 16 ix range_gt
3914 int4range_canonical 3904 3904 ix int4range_canonical
3915 daterange_canonical 3912 3912 ix daterange_canonical
3922 int4range_subdiff 23,23 701 ix int4range_subdiff
3923 int8range_subdiff 20,20 701 ix int8range_subdiff
3924 numrange_subdiff 1700,1700 701 ix numrange_subdiff
3925 daterange_subdiff 1082,1082 701 ix daterange_subdiff
3928 int8range_canonical 3926 3926 ix int8range_canonical
3929 tsrange_subdiff 1114,1114 701 ix tsrange_subdiff
3930 tstzrange_subdiff 1184,1184 701 ix tstzrange_subdiff
3933 tsrange 1114,1114 3908 i range_constructor2
3934 tsrange 1114,1114,25 3908 i range_constructor3
3937 tstzrange 1184,1184 3910 i range_constructor2
3938 tstzrange 1184,1184,25 3910 i range_constructor3
3941 daterange 1082,1082 3912 i range_constructor2
3942 daterange 1082,1082,25 3912 i range_constructor3
3945 int8range 20,20 3926 i range_constructor2
3946 int8range 20,20,25 3926 i range_constructor3
4057 range_merge 3831,3831 3831 ix range_merge
4228 range_merge 4537 3831 ix range_merge_from_multirange
4235 lower 4537 2283 ix multirange_lower
4236 upper 4537 2283 ix multirange_upper
4237 isempty 4537 16 ix multirange_empty
4238 lower_inc 4537 16 ix multirange_lower_inc
4239 upper_inc 4537 16 ix multirange_upper_inc
4240 lower_inf 4537 16 ix multirange_lower_inf
4241 upper_inf 4537 16 ix multirange_upper_inf
4244 multirange_eq 4537,4537 16 ix multirange_eq
4245 multirange_ne 4537,4537 16 ix multirange_ne
4246 range_overlaps_multirange 3831,4537 16 ix range_overlaps_multirange
4247 multirange_overlaps_range 4537,3831 16 ix multirange_overlaps_range
4248 multirange_overlaps_multirange 4537,4537 16 ix multirange_overlaps_multirange
4249 multirange_contains_elem 4537,2283 16 ix multirange_contains_elem
4250 multirange_contains_range 4537,3831 16 ix multirange_contains_range
4251 multirange_contains_multirange 4537,4537 16 ix multirange_contains_multirange
4252 elem_contained_by_multirange 2283,4537 16 ix elem_contained_by_multirange
4253 range_contained_by_multirange 3831,4537 16 ix range_contained_by_multirange
4254 multirange_contained_by_multirange 4537,4537 16 ix multirange_contained_by_multirange
4255 range_adjacent_multirange 3831,4537 16 ix range_adjacent_multirange
4256 multirange_adjacent_multirange 4537,4537 16 ix multirange_adjacent_multirange
4257 multirange_adjacent_range 4537,3831 16 ix multirange_adjacent_range
4258 range_before_multirange 3831,4537 16 ix range_before_multirange
4259 multirange_before_range 4537,3831 16 ix multirange_before_range
4260 multirange_before_multirange 4537,4537 16 ix multirange_before_multirange
4261 range_after_multirange 3831,4537 16 ix range_after_multirange
4262 multirange_after_range 4537,3831 16 ix multirange_after_range
4263 multirange_after_multirange 4537,4537 16 ix multirange_after_multirange
4264 range_overleft_multirange 3831,4537 16 ix range_overleft_multirange
4265 multirange_overleft_range 4537,3831 16 ix multirange_overleft_range
4266 multirange_overleft_multirange 4537,4537 16 ix multirange_overleft_multirange
4267 range_overright_multirange 3831,4537 16 ix range_overright_multirange
4268 multirange_overright_range 4537,3831 16 ix multirange_overright_range
4269 multirange_overright_multirange 4537,4537 16 ix multirange_overright_multirange
4270 multirange_union 4537,4537 4537 ix multirange_union
4271 multirange_minus 4537,4537 4537 ix multirange_minus
4272 multirange_intersect 4537,4537 4537 ix multirange_intersect
4273 multirange_cmp 4537,4537 23 ix multirange_cmp
4274 multirange_lt 4537,4537 16 ix multirange_lt
4275 multirange_le 4537,4537 16 ix multirange_le
4276 multirange_ge 4537,4537 16 ix multirange_ge
4277 multirange_gt 4537,4537 16 ix multirange_gt
4280 int4multirange - 4451 ix multirange_constructor0
4281 int4multirange 3904 4451 ix multirange_constructor1
4282 int4multirange 3905 4451 ix multirange_constructor2 v=3904
4283 nummultirange - 4532 ix multirange_constructor0
4284 nummultirange 3906 4532 ix multirange_constructor1
4285 nummultirange 3907 4532 ix multirange_constructor2 v=3906
4286 tsmultirange - 4533 ix multirange_constructor0
4287 tsmultirange 3908 4533 ix multirange_constructor1
4288 tsmultirange 3909 4533 ix multirange_constructor2 v=3908
4289 tstzmultirange - 4534 ix multirange_constructor0
4290 tstzmultirange 3910 4534 ix multirange_constructor1
4291 tstzmultirange 3911 4534 ix multirange_constructor2 v=3910
4292 datemultirange - 4535 ix multirange_constructor0
4293 datemultirange 3912 4535 ix multirange_constructor1
4294 datemultirange 3913 4535 ix multirange_constructor2 v=3912
4295 int8multirange - 4536 ix multirange_constructor0
4296 int8multirange 3926 4536 ix multirange_constructor1
4297 int8multirange 3927 4536 ix multirange_constructor2 v=3926
4298 multirange 3831 4537 ix multirange_constructor1
4301 range_agg 3831 4537 ia range_agg
4388 multirange_intersect_agg_transfn 4537,4537 4537 ix multirange_intersect_agg_transfn
4389 range_intersect_agg 4537 4537 ia range_intersect_agg:multirange
4401 range_intersect_agg_transfn 3831,3831 3831 ix range_intersect_agg_transfn
4450 range_intersect_agg 3831 3831 ia range_intersect_agg:range
4541 range_contains_multirange 3831,4537 16 ix range_contains_multirange
4542 multirange_contained_by_range 4537,3831 16 ix multirange_contained_by_range
6227 range_agg 4537 4537 ia range_agg
`;

export const rangeOperatorFacts = `
2866 && 3831 4537 16 4246 && - -
2867 && 4537 3831 16 4247 && - -
2868 && 4537 4537 16 4248 && - -
3888 && 3831 3831 16 3857 && - -
2875 &< 3831 4537 16 4264 - - -
2876 &< 4537 3831 16 4265 - - -
2877 &< 4537 4537 16 4266 - - -
3895 &< 3831 3831 16 3865 - - -
3585 &> 3831 4537 16 4267 - - -
3896 &> 3831 3831 16 3866 - - -
4035 &> 4537 3831 16 4268 - - -
4142 &> 4537 4537 16 4269 - - -
3900 * 3831 3831 3831 3868 * - -
4394 * 4537 4537 4537 4272 * - -
3898 + 3831 3831 3831 3867 + - -
4392 + 4537 4537 4537 4270 + - -
3899 - 3831 3831 3831 3869 - - -
4393 - 4537 4537 4537 4271 - - -
3897 -|- 3831 3831 16 3862 -|- - -
4179 -|- 3831 4537 16 4255 -|- - -
4180 -|- 4537 3831 16 4257 -|- - -
4198 -|- 4537 4537 16 4256 -|- - -
2862 < 4537 4537 16 4274 > >= <
3884 < 3831 3831 16 3871 > >= <
3893 << 3831 3831 16 3863 >> - -
4395 << 3831 4537 16 4258 >> - -
4396 << 4537 3831 16 4259 >> - -
4397 << 4537 4537 16 4260 >> - -
2863 <= 4537 4537 16 4275 >= > <=
3885 <= 3831 3831 16 3872 >= > <=
2861 <> 4537 4537 16 4245 <> = <>
3883 <> 3831 3831 16 3856 <> = <>
2872 <@ 2283 4537 16 4252 @> - -
2873 <@ 3831 4537 16 4253 @> - -
2874 <@ 4537 4537 16 4254 @> - -
3891 <@ 2283 3831 16 3860 @> - -
3892 <@ 3831 3831 16 3861 @> - -
4540 <@ 4537 3831 16 4542 @> - -
2860 = 4537 4537 16 4244 = <> =
3882 = 3831 3831 16 3855 = <> =
2865 > 4537 4537 16 4277 < <= >
3887 > 3831 3831 16 3874 < <= >
2864 >= 4537 4537 16 4276 <= < >=
3886 >= 3831 3831 16 3873 <= < >=
3894 >> 3831 3831 16 3864 << - -
4398 >> 3831 4537 16 4261 << - -
4399 >> 4537 3831 16 4262 << - -
4400 >> 4537 4537 16 4263 << - -
2869 @> 4537 2283 16 4249 <@ - -
2870 @> 4537 3831 16 4250 <@ - -
2871 @> 4537 4537 16 4251 <@ - -
3889 @> 3831 2283 16 3858 <@ - -
3890 @> 3831 3831 16 3859 <@ - -
4539 @> 3831 4537 16 4541 <@ - -
`;
