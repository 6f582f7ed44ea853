/** PostgreSQL 15's pg_proc and pg_operator: the geometric types. The forms of the lines are told in definitions.ts. */
export const geometricFacts = `
115 box_above_eq 603,603 16 ix box_above_eq
116 box_below_eq 603,603 16 ix box_below_eq
125 box_overlap 603,603 16 ix box_overlap
126 box_ge 603,603 16 ix box_ge
127 box_gt 603,603 16 ix box_gt
128 box_eq 603,603 16 ix box_eq
129 box_lt 603,603 16 ix box_lt
130 box_le 603,603 16 ix box_le
131 point_above 600,600 16 ix point_above
132 point_left 600,600 16 ix point_left
133 point_right 600,600 16 ix point_right
134 point_below 600,600 16 ix point_below
135 point_eq 600,600 16 ix point_eq
136 on_pb 600,603 16 ix on_pb
137 on_ppath 600,602 16 ix on_ppath
138 box_center 603 600 ix box_center
186 box_same 603,603 16 ix box_same
187 box_contain 603,603 16 ix box_contain
188 box_left 603,603 16 ix box_left
189 box_overleft 603,603 16 ix box_overleft
190 box_overright 603,603 16 ix box_overright
191 box_right 603,603 16 ix box_right
192 box_contained 603,603 16 ix box_contained
193 box_contain_pt 603,600 16 ix box_contain_pt
225 lseg_center 601 600 ix lseg_center
227 poly_center 604 600 ix poly_center
239 line_distance 628,628 701 ix line_distance
277 inter_sl 601,628 16 ix inter_sl
278 inter_lb 628,603 16 ix inter_lb
339 poly_same 604,604 16 ix poly_same
340 poly_contain 604,604 16 ix poly_contain
341 poly_left 604,604 16 ix poly_left
342 poly_overleft 604,604 16 ix poly_overleft
343 poly_overright 604,604 16 ix poly_overright
344 poly_right 604,604 16 ix poly_right
345 poly_contained 604,604 16 ix poly_contained
346 poly_overlap 604,604 16 ix poly_overlap
357 dist_bp 603,600 701 ix dist_bp
361 lseg_distance 601,601 701 ix lseg_distance
362 lseg_interpt 601,601 600 ix lseg_interpt
363 dist_ps 600,601 701 ix dist_ps
364 dist_pb 600,603 701 ix dist_pb
365 dist_sb 601,603 701 ix dist_sb
366 close_ps 600,601 600 ix close_ps
367 close_pb 600,603 600 ix close_pb
368 close_sb 601,603 600 ix close_sb
369 on_ps 600,601 16 ix on_ps
370 path_distance 602,602 701 ix path_distance
371 dist_ppath 600,602 701 ix dist_ppath
372 on_sb 601,603 16 ix on_sb
373 inter_sb 601,603 16 ix inter_sb
380 dist_sp 601,600 701 ix dist_sp
381 dist_bs 603,601 701 ix dist_bs
421 dist_pathp 602,600 701 ix dist_pathp
702 dist_lp 628,600 701 ix dist_lp
704 dist_ls 628,601 701 ix dist_ls
725 dist_pl 600,628 701 ix dist_pl
727 dist_sl 601,628 701 ix dist_sl
728 dist_cpoly 718,604 701 ix dist_cpoly
729 poly_distance 604,604 701 ix poly_distance
785 dist_polyc 604,718 701 ix dist_polyc
959 on_pl 600,628 16 ix on_pl
960 on_sl 601,628 16 ix on_sl
961 close_pl 600,628 600 ix close_pl
973 path_inter 602,602 16 ix path_inter
975 area 603 701 ix box_area
976 width 603 701 ix box_width
977 height 603 701 ix box_height
978 box_distance 603,603 701 ix box_distance
979 area 602 701 ix path_area
980 box_intersect 603,603 603 ix box_intersect
981 diagonal 603 601 ix box_diagonal
982 path_n_lt 602,602 16 ix path_n_lt
983 path_n_gt 602,602 16 ix path_n_gt
984 path_n_eq 602,602 16 ix path_n_eq
985 path_n_le 602,602 16 ix path_n_le
986 path_n_ge 602,602 16 ix path_n_ge
987 path_length 602 701 ix path_length
988 point_ne 600,600 16 ix point_ne
989 point_vert 600,600 16 ix point_vert
990 point_horiz 600,600 16 ix point_horiz
991 point_distance 600,600 701 ix point_distance
992 slope 600,600 701 ix point_slope
993 lseg 600,600 601 ix lseg_construct
994 lseg_intersect 601,601 16 ix lseg_intersect
995 lseg_parallel 601,601 16 ix lseg_parallel
996 lseg_perp 601,601 16 ix lseg_perp
997 lseg_vertical 601 16 ix lseg_vertical
998 lseg_horizontal 601 16 ix lseg_horizontal
999 lseg_eq 601,601 16 ix lseg_eq
1146 circle_add_pt 718,600 718 ix circle_add_pt
1147 circle_sub_pt 718,600 718 ix circle_sub_pt
1148 circle_mul_pt 718,600 718 ix circle_mul_pt
1149 circle_div_pt 718,600 718 ix circle_div_pt
1406 isvertical 600,600 16 ix point_vert
1407 ishorizontal 600,600 16 ix point_horiz
1408 isparallel 601,601 16 ix lseg_parallel
1409 isperp 601,601 16 ix lseg_perp
1410 isvertical 601 16 ix lseg_vertical
1411 ishorizontal 601 16 ix lseg_horizontal
1412 isparallel 628,628 16 ix line_parallel
1413 isperp 628,628 16 ix line_perp
1414 isvertical 628 16 ix line_vertical
1415 ishorizontal 628 16 ix line_horizontal
1416 point 718 600 ix circle_center
1421 box 600,600 603 ix points_box
1422 box_add 603,600 603 ix box_add
1423 box_sub 603,600 603 ix box_sub
1424 box_mul 603,600 603 ix box_mul
1425 box_div 603,600 603 ix box_div
1426 path_contain_pt 602,600 16 ix path_contain_pt
1428 poly_contain_pt 604,600 16 ix poly_contain_pt
1429 pt_contained_poly 600,604 16 ix pt_contained_poly
1430 isclosed 602 16 ix path_isclosed
1431 isopen 602 16 ix path_isopen
1432 path_npoints 602 23 ix path_npoints
1433 pclose 602 602 ix path_close
1434 popen 602 602 ix path_open
1435 path_add 602,602 602 ix path_add
1436 path_add_pt 602,600 602 ix path_add_pt
1437 path_sub_pt 602,600 602 ix path_sub_pt
1438 path_mul_pt 602,600 602 ix path_mul_pt
1439 path_div_pt 602,600 602 ix path_div_pt
1440 point 701,701 600 ix construct_point
1441 point_add 600,600 600 ix point_add
1442 point_sub 600,600 600 ix point_sub
1443 point_mul 600,600 600 ix point_mul
1444 point_div 600,600 600 ix point_div
1445 poly_npoints 604 23 ix poly_npoints
1446 box 604 603 ix poly_box
1447 path 604 602 ix poly_path
1448 polygon 603 604 ix box_poly
1449 polygon 602 604 ix path_poly
1452 circle_same 718,718 16 ix circle_same
1453 circle_contain 718,718 16 ix circle_contain
1454 circle_left 718,718 16 ix circle_left
1455 circle_overleft 718,718 16 ix circle_overleft
1456 circle_overright 718,718 16 ix circle_overright
1457 circle_right 718,718 16 ix circle_right
1458 circle_contained 718,718 16 ix circle_contained
1459 circle_overlap 718,718 16 ix circle_overlap
1460 circle_below 718,718 16 ix circle_below
1461 circle_above 718,718 16 ix circle_above
1462 circle_eq 718,718 16 ix circle_eq
1463 circle_ne 718,718 16 ix circle_ne
1464 circle_lt 718,718 16 ix circle_lt
1465 circle_gt 718,718 16 ix circle_gt
1466 circle_le 718,718 16 ix circle_le
1467 circle_ge 718,718 16 ix circle_ge
1468 area 718 701 ix circle_area
1469 diameter 718 701 ix circle_diameter
1470 radius 718 701 ix circle_radius
1471 circle_distance 718,718 701 ix circle_distance
1472 circle_center 718 600 ix circle_center
1473 circle 600,701 718 ix cr_circle
1474 circle 604 718 ix poly_circle
1475 polygon 23,718 604 ix circle_poly
1476 dist_pc 600,718 701 ix dist_pc
1477 circle_contain_pt 718,600 16 ix circle_contain_pt
1478 pt_contained_circle 600,718 16 ix pt_contained_circle
1479 circle 603 718 ix box_circle
1480 box 718 603 ix circle_box
1482 lseg_ne 601,601 16 ix lseg_ne
1483 lseg_lt 601,601 16 ix lseg_lt
1484 lseg_le 601,601 16 ix lseg_le
1485 lseg_gt 601,601 16 ix lseg_gt
1486 lseg_ge 601,601 16 ix lseg_ge
1487 lseg_length 601 701 ix lseg_length
1488 close_ls 628,601 600 ix close_ls
1489 close_lseg 601,601 600 ix close_lseg
1492 line_eq 628,628 16 ix line_eq
1493 line 600,600 628 ix line_construct_pp
1494 line_interpt 628,628 600 ix line_interpt
1495 line_intersect 628,628 16 ix line_intersect
1496 line_parallel 628,628 16 ix line_parallel
1497 line_perp 628,628 16 ix line_perp
1498 line_vertical 628 16 ix line_vertical
1499 line_horizontal 628 16 ix line_horizontal
1530 length 601 701 ix lseg_length
1531 length 602 701 ix path_length
1532 point 601 600 ix lseg_center
1534 point 603 600 ix box_center
1540 point 604 600 ix poly_center
1541 lseg 603 601 ix box_diagonal
1542 center 603 600 ix box_center
1543 center 718 600 ix circle_center
1544 polygon 718 604 ix circle_polygon
1545 npoints 602 23 ix path_npoints
1556 npoints 604 23 ix poly_npoints
2562 box_below 603,603 16 ix box_below
2563 box_overbelow 603,603 16 ix box_overbelow
2564 box_overabove 603,603 16 ix box_overabove
2565 box_above 603,603 16 ix box_above
2566 poly_below 604,604 16 ix poly_below
2567 poly_overbelow 604,604 16 ix poly_overbelow
2568 poly_overabove 604,604 16 ix poly_overabove
2569 poly_above 604,604 16 ix poly_above
2587 circle_overbelow 718,718 16 ix circle_overbelow
2588 circle_overabove 718,718 16 ix circle_overabove
3275 dist_ppoly 600,604 701 ix dist_ppoly
3290 dist_cpoint 718,600 701 ix dist_cpoint
3292 dist_polyp 604,600 701 ix dist_polyp
4067 bound_box 603,603 603 ix boxes_bound_box
4091 box 600 603 ix point_box
`;

/** Operators. None has a role: figures that are equal within a tolerance can neither be hashed nor sorted. */
export const geometricOperatorFacts = `
797 # 0 602 23 1432 - - -
803 # 603 603 603 980 - - -
1521 # 0 604 23 1445 - - -
1536 # 601 601 600 362 # - -
1617 # 628 628 600 1494 # - -
1557 ## 600 628 600 961 - - -
1558 ## 600 601 600 366 - - -
1559 ## 600 603 600 367 - - -
1567 ## 601 603 600 368 - - -
1577 ## 628 601 600 1488 - - -
1578 ## 601 601 600 1489 - - -
492 && 604 604 16 346 && - -
500 && 603 603 16 125 && - -
1513 && 718 718 16 1459 && - -
486 &< 604 604 16 342 - - -
494 &< 603 603 16 189 - - -
1507 &< 718 718 16 1455 - - -
2571 &<| 603 603 16 2563 - - -
2575 &<| 604 604 16 2567 - - -
2589 &<| 718 718 16 2587 - - -
487 &> 604 604 16 343 - - -
495 &> 603 603 16 190 - - -
1508 &> 718 718 16 1456 - - -
733 * 600 600 600 1443 * - -
738 * 602 600 602 1438 - - -
806 * 603 600 603 1424 - - -
1518 * 718 600 718 1148 - - -
731 + 600 600 600 1441 + - -
735 + 602 602 602 1435 + - -
736 + 602 600 602 1436 - - -
804 + 603 600 603 1422 - - -
1516 + 718 600 718 1146 - - -
732 - 600 600 600 1442 - - -
737 - 602 600 602 1437 - - -
805 - 603 600 603 1423 - - -
1517 - 718 600 718 1147 - - -
734 / 600 600 600 1444 - - -
739 / 602 600 602 1439 - - -
807 / 603 600 603 1425 - - -
1519 / 718 600 718 1149 - - -
504 < 603 603 16 129 > >= -
793 < 602 602 16 982 > - -
1502 < 718 718 16 1464 > >= -
1587 < 601 601 16 1483 > >= -
517 <-> 600 600 701 991 <-> - -
606 <-> 603 600 701 357 <-> - -
613 <-> 600 628 701 725 <-> - -
614 <-> 600 601 701 363 <-> - -
615 <-> 600 603 701 364 <-> - -
616 <-> 601 628 701 727 <-> - -
617 <-> 601 603 701 365 <-> - -
618 <-> 600 602 701 371 <-> - -
706 <-> 603 603 701 978 <-> - -
707 <-> 602 602 701 370 <-> - -
708 <-> 628 628 701 239 <-> - -
709 <-> 601 601 701 361 <-> - -
712 <-> 604 604 701 729 <-> - -
760 <-> 628 600 701 702 <-> - -
761 <-> 601 600 701 380 <-> - -
762 <-> 628 601 701 704 <-> - -
763 <-> 603 601 701 381 <-> - -
784 <-> 602 600 701 421 <-> - -
1383 <-> 604 718 701 785 <-> - -
1520 <-> 718 718 701 1471 <-> - -
1522 <-> 600 718 701 1476 <-> - -
1523 <-> 718 604 701 728 <-> - -
3276 <-> 600 604 701 3275 <-> - -
3289 <-> 604 600 701 3292 <-> - -
3291 <-> 718 600 701 3290 <-> - -
485 << 604 604 16 341 - - -
493 << 603 603 16 188 - - -
507 << 600 600 16 132 - - -
1506 << 718 718 16 1454 - - -
1515 <<| 718 718 16 1460 - - -
2570 <<| 603 603 16 2562 - - -
2574 <<| 604 604 16 2566 - - -
4162 <<| 600 600 16 134 - - -
505 <= 603 603 16 130 >= > -
795 <= 602 602 16 985 >= - -
1504 <= 718 718 16 1466 >= > -
1588 <= 601 601 16 1484 >= > -
713 <> 600 600 16 988 <> ~= -
1501 <> 718 718 16 1463 <> = -
1586 <> 601 601 16 1482 <> = -
489 <@ 604 604 16 345 @> - -
497 <@ 603 603 16 192 @> - -
511 <@ 600 603 16 136 @> - -
512 <@ 600 602 16 137 @> - -
756 <@ 600 604 16 1429 @> - -
758 <@ 600 718 16 1478 @> - -
1510 <@ 718 718 16 1458 @> - -
1546 <@ 600 628 16 959 - - -
1547 <@ 600 601 16 369 - - -
1548 <@ 601 628 16 960 - - -
1549 <@ 601 603 16 372 - - -
509 <^ 600 600 16 134 - - -
801 <^ 603 603 16 116 - - -
503 = 603 603 16 128 = - -
792 = 602 602 16 984 = - -
1500 = 718 718 16 1462 = <> -
1535 = 601 601 16 999 = <> -
1616 = 628 628 16 1492 = - -
502 > 603 603 16 127 < <= -
794 > 602 602 16 983 < - -
1503 > 718 718 16 1465 < <= -
1589 > 601 601 16 1485 < <= -
501 >= 603 603 16 126 <= < -
796 >= 602 602 16 986 <= - -
1505 >= 718 718 16 1467 <= < -
1590 >= 601 601 16 1486 <= < -
488 >> 604 604 16 344 - - -
496 >> 603 603 16 191 - - -
508 >> 600 600 16 133 - - -
1509 >> 718 718 16 1457 - - -
506 >^ 600 600 16 131 - - -
800 >^ 603 603 16 115 - - -
798 ?# 602 602 16 973 - - -
802 ?# 603 603 16 125 - - -
1525 ?# 601 601 16 994 ?# - -
1537 ?# 601 628 16 277 - - -
1538 ?# 601 603 16 373 - - -
1539 ?# 628 603 16 278 - - -
1611 ?# 628 628 16 1495 ?# - -
808 ?- 600 600 16 990 ?- - -
1528 ?- 0 601 16 998 - - -
1614 ?- 0 628 16 1499 - - -
1527 ?-| 601 601 16 996 ?-| - -
1613 ?-| 628 628 16 1497 ?-| - -
809 ?| 600 600 16 989 ?| - -
1529 ?| 0 601 16 997 - - -
1615 ?| 0 628 16 1498 - - -
1526 ?|| 601 601 16 995 ?|| - -
1612 ?|| 628 628 16 1496 ?|| - -
799 @-@ 0 602 701 987 - - -
1591 @-@ 0 601 701 1487 - - -
433 @> 603 600 16 193 <@ - -
490 @> 604 604 16 340 <@ - -
498 @> 603 603 16 187 <@ - -
755 @> 602 600 16 1426 <@ - -
757 @> 604 600 16 1428 <@ - -
759 @> 718 600 16 1477 <@ - -
1511 @> 718 718 16 1453 <@ - -
513 @@ 0 603 600 138 - - -
969 @@ 0 601 600 225 - - -
971 @@ 0 604 600 227 - - -
1420 @@ 0 718 600 1472 - - -
2572 |&> 603 603 16 2564 - - -
2576 |&> 604 604 16 2568 - - -
2590 |&> 718 718 16 2588 - - -
1514 |>> 718 718 16 1461 - - -
2573 |>> 603 603 16 2565 - - -
2577 |>> 604 604 16 2569 - - -
4161 |>> 600 600 16 131 - - -
491 ~= 604 604 16 339 ~= - -
499 ~= 603 603 16 186 ~= - -
510 ~= 600 600 16 135 ~= <> -
1512 ~= 718 718 16 1452 ~= - -
`;
