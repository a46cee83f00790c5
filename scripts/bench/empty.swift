// SPDX-License-Identifier: GPL-2.0-only
// What any Swift program costs to start: linked like the boot helper, it does nothing.
