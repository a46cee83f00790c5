// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestCore
internal import CMATestSystem

/// The kernel's symbols as they were looked up.
package struct SymbolLookup {
  package let release: String
  let bootID: String
  package let source: OptionsFile.Source
  /// Whether the kernel exports what the module needs, so that no address is required.
  package let areExported: Bool
  package let addresses: Result<[SymbolAddress], ConfigureFailure>

  /// Returns the options for these symbols.
  package func file() throws(ConfigureFailure) -> OptionsFile {
    file(try addresses.get())
  }

  /// The options without any address.
  package var emptyFile: OptionsFile { file([]) }

  private func file(_ addresses: [SymbolAddress]) -> OptionsFile {
    OptionsFile(
      release: release, bootID: bootID, time: utcTimestamp(), source: source,
      areExported: areExported, addresses: addresses)
  }
}
