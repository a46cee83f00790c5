// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestBench
import CMATestCore
import Foundation
import TestSupport
import Testing

@Suite struct JSONReaderTests {
  /// Reads any text to its end, as Foundation does with fragments allowed.
  private func isRead(_ text: [UInt8]) -> Bool {
    var reader = JSONReader(text)
    do {
      try reader.skip()
      try reader.end()
      return true
    } catch {
      return false
    }
  }

  @Test(arguments: [
    "{}", "[]", "[1,2]", "{\"a\":1}", " [ 1 , -0 , 0.5 , 1e5 , 1E-5 , 12.25e+3 ] ", "\"\"",
    "\"\\u00e4\\ud83d\\ude00\\n\\/\"", "[true,false,null]", "\"ä\"", "{\"a\":{\"b\":[{}]}}",
  ])
  func readsJSON(_ text: String) {
    #expect(isRead(Array(text.utf8)))
  }

  @Test(arguments: [
    "", "{", "[1,]", "{\"a\"}", "{\"a\":}", "{a:1}", "[1 2]", "01", "-", "+1", ".5", "1.", "1.e5",
    "1e", "0x1", "nul", "tru", "\"", "\"\\x\"", "\"\\u12\"", "\"\\ud800\"", "\"\\ud800\\u0041\"",
    "\"\\udc00\"", "\"\n\"", "[1]]", "{} {}", "NaN", "1e999",
  ])
  func refusesWhatIsNone(_ text: String) {
    #expect(!isRead(Array(text.utf8)))
  }

  @Test func refusesBytesThatAreNoText() {
    #expect(!isRead([0x22, 0xFF, 0x22]))
    #expect(!isRead([0x22, 0xC3, 0x22]))
  }

  @Test func refusesDepthWithoutAnEnd() {
    #expect(
      isRead(Array((String(repeating: "[", count: 60) + String(repeating: "]", count: 60)).utf8)))
    #expect(!isRead([UInt8](repeating: UInt8(ascii: "["), count: 1_000_000)))
  }

  @Test func wholeNumbersAreExact() throws {
    var reader = JSONReader(Array("[0, 18446744073709551615]".utf8))
    var numbers: [UInt64] = []
    try reader.array { (reader) throws(JSONReadFailure) in numbers.append(try reader.unsigned()) }
    #expect(numbers == [0, .max])
    for text in ["18446744073709551616", "-1", "1.0", "1e3", "", "x", "007"] {
      var reader = JSONReader(Array(text.utf8))
      #expect(throws: JSONReadFailure.self, "\(text)") { try reader.unsigned() }
    }
  }

  @Test func aFailureSaysWhere() {
    var reader = JSONReader(Array("{\"a\": [1, x]}".utf8))
    #expect(throws: JSONReadFailure(offset: 10, expected: "a number")) { try reader.skip() }
  }

  /// Parts of a text at random, read as Foundation reads them.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func agreesWithFoundation(_ seed: UInt64) {
    var random = SeededGenerator(state: seed)
    let parts = [
      "{", "}", "[", "]", ",", ":", "\"a\"", "\"", "\\", "\\n", "1", "-", "0", ".5", "e3", "true",
      "null",
      " ", "\"b\":", "[1]", "{}",
    ]
    for _ in 0..<2000 {
      let text = (0..<Int.random(in: 1..<8, using: &random))
        .map { _ in parts.randomElement(using: &random) ?? "" }.joined()
      let theirs =
        (try? JSONSerialization.jsonObject(with: Data(text.utf8), options: .fragmentsAllowed))
        != nil
      #expect(isRead(Array(text.utf8)) == theirs, "\(text)")
    }
  }
}
