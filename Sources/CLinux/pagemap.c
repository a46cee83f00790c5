// SPDX-License-Identifier: GPL-2.0-or-later
/* The request PAGEMAP_SCAN, which the headers of older systems lack. (include/uapi/linux/fs.h) */
#include <errno.h>
#include <sys/ioctl.h>

#include "CLinux.h"

struct scan_argument {
	unsigned long long size;
	unsigned long long flags;
	unsigned long long start;
	unsigned long long end;
	unsigned long long walk_end;
	unsigned long long regions;
	unsigned long long room;
	unsigned long long max_pages;
	unsigned long long category_inverted;
	unsigned long long category_mask;
	unsigned long long category_anyof_mask;
	unsigned long long return_mask;
};

#define SCAN		_IOWR('f', 16, struct scan_argument)
#define IS_PRESENT	(1ULL << 3)

long cma_test_present_regions(int pagemap, unsigned long long start, unsigned long long end,
			      struct cma_test_region *regions, size_t room,
			      unsigned long long *walked)
{
	struct scan_argument scan = {
		.size = sizeof(scan),
		.start = start,
		.end = end,
		.regions = (unsigned long)regions,
		.room = room,
		.category_mask = IS_PRESENT,
		.return_mask = IS_PRESENT,
	};
	long found = ioctl(pagemap, SCAN, &scan);

	*walked = scan.walk_end;
	return found;
}
