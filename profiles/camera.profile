# SPDX-License-Identifier: GPL-2.0-or-later
# A camera that takes 30 pictures a second into three buffers of 12 MiB, beside page cache: whether each
# buffer is there in time is told by the times since the intended start.
size = 12M
hold = 2
every = 33ms
count = 100
rounds = 9
warm-up = 3
load = cache
