/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CMA_TEST_CVERSION_H
#define CMA_TEST_CVERSION_H

/* The version in debian/changelog when this was built; Package.swift hands it in. */
const char *cma_test_version(void);

#endif
