// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestReport
internal import CMATestSystem
internal import Glibc

extension Terminal {
  /// The present size; nil where the terminal does not tell, as a serial line.
  var screen: Screen? {
    var size = winsize()
    guard let stream, ioctl(stream.rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_row > 0,
      size.ws_col > 0
    else { return nil }
    return Screen(rows: Int(size.ws_row), columns: Int(size.ws_col))
  }
}
