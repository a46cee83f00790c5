// SPDX-License-Identifier: GPL-2.0-or-later

/// Text for an attribute or an element of XML 1.0, which has no way to write most control characters:
/// a question mark stands for each.
func xmlText(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "&": result += "&amp;"
    case "<": result += "&lt;"
    case ">": result += "&gt;"
    case "\"": result += "&quot;"
    case "\n", "\t": result.unicodeScalars.append(scalar)
    case "\u{0}"..<"\u{20}", "\u{FFFE}", "\u{FFFF}": result += "?"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}
