# SPDX-License-Identifier: GPL-2.0-or-later
# Draws how long allocations and releases take by the size of the block, a point for each round:
#
#   cma-test bench --size 1p,16p,256p,4096p --output result.json
#   cma-test report result.json --format csv >result.csv
#   gnuplot -e "from='result.csv'; to='sizes.svg'" sizes.gnuplot
#
# 'cma-test report --format gnuplot' makes a script with all plots, and the data in itself.
if (!exists("from")) from = "result.csv"
if (!exists("to")) to = "sizes.svg"
set terminal svg size 800,500 background "white"
set output to
set datafile separator comma
set logscale xy
set xlabel "pages"
set ylabel "median of a round, µs"
set key left top
set grid
plot from using "pages":(column("alloc_p50_ns") / 1000) with points pt 7 title "allocation", \
  from using "pages":(column("release_p50_ns") / 1000) with points pt 6 title "release"
