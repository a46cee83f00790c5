// SPDX-License-Identifier: GPL-2.0-or-later

internal import Glibc

/// A request of /dev/cmatest that failed.
public struct DeviceFailure: Error, Equatable, Sendable {
  /// The request in words, as `allocate 512 pages of order 9`.
  public var request: String
  /// A value of errno(3).
  public var code: CInt
  /// Why there was no block, and who was in the way; nil where nothing tells.
  public var obstacle: String?

  public init(_ request: String, _ code: CInt) {
    self.request = request
    self.code = code
  }

  /// The area is too small, too full or too fragmented, or pages in it could not be moved.
  public var isOutOfMemory: Bool { code == ENOMEM }
  /// The module's own limit of pages, not the kernel's.
  public var isPageLimit: Bool { code == ENOSPC }
  /// The module's own limit of blocks.
  public var isHandleLimit: Bool { code == EMFILE }
  /// The kernel has no memory for what the module itself needs.
  public var isOfKernelMemory: Bool { code == ENOBUFS }
  /// There is no such handle or area.
  public var isUnknown: Bool { code == ENOENT }
  /// The area or the kernel has no way to do what was asked.
  public var isNotSupported: Bool { code == EOPNOTSUPP }
  /// The loaded module does not know the request.
  public var isNoSuchRequest: Bool { code == ENOTTY }
  /// write(2) refused for the sake of the file or its disk.
  var isOfFile: Bool { [ENOSPC, EDQUOT, EFBIG, EROFS, EPERM, ENOBUFS].contains(code) }
  /// The module itself found the request senseless.
  public var isInvalid: Bool { code == EINVAL }

  /// The request and the reason in one line.
  public var message: String {
    "cannot \(request): \(reason)" + (obstacle.map { ": \($0)" } ?? "")
  }

  /// The reason in words.
  var reason: String {
    // Not the words of errno(3), which are about sockets.
    code == ENOBUFS
      ? "the kernel has no memory for what the module asks for" : String(cString: strerror(code))
  }
}
