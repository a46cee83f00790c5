// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestMachine
internal import CMATestShell
internal import CMATestSystem

/// A variable of files that a shell sources one after another, as those in /etc/default.
struct ShellSetting {
  private let name: String
  private let machine: Machine
  private let last: ShellAssignments.Assignment?
  private let settings: ShellAssignments
  /// The file for which only a shell can tell the value.
  private let doubtful: String?
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
    let doubtful = settings.doubtfulFile(for: name)
    self.last = last
    self.doubtful = doubtful
    count = settings.assignments.count { $0.name == name && $0.file == last?.file }
    value = settings[name]
    self.settings = settings
    // The later of the two: what is in doubt may be set after the last assignment that can be read.
    file = files.last { $0 == last?.file || $0 == doubtful }
  }

  /// The file that sets it last.
  let file: String?

  /// Whether no file sets it, or to nothing.
  var isEmpty: Bool { value.isEmpty && doubtful == nil }

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
    if let doubtful {
      return try appended(for: reservation, whenUnset: `default`, after: doubtful, or: place)
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

  /// Returns the change where the value is in doubt: a line that adds to whatever the shell makes of
  /// it, or the change of such a line.
  private func appended(
    for reservation: CMAReservation?, whenUnset default: String, after doubtful: String,
    or place: String
  ) throws(ReserveFailure) -> BootLoaderAdvice.Edit {
    let before = "\(name)=\"" + (`default`.isEmpty ? "$\(name)" : "${\(name):-\(`default`)}")
    if let last, let words = words(of: last, after: before), let file {
      let line = try edited(Array(words.utf8), for: reservation, in: file)
      var edit = BootLoaderAdvice.Edit(
        .lineOf(before), in: file, before + (line.isEmpty ? "" : " \(line)") + "\"")
      edit.isNeeded = isNeeded(words.utf8, for: reservation)
      return edit
    }
    guard let reservation else {
      throw .cannotEdit(path: doubtful, reason: "only a shell can evaluate the value of \(name)")
    }
    let file = file.flatMap { isOfVendor($0) ? nil : $0 } ?? place
    return .init(
      machine.isFile(file) ? .newLine : .newFile, in: file,
      "\(before) \(reservation.parameter)\"")
  }

  /// The words that a line of an earlier advice adds; nil for all other lines.
  private func words(of line: ShellAssignments.Assignment, after start: String) -> String? {
    let text = settings.text(of: line)
    guard text.hasPrefix(start), text.hasSuffix("\"") else { return nil }
    let words = text.dropFirst(start.count).dropLast()
    guard words.isEmpty || words.hasPrefix(" "), !words.contains(where: { "$`\"\\".contains($0) })
    else { return nil }
    return String(words)
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
    if let last, let file, !isOfVendor(file) {
      return .init(.lineOf(last.appends ? "\(name)+=" : "\(name)="), in: file, assignment)
    }
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
