// SPDX-License-Identifier: GPL-2.0-or-later

/// Returns whether a file of modprobe.d(5), or the kernel command line, may say anything about a
/// module. A text that has the module's name nowhere, not even in a comment, cannot.
///
/// - Parameters:
///   - module: its name, without `-` or `_`, which modprobe takes for each other.
///   - text: the file; a backslash and the newline after it, which continue a line, are left out.
/// - Returns: true where the text may; libkmod tells what the text says.
public func mayMention(_ module: String, in text: [UInt8]) -> Bool {
  let backslash = UInt8(ascii: "\\")
  let name = Array(module.utf8)
  return text.withUnsafeBufferPointer { text in
    text.indices.contains { start in
      guard text[start] == name[0] else { return false }
      var matched = 1
      var next = start + 1
      while matched < name.count, next < text.count {
        if text[next] == name[matched] {
          matched += 1
          next += 1
        } else if text[next] == backslash, next + 1 < text.count, text[next + 1] == .newline {
          next += 2
        } else {
          return false
        }
      }
      return matched == name.count
    }
  }
}
