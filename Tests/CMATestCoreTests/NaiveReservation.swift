// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore

/// `early_cma()` and `memparse()` said in the plainest way: what the parser is held against.
///
/// - Parameter text: what follows `cma=`.
/// - Returns: what the kernel makes of it, and whether all of it was a number where one must be.
func naiveRequest(_ text: String) -> (request: CMARequest, isClean: Bool) {
  var request = CMARequest()
  var isClean = true
  var rest = Substring(text)
  func number() -> UInt64 {
    var digits = "0123456789"
    if rest.hasPrefix("0") {
      digits = "01234567"
      let hexadecimal = "0123456789abcdefABCDEF"
      let afterX = rest.dropFirst(2)
      if rest.dropFirst().lowercased().hasPrefix("x"), let next = afterX.first,
        hexadecimal.contains(next)
      {
        digits = hexadecimal
        rest = afterX
      }
    }
    let found = rest.prefix { digits.contains($0) }
    rest = rest.dropFirst(found.count)
    if found.isEmpty { isClean = false }
    let radix = digits.count == 22 ? 16 : digits.count
    let value = found.isEmpty ? 0 : UInt64(found, radix: radix)
    guard !found.isEmpty, let letter = rest.first?.lowercased(),
      let power = ["k", "m", "g", "t", "p", "e"].firstIndex(of: letter)
    else {
      if value == nil { isClean = false }
      return value ?? .max
    }
    rest = rest.dropFirst()
    var shifted = value
    for _ in 0...power {
      shifted = shifted.flatMap {
        let (product, overflows) = $0.multipliedReportingOverflow(by: 1024)
        return overflows ? nil : product
      }
    }
    if shifted == nil { isClean = false }
    return shifted ?? .max
  }
  request.size = number()
  if rest.hasPrefix("@") {
    rest = rest.dropFirst()
    request.base = number()
    request.limit = request.base &+ request.size
    if rest.hasPrefix("-") {
      rest = rest.dropFirst()
      request.limit = number()
    }
  }
  return (request, isClean && rest.isEmpty)
}
