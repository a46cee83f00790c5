// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// Returns a kernel command line with its `cma=` replaced or removed, ready to be printed as
/// advice.
///
/// - Parameters:
///   - text: the present line.
///   - reservation: the reservation to put there; nil to remove `cma=`.
///   - file: where the line is, for the failure.
/// - Returns: the line as it should be.
/// - Throws: `cannotEdit` where the line cannot be printed, or has no place for the parameter.
func edited(
  _ text: [UInt8], for reservation: CMAReservation?, in file: String
) throws(ReserveFailure) -> String {
  guard let line = KernelCommandLine.replacingCMA(in: text, with: reservation) else {
    throw .cannotEdit(path: file, reason: "its quotes leave no place for \(word(reservation))")
  }
  // A byte that is no UTF-8 would come out as another, and the line would not boot.
  guard let line = String(validating: line, as: UTF8.self) else {
    throw .cannotEdit(path: file, reason: "the line is not UTF-8")
  }
  return line
}

/// Returns whether a kernel command line has to change.
///
/// - Parameters:
///   - text: the present line.
///   - reservation: the reservation to put there; nil to remove `cma=`.
/// - Returns: false only where `cma=` is to be removed and the line has none.
func isNeeded(_ text: some Sequence<UInt8>, for reservation: CMAReservation?) -> Bool {
  reservation != nil || KernelCommandLine(text).cma != nil
}

private func word(_ reservation: CMAReservation?) -> String { reservation?.parameter ?? "cma=" }

/// Returns the lines of a text, without their ends, LF or CR LF.
func lines(of text: [UInt8]) -> [ArraySlice<UInt8>] {
  text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
}
