# SPDX-License-Identifier: GPL-2.0-or-later
# A first look within about a minute: three sizes of block, in three rounds.
size = 1p,16p,256p
count = 40
rounds = 3
warm-up = 4
