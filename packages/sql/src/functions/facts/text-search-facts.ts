/** PostgreSQL 15's pg_proc and pg_operator: text search. The forms of the lines are told in definitions.ts. */
export const textSearchFacts = `
3319 ts_filter 3614,1002 3614 ix tsvector_filter
3320 setweight 3614,18,1009 3614 ix tsvector_setweight_by_filter
3321 ts_delete 3614,25 3614 ix tsvector_delete_str
3322 unnest 3614 2249 ixr tsvector_unnest n=tsvector c=lexeme:25,positions:1005,weights:1009
3323 ts_delete 3614,1009 3614 ix tsvector_delete_arr
3326 tsvector_to_array 3614 1009 ix tsvector_to_array
3327 array_to_tsvector 1009 3614 ix array_to_tsvector
3616 tsvector_lt 3614,3614 16 ix tsvector_lt
3617 tsvector_le 3614,3614 16 ix tsvector_le
3618 tsvector_eq 3614,3614 16 ix tsvector_eq
3619 tsvector_ne 3614,3614 16 ix tsvector_ne
3620 tsvector_ge 3614,3614 16 ix tsvector_ge
3621 tsvector_gt 3614,3614 16 ix tsvector_gt
3622 tsvector_cmp 3614,3614 23 ix tsvector_cmp
3623 strip 3614 3614 ix tsvector_strip
3624 setweight 3614,18 3614 ix tsvector_setweight
3625 tsvector_concat 3614,3614 3614 ix tsvector_concat
3634 ts_match_vq 3614,3615 16 ix ts_match_vq
3635 ts_match_qv 3615,3614 16 ix ts_match_qv
3662 tsquery_lt 3615,3615 16 ix tsquery_lt
3663 tsquery_le 3615,3615 16 ix tsquery_le
3664 tsquery_eq 3615,3615 16 ix tsquery_eq
3665 tsquery_ne 3615,3615 16 ix tsquery_ne
3666 tsquery_ge 3615,3615 16 ix tsquery_ge
3667 tsquery_gt 3615,3615 16 ix tsquery_gt
3668 tsquery_cmp 3615,3615 23 ix tsquery_cmp
3669 tsquery_and 3615,3615 3615 ix tsquery_and
3670 tsquery_or 3615,3615 3615 ix tsquery_or
3671 tsquery_not 3615 3615 ix tsquery_not
3672 numnode 3615 23 ix tsquery_numnode
3673 querytree 3615 25 ix tsquerytree
3691 tsq_mcontains 3615,3615 16 ix tsq_mcontains
3692 tsq_mcontained 3615,3615 16 ix tsq_mcontained
3703 ts_rank 1021,3614,3615,23 700 ix ts_rank_wttf
3704 ts_rank 1021,3614,3615 700 ix ts_rank_wtt
3705 ts_rank 3614,3615,23 700 ix ts_rank_ttf
3706 ts_rank 3614,3615 700 ix ts_rank_tt
3707 ts_rank_cd 1021,3614,3615,23 700 ix ts_rankcd_wttf
3708 ts_rank_cd 1021,3614,3615 700 ix ts_rankcd_wtt
3709 ts_rank_cd 3614,3615,23 700 ix ts_rankcd_ttf
3710 ts_rank_cd 3614,3615 700 ix ts_rankcd_tt
3711 length 3614 23 ix tsvector_length
3713 ts_token_type 26 2249 ixr ts_token_type_byid n=parser_oid c=tokid:23,alias:25,description:25
3714 ts_token_type 25 2249 sxr ts_token_type_byname n=parser_name c=tokid:23,alias:25,description:25
3715 ts_parse 26,25 2249 ixr ts_parse_byid n=parser_oid,txt c=tokid:23,token:25
3716 ts_parse 25,25 2249 sxr ts_parse_byname n=parser_name,txt c=tokid:23,token:25
3723 ts_lexize 3769,25 1009 ix ts_lexize
3745 to_tsvector 3734,25 3614 ix to_tsvector_byid
3746 to_tsquery 3734,25 3615 ix to_tsquery_byid
3747 plainto_tsquery 3734,25 3615 ix plainto_tsquery_byid
3749 to_tsvector 25 3614 sx to_tsvector
3750 to_tsquery 25 3615 sx to_tsquery
3751 plainto_tsquery 25 3615 sx plainto_tsquery
3759 get_current_ts_config - 3734 sx get_current_ts_config
3760 ts_match_tt 25,25 16 sx ts_match_tt
3761 ts_match_tq 25,3615 16 sx ts_match_tq
4209 to_tsvector 3802 3614 sx jsonb_string_to_tsvector
4210 to_tsvector 114 3614 sx json_string_to_tsvector
4211 to_tsvector 3734,3802 3614 ix jsonb_string_to_tsvector_byid
4212 to_tsvector 3734,114 3614 ix json_string_to_tsvector_byid
4213 jsonb_to_tsvector 3802,3802 3614 sx jsonb_to_tsvector
4214 jsonb_to_tsvector 3734,3802,3802 3614 ix jsonb_to_tsvector_byid
4215 json_to_tsvector 114,3802 3614 sx json_to_tsvector
4216 json_to_tsvector 3734,114,3802 3614 ix json_to_tsvector_byid
5001 phraseto_tsquery 25 3615 sx phraseto_tsquery
5003 tsquery_phrase 3615,3615 3615 ix tsquery_phrase
5004 tsquery_phrase 3615,3615,23 3615 ix tsquery_phrase_distance
5006 phraseto_tsquery 3734,25 3615 ix phraseto_tsquery_byid
5007 websearch_to_tsquery 3734,25 3615 ix websearch_to_tsquery_byid
5009 websearch_to_tsquery 25 3615 sx websearch_to_tsquery
6183 ts_debug 3734,25 2249 sxr ts_debug_byid n=config,document c=alias:25,description:25,token:25,dictionaries:3770,dictionary:3769,lexemes:1009
6184 ts_debug 25 2249 sxr ts_debug n=document c=alias:25,description:25,token:25,dictionaries:3770,dictionary:3769,lexemes:1009
`;

export const textSearchOperatorFacts = `
3682 !! 0 3615 3615 3671 - - -
3680 && 3615 3615 3615 3669 - - -
3627 < 3614 3614 16 3616 > >= -
3674 < 3615 3615 16 3662 > >= -
5005 <-> 3615 3615 3615 5003 - - -
3628 <= 3614 3614 16 3617 >= > -
3675 <= 3615 3615 16 3663 >= > -
3630 <> 3614 3614 16 3619 <> = <>
3677 <> 3615 3615 16 3665 <> = <>
3694 <@ 3615 3615 16 3692 @> - -
3629 = 3614 3614 16 3618 = <> =
3676 = 3615 3615 16 3664 = <> =
3632 > 3614 3614 16 3621 < <= -
3679 > 3615 3615 16 3667 < <= -
3631 >= 3614 3614 16 3620 <= < -
3678 >= 3615 3615 16 3666 <= < -
3693 @> 3615 3615 16 3691 <@ - -
3636 @@ 3614 3615 16 3634 @@ - -
3637 @@ 3615 3614 16 3635 @@ - -
3762 @@ 25 25 16 3760 - - -
3763 @@ 25 3615 16 3761 - - -
3660 @@@ 3614 3615 16 3634 @@@ - -
3661 @@@ 3615 3614 16 3635 @@@ - -
3633 || 3614 3614 3614 3625 - - -
3681 || 3615 3615 3615 3670 - - -
`;
