// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice

extension BenchSettings {
  /// Reads a profile: lines of the form `name = value`, with the names of the options, and comments from
  /// a `#` on. `load` may come more than once. `published = SIZE SHORTEST LONGEST MEAN` gives the times,
  /// in µs, that others published of one size.
  ///
  /// - Parameters:
  ///   - text: the text of the file.
  ///   - name: the name of the profile.
  /// - Throws: the number of the line, and what is wrong there.
  package mutating func read(profile text: String, name: String) throws(SettingFailure) {
    profile = name
    var hasLoads = false
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    for (number, line) in lines.enumerated() {
      let meant = Self.trimmed(line.prefix { $0 != "#" })
      if meant.isEmpty { continue }
      do throws(SettingFailure) {
        guard let equals = meant.firstIndex(of: "=") else {
          throw SettingFailure("'\(meant)' is not of the form name = value")
        }
        let key = Self.trimmed(meant[..<equals])
        let value = Self.trimmed(meant[meant.index(after: equals)...])
        switch key {
        case "load":
          let load = try Self.load(value)
          loads = hasLoads ? loads + [load] : [load]
          hasLoads = true
        case "published": references.append(try Self.reference(value))
        default: try set(key, to: value)
        }
      } catch {
        throw SettingFailure("profile \(name), line \(number + 1): \(error.message)")
      }
    }
  }

  private static func reference(_ text: String) throws(SettingFailure) -> BenchReference {
    let words = text.split(separator: " ")
    let times = words.dropFirst().compactMap { UInt64($0) }
    guard times.count == 3, words.count == 4, let size = BlockSize(parsing: String(words[0])),
      times.allSatisfy({ $0 < 1 << 50 })
    else { throw SettingFailure("published takes a size and three times in µs, not '\(text)'") }
    return BenchReference(
      size: size, shortest: times[0] * 1000, longest: times[1] * 1000, mean: times[2] * 1000)
  }

  private static func trimmed(_ text: Substring) -> String {
    let isSpace = { (character: Character) in character == " " || character == "\t" }
    return String(String(text.drop(while: isSpace).reversed()).drop(while: isSpace).reversed())
  }
}
