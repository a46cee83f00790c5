// SPDX-License-Identifier: GPL-2.0-or-later

/// Somebody, or something, that has pages of an area.
package struct Holder: Equatable, Sendable {
  /// The use of the pages.
  package enum Kind: String, Sendable, CaseIterable {
    /// Nobody has them.
    case free
    /// A block of the allocator.
    case block
    case anonymous
    /// Page cache of a file, or of a block device.
    case pageCache = "page-cache"
    /// tmpfs, memfd and what processes share without a file.
    case sharedMemory = "shared-memory"
    case hugePages = "huge-pages"
    /// Another use by the kernel.
    case kernel
    case notKnown = "not-known"
  }

  /// A process.
  package struct Process: Equatable, Sendable {
    package var id: Int32
    /// The name of its first thread; nil where the process has ended.
    package var command: String?
    /// Its control group, as `/system.slice/docker-….scope`, where it is in another namespace.
    package var controlGroup: String?
    /// Whether its PID namespace is another than this program's, as in a container.
    package var isInNamespace = false

    package init(id: Int32, command: String?, controlGroup: String? = nil) {
      self.id = id
      self.command = command
      self.controlGroup = controlGroup
    }
  }

  /// The file, or the block device, whose page cache the pages are.
  package struct File: Equatable, Sendable {
    /// Where its file system is mounted, or from the root of that where it is not mounted here; nil for a
    /// file without a name, and for a block device.
    package var path: String?
    /// The kind of its file system; nil where it is not known.
    package var fileSystem: String?
    /// The block device, as `vda1`; nil where there is none.
    package var device: String?
    /// Whether the pages are of the block device itself.
    package var isDevice = false
    /// Whether the file system is mounted where this program sees it; else only a process in another mount
    /// namespace knows the path.
    package var isMounted = true

    package init(path: String?, fileSystem: String?, device: String?, isDevice: Bool = false) {
      self.path = path
      self.fileSystem = fileSystem
      self.device = device
      self.isDevice = isDevice
    }
  }

  /// Why nothing tells who took a block.
  package enum Unnamed: Equatable, Sendable {
    /// It was allocated before the module was loaded.
    case older
    /// The same, or when the ledger was full, which has room for so many.
    case olderOrMissed(room: UInt32)
    /// The module keeps no ledger, since it was loaded so.
    case ledgerIsOff
    /// This kernel tells the module nothing of blocks.
    case notTold
  }

  /// The process that took blocks.
  package struct Taker: Hashable, Sendable {
    package var process: Int32
    /// The name that its thread had then.
    package var command: String
    /// The function that asked the allocator, as `vb2_dc_alloc [videobuf2_dma_contig]`; nil for a block
    /// through /dev/cmatest.
    package var function: String?
    /// The driver; nil where nothing names one.
    package var driver: String?
    /// The functions that called the allocator, the last called first.
    package var stack: [String]

    package init(process: Int32, command: String, stack: [String]) {
      self.process = process
      self.command = command
      self.stack = stack
      function = nil
      driver = nil
    }
  }

  package var kind: Kind
  package var isPinned = false
  /// Whether the kernel can move the pages; nil where that depends.
  package var canMove: Bool?
  package var pages: UInt64 = 0
  /// Runs of frames that follow each other.
  package var pieces: UInt64 = 0
  /// The first processes that map the pages, and how many there are.
  package var processes: [Process] = []
  package var processCount = 0
  package var file: File?
  /// Who took the blocks; nil for blocks that are not in the ledger.
  package var taker: Taker?
  /// Why that is not known of blocks.
  package var unnamed: Unnamed?
  /// Whether that process is one that can be ended: it has not ended yet, and is none of the kernel's own.
  package var takerCanEnd = false
  /// Whether it has ended; its number may be another process's by now.
  package var takerHasEnded = false
  /// The first processes that have /dev/cmatest open, and how many there are, where blocks were taken through
  /// it by one that has it open no more.
  package var deviceUsers: [Process] = []
  package var deviceUserCount = 0
  /// Blocks and, where all are of one size, the pages of each.
  package var blocks: UInt64 = 0
  package var blockPages: UInt64?
  /// The time of the first block, in ns since 1970.
  package var since: UInt64?
  /// What the kernel uses them for, or why that is not known.
  package var detail: String?

  package init(_ kind: Kind) {
    self.kind = kind
  }
}

extension Holder {
  /// The holder in words, as `pinned anonymous memory of 812 (python3)`.
  package var words: String {
    let text =
      switch kind {
      case .free: "free"
      case .block: blockWords
      case .anonymous: "anonymous memory" + (processWords.map { " of \($0)" } ?? nobody)
      case .hugePages: "huge pages" + (processWords.map { " of \($0)" } ?? "")
      case .pageCache: fileWords + mappedWords
      case .sharedMemory: "shared memory" + (pathWords.map { " \($0)" } ?? "") + mappedWords
      case .kernel: detail ?? "memory of the kernel"
      case .notKnown: "not known" + (detail.map { ", because \($0)" } ?? "")
      }
    return isPinned ? "pinned \(text)" : text
  }

  private var nobody: String { " of no process that can be seen (it may have ended)" }

  private var mappedWords: String { processWords.map { ", mapped by \($0)" } ?? "" }

  private var processWords: String? {
    guard !processes.isEmpty else { return nil }
    let names = processes.map(\.words).joined(separator: ", ")
    let more = processCount - processes.count
    return more > 0 ? "\(names) and \(more) more" : names
  }

  /// The path, with where that is if not here: a path of another file system must not be taken for one of this.
  private var pathWords: String? {
    guard let file, let path = file.path else { return nil }
    guard !file.isMounted else { return path }
    return "\(path) of a file system that is not mounted here"
      + (file.fileSystem.map { " (\($0))" } ?? "")
  }

  private var fileWords: String {
    guard let file else { return "page cache of no file: it was dropped, and is only referred to" }
    if file.isDevice {
      let device = file.device ?? "a block device"
      return file.fileSystem.map { "metadata of \($0) on \(device)" } ?? "page cache of \(device)"
    }
    if let pathWords { return "page cache of \(pathWords)" }
    let place = file.fileSystem.map { " on \($0)" } ?? ""
    return "page cache of a deleted file" + place + (file.device.map { " (\($0))" } ?? "")
  }

  private var blockWords: String {
    guard let taker else { return detail ?? "blocks allocated before cmatest was loaded" }
    let size = blockPages.map { "\($0) page\($0 == 1 ? "" : "s")" } ?? "\(pages) pages in all"
    var words =
      blocks == 1
      ? "block of \(size)" : "\(blocks) blocks" + (blockPages == nil ? ", \(size)," : " of \(size)")
    words += " by \(taker.process) (\(taker.command)\(takerHasEnded ? ", ended" : ""))"
    if let function = taker.function { words += ", taken by \(function)" }
    if let driver = taker.driver { words += " for \(driver)" }
    return words
  }
}

extension Holder.Process {
  /// The process in words, as `812 (python3)`; with its control group where it is in a container.
  package var words: String {
    let name = "\(id) (\(command ?? "ended"))"
    guard isInNamespace, let controlGroup else { return name }
    return "\(name) in \(controlGroup)"
  }
}
