// SPDX-License-Identifier: GPL-2.0-or-later
// What any Swift program costs to start: linked like the boot helper, it does nothing.
