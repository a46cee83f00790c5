// SPDX-License-Identifier: GPL-2.0-or-later

/// The names of machines' pages: each is a file's name and a part of an address as it stands.
struct PageNames {
  private var taken: Set<String> = []

  private static let longest = 100

  /// The name of a machine's page, which no other machine has, on a file system that knows no capitals either.
  mutating func name(for machine: String) -> String {
    var name = ""
    for scalar in machine.unicodeScalars.prefix(Self.longest) {
      switch scalar {
      case "a"..."z", "A"..."Z", "0"..."9", "-", "_": name.unicodeScalars.append(scalar)
      case "." where !name.isEmpty: name += "."
      default: name += "_"
      }
    }
    if name.isEmpty { name = "_" }
    var found = name
    var number = 2
    while !taken.insert(found.lowercased()).inserted {
      found = "\(name)-\(number)"
      number += 1
    }
    return found + ".html"
  }
}
