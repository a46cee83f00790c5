// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench
internal import CMATestCore
internal import CMATestHolders

/// What reports need of a map that was read from a file: its picture and its first holders, not its runs.
package struct MapSummary: Hashable, Sendable {
  package private(set) var facts = HolderFacts(program: "", kernel: "unknown", host: nil, time: "")
  private(set) var picture = MapPicture(
    title: "", pages: 0, pageSize: 0, time: "", cellPages: 0, cells: [], classes: [])
  private(set) var holders = HolderList()
  /// What is not known, each in a line.
  private(set) var notes: [String] = []

  /// The value of `format` in every map.
  static let format = "cma-test map"

  /// The pages of a class.
  func pages(of mapClass: MapClass) -> UInt64 {
    picture.classes.reduce(0) { $0 + ($1.of == mapClass ? $1.pages : 0) }
  }
}

extension MapSummary {
  /// More classes than a later version will have are no map.
  private static let mostClasses = 64

  /// The parts of a file that are read first.
  private struct Head {
    var schema: UInt64?
    var name: String?
    var index: UInt64 = 0
    var pages: UInt64?
    var pageSize: UInt64?
    /// In the order of the file, whose runs refer to their places.
    var classes: [MapShare]?
    var hasHolders = false
    var hasRuns = false
  }

  /// Reads what `AreaMap.json` writes.
  ///
  /// The text is read twice, so that its runs need no memory, however many there are.
  ///
  /// - Parameters:
  ///   - bytes: The text of the file.
  ///   - name: The file's name, for failures.
  /// - Throws: Why the text is no map that can be used.
  init(reading bytes: [UInt8], name: String) throws(ResultFailure) {
    var head = Head()
    try readMembers(of: bytes, name) { (key, reader) throws(JSONReadFailure) in
      try read(key, &reader, into: &head)
    }
    try HolderFacts.check(head.schema, name)
    guard let pages = head.pages, pages > 0, let pageSize = head.pageSize, pageSize > 0,
      let classes = head.classes, head.hasHolders, head.hasRuns
    else {
      throw .inconsistent(name: name, what: "the area, its classes, holders or runs are missing")
    }
    guard classes.count <= Self.mostClasses,
      classes.reduce(0, { $0.clampedSum($1.pages) }) <= pages
    else { throw .inconsistent(name: name, what: "its classes have more pages than the area") }
    picture.title = areaTitle(head.name.map { label($0, 100) }, UInt32(clamping: head.index))
    (picture.pages, picture.pageSize) = (pages, pageSize)
    picture.time = facts.time
    picture.classes = MapClass.allCases.compactMap { mapClass in
      let pages = classes.reduce(0) { $0 + ($1.of == mapClass ? $1.pages : 0) }
      return pages > 0 ? MapShare(of: mapClass, pages: pages) : nil
    }
    try readCells(bytes, classes.map(\.of), name)
  }

  private mutating func read(
    _ key: String, _ reader: inout JSONReader, into head: inout Head
  ) throws(JSONReadFailure) {
    if try facts.take(key, &reader) { return }
    switch key {
    case "schema": head.schema = try reader.unsigned()
    case "area":
      try reader.object { (key, reader) throws(JSONReadFailure) in
        switch key {
        case "name": head.name = try reader.string()
        case "index": head.index = try reader.unsigned()
        case "pages": head.pages = try reader.unsigned()
        default: try reader.skip()
        }
      }
    case "page_size": head.pageSize = try reader.unsigned()
    case "classes": head.classes = try Self.classes(&reader)
    case "holders":
      holders = try HolderList(&reader)
      head.hasHolders = true
    case "runs":
      head.hasRuns = true
      try reader.skip()
    case "notes": notes = try readLines(&reader)
    default: try reader.skip()
    }
  }

  private static func classes(_ reader: inout JSONReader) throws(JSONReadFailure) -> [MapShare] {
    var classes: [MapShare] = []
    try reader.array { (reader) throws(JSONReadFailure) in
      var share = MapShare(of: .notKnown, pages: 0)
      try reader.object { (key, reader) throws(JSONReadFailure) in
        switch key {
        // A class of a later version is not known here.
        case "class": share.of = MapClass(rawValue: try reader.string()) ?? .notKnown
        case "pages": share.pages = try reader.unsigned()
        default: try reader.skip()
        }
      }
      if classes.count <= mostClasses { classes.append(share) }
    }
    return classes
  }

  private mutating func readCells(
    _ bytes: [UInt8], _ classes: [MapClass], _ name: String
  ) throws(ResultFailure) {
    let count = MapPicture.count(columns: MapPicture.columnsOfPage, pages: picture.pages)
    var cells = MapCells(of: picture.pages, count: count)
    var runs = RunReader(pages: picture.pages, classes: classes.count)
    try readMembers(of: bytes, name) { (key, reader) throws(JSONReadFailure) in
      guard key == "runs" else { return try reader.skip() }
      try reader.array { (reader) throws(JSONReadFailure) in
        let run = try runs.next(&reader)
        if runs.isWrong { return }
        cells.add(classes[run.place], from: run.first, pages: run.pages)
      }
    }
    if runs.isWrong {
      throw .inconsistent(name: name, what: "its runs overlap, or are beyond the area")
    }
    (picture.cellPages, picture.cells) = (cells.size, cells.found)
  }
}

/// Reads runs, which are in ascending order and within the area.
private struct RunReader {
  let pages: UInt64
  let classes: Int
  private(set) var isWrong = false
  private var end: UInt64 = 0

  init(pages: UInt64, classes: Int) {
    self.pages = pages
    self.classes = classes
  }

  mutating func next(
    _ reader: inout JSONReader
  ) throws(JSONReadFailure) -> (first: UInt64, pages: UInt64, place: Int) {
    var (first, number, place): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var column = 0
    try reader.array { (reader) throws(JSONReadFailure) in
      switch column {
      case 0: first = try reader.unsigned()
      case 1: number = try reader.unsigned()
      case 2: place = try reader.unsigned()
      default: try reader.skip()
      }
      column += 1
    }
    if column < 3 || first < end || first > pages || number > pages - first
      || place >= UInt64(classes)
    {
      isWrong = true
    } else {
      end = first + number
    }
    return (first, number, Int(clamping: place))
  }
}
