# SPDX-License-Identifier: GPL-2.0-or-later
# The table of the series "Introduce GCMA" (RFC v2, linux-mm, 2014): 32 requests of each size from an
# area of 256 MiB beside a kernel build, on a CuBox-i4Pro. Here page cache that comes and goes, and
# processes that come and go, stand for the build. The shapes of the two tables compare, their values
# do not: the same board had other times in another version of the series.
size = 1p,512p,1024p,2048p,4096p,8192p,16384p,32000p
count = 32
rounds = 1
warm-up = 0
# Time for the load to fill again what was released.
every = 50ms
load = cache+churn
# Size, then the shortest, the longest and the mean time in µs that the series has for CMA.
published = 1p 381 2853 684
published = 512p 818 2382 1162
published = 1024p 3113 184703 12303
published = 2048p 2545 790727 33084
published = 4096p 2899 2768349 298640
published = 8192p 4476 3496211 407076
published = 16384p 7266 4132546 657603
published = 32000p 8612 3910423 641340
