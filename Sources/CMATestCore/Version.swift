// SPDX-License-Identifier: GPL-2.0-or-later

internal import CVersion

/// The version of this package: that of debian/changelog when it was built, without
/// Debian's revision, and so the same as that of the module and of its DKMS tree.
public let packageVersion = String(cString: cma_test_version())
