// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore

/// A kernel command line out of a file of one kind or another, ready to be printed as advice.
///
/// - Parameters:
///   - text: the present line.
///   - reservation: what to put there; nil to take `cma=` out.
///   - file: where the line is, for the failure.
/// - Returns: the line as it should be.
/// - Throws: `cannotEdit` where that line cannot be printed, or has no place for the parameter.
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

/// Whether there is anything to change in a kernel command line.
///
/// - Parameters:
///   - text: the present line.
///   - reservation: what to put there; nil to take `cma=` out.
/// - Returns: false only where nothing is to be taken out.
func isNeeded(_ text: some Sequence<UInt8>, for reservation: CMAReservation?) -> Bool {
  reservation != nil || KernelCommandLine(text).cma != nil
}

private func word(_ reservation: CMAReservation?) -> String { reservation?.parameter ?? "cma=" }

/// The lines of a text, without their ends, LF or CR LF.
func lines(of text: [UInt8]) -> [ArraySlice<UInt8>] {
  text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
}
