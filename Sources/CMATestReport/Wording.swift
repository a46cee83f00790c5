// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// Writes nanoseconds as seconds with three decimals, rounded down, as `1.250`.
package func seconds(_ nanoseconds: UInt64) -> String {
  let milliseconds = "\(nanoseconds / 1_000_000 % 1000)"
  let padding = String(repeating: "0", count: 3 - milliseconds.utf8.count)
  return "\(nanoseconds / 1_000_000_000).\(padding)\(milliseconds)"
}

/// Writes a share of something in percent with one decimal: what is not none is never `0.0 %`, and what is not
/// all never `100.0 %`.
func percent(_ part: UInt64, of all: UInt64) -> String {
  guard all > 0 else { return "" }
  let tenths = (part.clampedProduct(1000).clampedSum(all / 2)) / all
  if part > 0, tenths == 0 { return "<0.1 %" }
  let shown = part < all ? min(tenths, 999) : tenths
  return "\(shown / 10).\(shown % 10) %"
}

/// Writes a share of something in percent with three decimals: what is not none is never `0.000 %`, and what is
/// not all never `100.000 %`.
func exactPercent(_ part: UInt64, of all: UInt64) -> String {
  guard all > 0 else { return "" }
  return exactPercent(Double(part) / Double(all))
}

/// The same of a share of 1.
func exactPercent(_ share: Double) -> String {
  if share > 0, share < 0.000_01 { return "<0.001 %" }
  if share < 1, share > 0.999_99 { return ">99.999 %" }
  return fixed(share * 100, 3) + " %"
}

/// Writes how many there are of something, as `1 page` and `2 pages`.
func counted(_ count: UInt64, _ word: String, _ one: String, _ many: String) -> String {
  "\(count) \(word)\(count == 1 ? one : many)"
}

/// Appends blanks to a text, up to a width.
package func padded(_ text: String, _ width: Int) -> String {
  text + String(repeating: " ", count: max(0, width - text.count))
}

/// Replaces the newlines of a text with blanks, for reports that are read line by line.
package func oneLine(_ text: String) -> String {
  String(text.map { $0.isNewline ? " " : $0 })
}

/// Writes a text on one line, with the escapes of C for characters that cannot be printed: the names of
/// some areas end with a newline.
package func printable(_ text: String) -> String {
  var result = ""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\t": result += "\\t"
    case "\u{0}"..<" ", "\u{7F}"..<"\u{A0}", "\u{2028}", "\u{2029}", "\u{200E}", "\u{200F}",
      "\u{202A}"..."\u{202E}", "\u{2066}"..."\u{2069}":
      let digits = String(scalar.value, radix: 16)
      result += "\\x\(digits)"
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result
}

extension RunResult {
  /// The numbers of cases by their outcome, in one line.
  var tally: String {
    var words = [
      "\(cases.count) case\(cases.count == 1 ? "" : "s")", "\(passed) passed", "\(failed) failed",
    ]
    if skipped > 0 { words.append("\(skipped) skipped") }
    if notRun > 0 { words.append("\(notRun) not run") }
    return words.joined(separator: ", ")
  }

  /// Says that the run is not whole; nil for a whole run.
  var partial: String? {
    endedBy.map {
      "ended by \($0): this is a part of the run, \(notRun) case\(notRun == 1 ? " was" : "s were") not run"
    }
  }
}
