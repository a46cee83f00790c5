/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "CVersion.h"

const char *cma_test_version(void)
{
	return CMA_TEST_VERSION;
}
