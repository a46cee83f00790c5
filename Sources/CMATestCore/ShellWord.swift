// SPDX-License-Identifier: GPL-2.0-or-later

/// Returns a text as one word of a shell's command line, for commands that are printed to be typed.
///
/// - Parameter text: as a path.
/// - Returns: the text itself, or in single quotes where a shell would take it for more than a word.
public func shellWord(_ text: String) -> String {
  let isPlain = text.utf8.allSatisfy { byte in
    switch byte {
    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), 0x80...:
      true
    default: "/._-+:=@%,".utf8.contains(byte)
    }
  }
  return isPlain && !text.isEmpty ? text : "'" + text.replacing("'", with: "'\\''") + "'"
}
