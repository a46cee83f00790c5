// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestSystem

/// A variable of files that a shell sources one after another, as those in /etc/default.
struct ShellSetting {
  private let name: String
  private let machine: Machine
  private let last: ShellAssignments.Assignment?
  /// How often the file that sets it last does so.
  private let count: Int
  /// Empty where no file sets it.
  let value: String

  /// - Parameters:
  ///   - name: the variable's.
  ///   - files: in the order in which they are sourced; those that are not there are passed over.
  ///   - machine: where.
  /// - Throws: where one is there and cannot be read.
  init(_ name: String, in files: [String], on machine: Machine) throws(ReserveFailure) {
    var settings = ShellAssignments()
    for file in files {
      guard let text = try machine.text(of: file) else { continue }
      settings.read(text, from: file)
    }
    self.name = name
    self.machine = machine
    let last = settings.assignments.last { $0.name == name }
    self.last = last
    count = settings.assignments.count { $0.name == name && $0.file == last?.file }
    value = settings[name]
  }

  /// The file that sets it last.
  var file: String? { last?.file }

  /// Returns the change of a kernel command line that the variable holds.
  ///
  /// - Parameters:
  ///   - reservation: what to reserve; nil to take it back.
  ///   - default: what the program takes where the variable is empty.
  ///   - place: the file to write to where no file of the administrator sets it.
  /// - Returns: the change of one line.
  /// - Throws: `cannotEdit` where the value cannot be printed, or taken out of.
  func edit(
    for reservation: CMAReservation?, whenUnset default: String, inOrAfter place: String
  ) throws(ReserveFailure) -> BootLoaderAdvice.Edit {
    if let last, !last.isPlain {
      // What a program of the shell puts there is known only when it runs.
      guard let reservation else {
        throw .cannotEdit(
          path: last.file, reason: "only a shell can evaluate the value of \(name)")
      }
      return .init(
        .newLine, in: isOfVendor(last.file) ? place : last.file,
        "\(name)=\"$\(name) \(reservation.parameter)\"")
    }
    guard !value.unicodeScalars.contains("\u{FFFD}") else {
      throw .cannotEdit(path: file ?? place, reason: "the value of \(name) is not UTF-8")
    }
    let value = value.isEmpty ? `default` : value
    let line = try edited(Array(value.utf8), for: reservation, in: file ?? place)
    var edit = edit("\(name)=\(Self.quoted(line))", inOrAfter: place)
    edit.isNeeded = isNeeded(value.utf8, for: reservation)
    return edit
  }

  /// Returns notes for the user who makes a change, a line each.
  ///
  /// - Parameter edit: a change of this setting.
  /// - Returns: none where at most one line sets the variable.
  func notes(on edit: BootLoaderAdvice.Edit) -> [String] {
    guard let last, case .lineOf = edit.place else { return [] }
    var notes: [String] = []
    if count > 1 {
      notes.append(
        "\(last.file) sets \(name) several times, and the last one counts: change the one at line "
          + "\(last.lines.lowerBound)")
    }
    if last.lines.count > 1 {
      notes.append(
        "\(name) in \(last.file) goes from line \(last.lines.lowerBound) to line "
          + "\(last.lines.upperBound): the new line takes the place of all of them")
    }
    return notes
  }

  /// Returns the change of the whole assignment.
  ///
  /// - Parameters:
  ///   - assignment: as `NAME=value`.
  ///   - place: the file to write to where no file of the administrator sets it.
  /// - Returns: the change of one line.
  func edit(_ assignment: String, inOrAfter place: String) -> BootLoaderAdvice.Edit {
    if let file, !isOfVendor(file) { return .init(.lineOf("\(name)="), in: file, assignment) }
    return .init(machine.isFile(place) ? .newLine : .newFile, in: place, assignment)
  }

  /// Whether the file is one that an upgrade of its package replaces.
  private func isOfVendor(_ file: String) -> Bool { !file.hasPrefix("/etc/") }

  /// Returns a value in double quotes, which a shell reads as that value.
  private static func quoted(_ value: String) -> String {
    var quoted = "\""
    for scalar in value.unicodeScalars {
      if "\\\"$`".unicodeScalars.contains(scalar) { quoted += "\\" }
      quoted.unicodeScalars.append(scalar)
    }
    return quoted + "\""
  }
}
