// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestCore
internal import CMATestDevice
internal import CMATestMachine

/// Finds the holder of each page frame, and names each holder once at the end.
struct HolderTable {
  /// The processes that are named with a holder.
  private static let namedProcesses = 3
  /// The pages of a file that are asked for its name: any may be gone by then.
  private static let samples = 4

  /// What makes two pages have the same holder.
  private struct Key: Hashable {
    var kind: Holder.Kind
    var isPinned = false
    /// The processes that map an anonymous page.
    var group: Int32 = 0
    var device: UInt32 = 0
    var inode: UInt64 = 0
    var isDevice = false
    /// A place among the takers.
    var taker = -1
    var use = FrameRun.Kind.free
  }

  private struct Entry {
    var key: Key
    var holder: Holder
    var samples: [UInt64] = []
    /// The largest group of processes that maps a page of the file.
    var group: Int32 = 0
    var dependsOnFileSystem = false
  }

  private let mappers: PageMappers
  private let ledger: Ledger
  private let blocks: [Ledger.Block]
  private var takers: [Holder.Taker] = []
  private var processes: TakerProcesses
  private var takerOf: [Int] = []
  private var places: [Key: Int] = [:]
  private var entries: [Entry] = []
  private var last: (key: Key, place: Int)?

  /// - Parameters:
  ///   - mappers: tells the processes of a frame.
  ///   - ledger: its state.
  ///   - blocks: its blocks, in ascending order.
  ///   - machine: the running machine.
  init(mappers: PageMappers, ledger: Ledger, blocks: [Ledger.Block], machine: Machine) {
    self.mappers = mappers
    self.ledger = ledger
    self.blocks = blocks
    processes = TakerProcesses(machine: machine)
    var known: [Holder.Taker: Int] = [:]
    var naming = BlockTakers(machine: machine, processes)
    for block in blocks {
      let taker = naming.taker(of: block)
      let place = known[taker] ?? takers.count
      if place == takers.count { takers.append(taker) }
      known[taker] = place
      takerOf.append(place)
    }
  }

  /// Takes frames that are alike, and gives them with their holder, in ascending order.
  ///
  /// - Parameters:
  ///   - run: the frames.
  ///   - body: takes frames, and the place of their holder.
  mutating func add(_ run: FrameRun, _ body: (Range<UInt64>, Int) -> Void) {
    switch run.kind {
    case .free, .loose: count(run.frames, Key(kind: .free), run, body)
    case .anonymous: byProcesses(run, .anonymous, body)
    case .hugePages: byProcesses(run, .hugePages, body)
    case .file, .swap, .orphan: count(run.frames, fileKey(run), run, body)
    case .slab, .pageTable, .offline:
      count(run.frames, Key(kind: .kernel, use: run.kind), run, body)
    case .other where run.flags.contains(.movable):
      count(run.frames, Key(kind: .kernel, use: .other), run, body)
    case .other: byBlocks(run, body)
    case .absent, .changing: count(run.frames, Key(kind: .notKnown, use: run.kind), run, body)
    }
  }

  private func fileKey(_ run: FrameRun) -> Key {
    let isShared = run.kind == .swap || run.kind == .file && run.flags.contains(.swapBacked)
    return Key(
      kind: isShared ? .sharedMemory : .pageCache, isPinned: run.isPinned, device: run.device,
      inode: run.flags.contains(.blockDevice) ? 0 : run.inode,
      isDevice: run.flags.contains(.blockDevice), use: run.kind == .orphan ? .orphan : .file)
  }

  private mutating func byProcesses(
    _ run: FrameRun, _ kind: Holder.Kind, _ body: (Range<UInt64>, Int) -> Void
  ) {
    var start = run.frames.lowerBound
    while start < run.frames.upperBound {
      let group = mappers.group(of: start)
      var end = start + 1
      while end < run.frames.upperBound, mappers.group(of: end) == group { end += 1 }
      count(start..<end, Key(kind: kind, isPinned: run.isPinned, group: group), run, body)
      start = end
    }
  }

  private mutating func byBlocks(_ run: FrameRun, _ body: (Range<UInt64>, Int) -> Void) {
    var start = run.frames.lowerBound
    var place = firstBlock(endingAfter: start)
    while start < run.frames.upperBound {
      guard place < blocks.count, blocks[place].frames.lowerBound < run.frames.upperBound else {
        count(start..<run.frames.upperBound, Key(kind: .block), run, body)
        return
      }
      let block = blocks[place].frames
      if start < block.lowerBound {
        count(start..<block.lowerBound, Key(kind: .block), run, body)
        start = block.lowerBound
      }
      let end = min(block.upperBound, run.frames.upperBound)
      if start < end { count(start..<end, Key(kind: .block, taker: takerOf[place]), run, body) }
      start = max(start, end)
      place += 1
    }
  }

  /// The first block that ends after a frame: blocks are in order, and none overlaps another.
  private func firstBlock(endingAfter frame: UInt64) -> Int {
    var (low, high) = (0, blocks.count)
    while low < high {
      let middle = low + (high - low) / 2
      if blocks[middle].frames.upperBound <= frame { low = middle + 1 } else { high = middle }
    }
    return low
  }

  private mutating func count(
    _ frames: Range<UInt64>, _ key: Key, _ run: FrameRun, _ body: (Range<UInt64>, Int) -> Void
  ) {
    let place: Int
    if let last, last.key == key {
      place = last.place
    } else {
      place = places[key] ?? entries.count
      if place == entries.count {
        places[key] = place
        entries.append(Entry(key: key, holder: Holder(key.kind)))
      }
      last = (key, place)
    }
    entries[place].holder.pages += frames.upperBound - frames.lowerBound
    if run.flags.contains(.privateData) { entries[place].dependsOnFileSystem = true }
    if key.inode != 0 {
      if entries[place].samples.count < Self.samples {
        entries[place].samples.append(frames.lowerBound)
      }
      // A frame for each piece is enough: who maps a file maps it in ranges.
      let group = mappers.group(of: frames.lowerBound)
      if mappers.count(of: group) > mappers.count(of: entries[place].group) {
        entries[place].group = group
      }
    }
    body(frames, place)
  }

  /// Names all holders.
  ///
  /// - Parameters:
  ///   - insight: names files.
  ///   - area: the index of the area.
  ///   - machine: the running machine.
  /// - Returns: the holders, by their places.
  func holders(
    naming insight: any AreaInsight, in area: UInt32, on machine: Machine
  ) -> [Holder] {
    var names = ProcessNames(machine: machine)
    let files = FileNames(machine: machine)
    var mappings = FileMappings(machine: machine)
    var processes = processes
    return entries.map { entry in
      let key = entry.key
      var holder = entry.holder
      holder.isPinned = key.isPinned
      holder.canMove = canMove(entry)
      let group = key.group != 0 ? key.group : entry.group
      holder.processCount = mappers.count(of: group)
      holder.processes = mappers.processes(of: group, most: Self.namedProcesses).map {
        names.process($0)
      }
      if holder.processCount == 0, key.isPinned, key.inode != 0 {
        let processes = mappings.processes(device: key.device, inode: key.inode)
        holder.processCount = processes.count
        holder.processes = processes.prefix(Self.namedProcesses).map { names.process($0) }
      }
      switch key.kind {
      case .block:
        describeBlocks(&holder, key.taker)
        follow(key.taker, &holder, &processes, &names)
      case .pageCache, .sharedMemory:
        if key.isDevice {
          holder.file = files.blockDevice(key.device)
        } else if key.use != .orphan {
          holder.file = file(entry, insight, area, files)
        }
      case .kernel: holder.detail = Self.words(for: key.use)
      case .notKnown: holder.detail = Self.words(for: key.use)
      case .free, .anonymous, .hugePages: break
      }
      return holder
    }
  }

  private func canMove(_ entry: Entry) -> Bool? {
    switch entry.key.kind {
    case .free: true
    case .block: false
    case .kernel: entry.key.use == .other
    case .notKnown: nil
    case .anonymous, .sharedMemory, .pageCache, .hugePages:
      if entry.key.isPinned { false } else if entry.key.isDevice { nil } else { true }
    }
  }

  private var unnamed: Holder.Unnamed {
    guard ledger.isKept else { return ledger.most == 0 ? .ledgerIsOff : .notTold }
    return ledger.missed > 0 ? .olderOrMissed(room: ledger.most) : .older
  }

  private func describeBlocks(_ holder: inout Holder, _ place: Int) {
    guard place >= 0 else {
      holder.unnamed = unnamed
      holder.detail =
        switch unnamed {
        case .older: "blocks allocated before cmatest was loaded"
        case .olderOrMissed:
          "blocks allocated before cmatest was loaded, or when its ledger was full"
        case .ledgerIsOff, .notTold: "blocks of somebody (cmatest keeps no ledger here)"
        }
      return
    }
    holder.taker = takers[place]
    let own = zip(blocks, takerOf).filter { $0.1 == place }.map(\.0)
    let sizes = Set(own.map { $0.frames.upperBound - $0.frames.lowerBound })
    holder.blocks = UInt64(own.count)
    holder.blockPages = sizes.count == 1 ? sizes.first : nil
    holder.since = own.map(\.time).min()
  }

  /// Finds out what became of the process that took the blocks.
  private func follow(
    _ place: Int, _ holder: inout Holder, _ processes: inout TakerProcesses,
    _ names: inout ProcessNames
  ) {
    guard let taker = holder.taker else { return }
    let last = zip(blocks, takerOf).reduce(0) { $1.1 == place ? max($0, $1.0.time) : $0 }
    holder.takerHasEnded = processes.hasEnded(
      taker.process, command: taker.command, since: last)
    holder.takerCanEnd = !holder.takerHasEnded && names.canEnd(taker.process)
    // A driver's blocks go with the driver, not with who has its device open.
    guard taker.function == nil, !TakerProcesses.loadsModules(taker.command) else { return }
    let users = processes.otherUsers(than: holder.takerHasEnded ? nil : taker.process)
    holder.deviceUserCount = users.count
    holder.deviceUsers = users.prefix(Self.namedProcesses).map { names.process($0) }
  }

  private func file(
    _ entry: Entry, _ insight: any AreaInsight, _ area: UInt32, _ files: FileNames
  ) -> Holder.File {
    for frame in entry.samples {
      // A page that is another's by now, or of which nothing can be said, says nothing of the file.
      if let file = try? insight.file(of: frame, in: area), file.inode == entry.key.inode,
        file.device == entry.key.device
      {
        return files.file(file)
      }
    }
    let place = files.blockDevice(entry.key.device)
    return Holder.File(path: nil, fileSystem: place.fileSystem, device: place.device)
  }

  private static func words(for use: FrameRun.Kind) -> String? {
    switch use {
    case .slab: "slab memory of the kernel"
    case .pageTable: "page tables"
    case .offline: "memory that was given to the host (balloon)"
    case .other: "memory of the kernel that can be moved"
    case .changing: "the page changed each time that the module looked"
    case .absent: "there is no memory, or it is offline"
    default: nil
    }
  }
}
