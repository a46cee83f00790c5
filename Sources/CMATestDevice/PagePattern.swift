// SPDX-License-Identifier: GPL-2.0-or-later

/// Writes and compares the words of a page of this process, which differ by page, place and seed.
struct PagePattern {
  let seed: UInt64
  let wordsInPage: Int

  func write(_ page: Int, to bytes: UnsafeMutableRawPointer) {
    let words = bytes.assumingMemoryBound(to: UInt64.self)
    for index in 0..<wordsInPage { words[index] = word(page, index) }
  }

  func matches(_ page: Int, _ bytes: UnsafeRawPointer) -> Bool {
    let words = bytes.assumingMemoryBound(to: UInt64.self)
    for index in 0..<wordsInPage where words[index] != word(page, index) { return false }
    return true
  }

  private func word(_ page: Int, _ index: Int) -> UInt64 {
    // An odd factor, so that no two words are the same for one seed.
    (UInt64(truncatingIfNeeded: page &* wordsInPage &+ index) &+ 1) &* 0x9E37_79B9_7F4A_7C15 ^ seed
  }
}
