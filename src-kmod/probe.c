// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the allocator must refuse.
 *
 * These are the wrong calls that it checks for and survives. It does not check
 * for pages that are released twice, or that end behind an area.
 */
#include "cmatest.h"

#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/mm.h>

static int offer_foreign_page(struct cma *cma, struct cmatest_probe *probe)
{
	/* GFP_KERNEL memory cannot be moved, so it is never from an area. */
	struct page *page = alloc_page(GFP_KERNEL);
	bool refused;

	if (!page)
		return -ENOBUFS;

	probe->pfn = page_to_pfn(page);
	refused = !cmatest_cma_offer(cma, page, 1, &probe->ns);
	/* Otherwise the allocator has freed it. */
	if (refused)
		__free_page(page);
	probe->refused = refused;
	return 0;
}

static int ask_for_no_pages(struct cma *cma, struct cmatest_probe *probe)
{
	struct cmatest_pages pages;
	u64 ns;

	probe->refused = cmatest_cma_alloc(cma, 0, 0, true, &pages) != 0;
	probe->ns = pages.alloc_ns;
	if (!probe->refused) {
		probe->pfn = page_to_pfn(pages.first);
		cmatest_cma_release(&pages, &ns);
	}
	return 0;
}

/**
 * cmatest_probe_run() - CMATEST_IOC_PROBE
 * @file: the open file
 * @arg: the argument
 *
 * Return: 0 or an error, see struct cmatest_probe.
 */
int cmatest_probe_run(struct cmatest_file *file, union cmatest_arg *arg)
{
	struct cmatest_probe *probe = &arg->probe;
	struct cma *cma = cmatest_area_get(probe->area);

	if (!cma)
		return -ENOENT;

	probe->pfn = 0;
	switch (probe->kind) {
	case CMATEST_PROBE_FOREIGN_PAGE:
		return offer_foreign_page(cma, probe);
	case CMATEST_PROBE_NO_PAGES:
		return ask_for_no_pages(cma, probe);
	default:
		return -EINVAL;
	}
}
