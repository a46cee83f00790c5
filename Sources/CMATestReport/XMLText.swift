// SPDX-License-Identifier: GPL-2.0-or-later

/// Text for an attribute or an element of XML 1.0, or of HTML, which have no way to write most control
/// characters, and none for what is no character: a question mark stands for each, and for what turns the
/// direction of all that follows.
func xmlText(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "\n", "\t": result.unicodeScalars.append(scalar)
    case "\u{0}"..<"\u{20}", "\u{7F}"..<"\u{A0}": result += "?"
    case "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}": result += "?"
    case _ where isNoCharacter(scalar): result += "?"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// Whether a scalar is one of Unicode's noncharacters: the last two of each plane, and 32 others.
private func isNoCharacter(_ scalar: Unicode.Scalar) -> Bool {
  scalar.value & 0xFFFE == 0xFFFE || (0xFDD0...0xFDEF).contains(scalar.value)
}
