// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestReport
internal import CMATestSystem

extension Report {
  /// Whether files and folders are to be put together: there is a folder, or they are of several machines.
  ///
  /// - Returns: what was read; nil where each file is shown as it is.
  /// - Throws: where a folder is named for what takes none.
  func manyResults() throws(ResultFileFailure) -> ManyResults? {
    if let folder = results.first(where: ResultFolder.isFolder) {
      guard format == .html else {
        throw .noPlace("a report as \(format.rawValue) takes files, and \(folder) is a folder")
      }
      guard baseline.isEmpty else {
        throw .noPlace(
          "'--baseline' is for files, and \(folder) is a folder, whose kernels are compared anyway")
      }
      return try read()
    }
    // A pipe cannot be read twice.
    guard format == .html, baseline.isEmpty, results.count > 1,
      results.allSatisfy(ResultFolder.isFile)
    else { return nil }
    let many = try read()
    return many.machineCount > 1 ? many : nil
  }

  /// Reads one file after the other, and keeps little of each.
  private func read() throws(ResultFileFailure) -> ManyResults {
    var many = ManyResults(machines == .folder ? .folder : .host)
    for path in results {
      guard ResultFolder.isFolder(path) else {
        Self.add(ResultFolder.file(path), to: &many)
        continue
      }
      let folder = ResultFolder(path)
      for file in folder.files { Self.add(file, to: &many) }
      for failure in folder.failures {
        many.leaveOut(FoundFile(failure.path, folders: []), because: failure.reason)
      }
    }
    return many
  }

  private static func add(_ file: FoundFile, to many: inout ManyResults) {
    do throws(SystemFailure) {
      many.add(try namedContents(of: file.path, limit: mostBytes), of: file)
    } catch {
      many.leaveOut(file, because: error.reason)
    }
  }

  /// Makes the page, with a page of each machine beside it where it becomes a file.
  ///
  /// - Parameters:
  ///   - many: what was read.
  ///   - file: the page's place; nil for standard output.
  /// - Returns: the page.
  /// - Throws: where nothing can be used, or a machine's page not be written.
  func page(of many: ManyResults, beside file: ResultFile?) throws(ResultFileFailure) -> String {
    for left in many.leftOut {
      StandardError.write(
        "cma-test report: warning: left out \(printable(left.path)): \(printable(left.reason))\n")
    }
    guard many.used > 0 else { throw .nothingUsable(results, leftOut: many.leftOut.count) }
    // What goes into a pipe is beside nothing.
    guard let file, file.isReplaced else {
      return ManyPage.html(many, machines: nil) { _, _ in }
    }
    let folder = Self.folder(beside: file.name)
    let place = ManyPage.Place(
      page: Self.address(of: Self.lastName(file.name)),
      folder: Self.address(of: Self.lastName(folder)))
    return try ManyPage.html(many, machines: place) { (name, page) throws(ResultFileFailure) in
      try mapError(ResultFileFailure.cannotWrite) { () throws(SystemFailure) in
        try ResultFile("\(folder)/\(name)").write(page)
      }
    }
  }

  /// The folder of machines' pages: `report-machines` beside `report.html`.
  private static func folder(beside page: String) -> String {
    (page.hasSuffix(".html") ? String(page.dropLast(5)) : page) + "-machines"
  }

  private static func lastName(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }

  /// A file's name as a part of an address.
  private static func address(of name: String) -> String {
    var address = ""
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"),
        UInt8(ascii: "."):
        address.unicodeScalars.append(Unicode.Scalar(byte))
      default:
        let digits = String(byte, radix: 16, uppercase: true)
        address += digits.count < 2 ? "%0" + digits : "%" + digits
      }
    }
    return address
  }
}
