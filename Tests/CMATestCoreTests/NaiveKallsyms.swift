// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import TestSupport

/// The grammar of /proc/kallsyms said in the plainest way, whole text in memory: what the scanner is
/// held against.
func naiveFindings(_ text: [UInt8], names: [String]) -> KallsymsFindings {
  var findings = KallsymsFindings(sightings: names.map { _ in SymbolSighting() })
  for line in text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
    let fields = line.split(
      separator: UInt8(ascii: " "), maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3, (1...16).contains(fields[0].count), fields[1].count == 1,
      !fields[2].isEmpty
    else { continue }
    findings.wellFormedLines += 1
    let rest = fields[2]
    let name = rest.prefix { !" \t\r".utf8.contains($0) }
    let isModules =
      rest.dropFirst(name.count).starts(with: "\t[".utf8)
      || rest.dropFirst(name.count).starts(with: " [".utf8)
    for (index, wanted) in names.enumerated() {
      guard name.elementsEqual(wanted.utf8), !isModules else { continue }
      guard let address = UInt64(String(decoding: fields[0], as: UTF8.self), radix: 16),
        fields[0].first != UInt8(ascii: "+"), fields[0].first != UInt8(ascii: "-")
      else {
        findings.sightings[index].isMalformed = true
        continue
      }
      if findings.sightings[index].count == 0 {
        findings.sightings[index].address = address
        findings.sightings[index].type = fields[1].first ?? 0
      }
      findings.sightings[index].count += 1
    }
  }
  return findings
}

/// The scanner on a text that is cut at the given places.
func scan(_ text: [UInt8], names: [String], cuts: [Int] = []) -> KallsymsFindings {
  var scanner = KallsymsScanner(names: names)
  var start = 0
  for end in cuts + [text.count] {
    text[start..<end].withUnsafeBytes { scanner.scan($0) }
    start = end
  }
  return scanner.finish()
}
