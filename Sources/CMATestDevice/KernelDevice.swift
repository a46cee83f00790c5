// SPDX-License-Identifier: GPL-2.0-or-later

internal import CCMATestABI
internal import CMATestCore
public import CMATestMachine
public import CMATestSystem
internal import Glibc

/// ioctl(2): the descriptor, the number of the request and its structure; a negative value, and errno,
/// where the call fails.
typealias RequestCall = @Sendable (CInt, UInt, UnsafeMutableRawPointer) -> CInt

/// The structure of one request, so that no request is made with another's.
protocol RequestStructure {
  static var number: UInt { get }
}

extension cmatest_info: RequestStructure {
  static var number: UInt { cmatest_request_info }
}
extension cmatest_area: RequestStructure {
  static var number: UInt { cmatest_request_area }
}
extension cmatest_alloc: RequestStructure {
  static var number: UInt { cmatest_request_alloc }
}
extension cmatest_release: RequestStructure {
  static var number: UInt { cmatest_request_release }
}
extension cmatest_block: RequestStructure {
  static var number: UInt { cmatest_request_block }
}
extension cmatest_fill: RequestStructure {
  static var number: UInt { cmatest_request_fill }
}
extension cmatest_check: RequestStructure {
  static var number: UInt { cmatest_request_check }
}
extension cmatest_batch: RequestStructure {
  static var number: UInt { cmatest_request_batch }
}
extension cmatest_probe: RequestStructure {
  static var number: UInt { cmatest_request_probe }
}
extension cmatest_place: RequestStructure {
  static var number: UInt { cmatest_request_place }
}
extension cmatest_measure: RequestStructure {
  static var number: UInt { cmatest_request_measure }
}

/// The real /dev/cmatest.
public final class KernelDevice: PagePlacer {
  public static let path = "/dev/cmatest"

  private let descriptor: Descriptor
  private let call: RequestCall

  /// Opens the device.
  ///
  /// - Parameter machine: the running machine.
  /// - Throws: ENOENT without the module, EACCES or EPERM without root.
  public convenience init(on machine: Machine = Machine()) throws(SystemFailure) {
    try self.init(on: machine) { ioctl($0, $1, $2) }
  }

  /// - Parameters:
  ///   - machine: the running machine, or a copied tree.
  ///   - call: makes the system call; a test answers itself.
  /// - Throws: the call that failed, where the device cannot be opened.
  init(on machine: Machine, call: @escaping RequestCall) throws(SystemFailure) {
    let path = machine.path(Self.path)
    let raw = try valueOrErrno(.open, path) { open(path, O_RDWR | O_CLOEXEC) }
    descriptor = Descriptor(owning: raw, path: path)
    self.call = call
  }

  /// Makes a request: the choke point of all of them.
  ///
  /// - Parameters:
  ///   - words: the request in words, for the error.
  ///   - request: the structure of the request, in and out.
  /// - Throws: the words and errno.
  func ask<Structure: RequestStructure>(
    _ words: @autoclosure () -> String, _ request: inout Structure
  ) throws(DeviceFailure) {
    do throws(SystemFailure) {
      try valueOrErrno(.ioctl, descriptor.path) {
        withUnsafeMutablePointer(to: &request) {
          call(descriptor.raw, Structure.number, UnsafeMutableRawPointer($0))
        }
      }
    } catch {
      throw DeviceFailure(words(), error.code)
    }
  }

  public func information() throws(DeviceFailure) -> DeviceInformation {
    var request = cmatest_info()
    request.version = UInt32(CMATEST_ABI_VERSION)
    try ask("get the module's information", &request)
    var information = DeviceInformation()
    information.pageSize = UInt64(request.page_size)
    information.areas = request.areas
    information.hasAllAreas = request.bound & UInt32(CMATEST_BOUND_FOR_EACH) != 0
    information.maxOrder = request.max_order
    if request.pageblock > 0, request.pageblock < 32 {
      information.blockPages = 1 << UInt64(request.pageblock)
    }
    information.maxCount = request.max_count
    information.maxHandles = UInt64(request.max_handles)
    information.maxPages = request.max_pages
    information.fileHandles = request.file_handles
    information.heldPages = request.held_pages
    information.totalPages = request.total_pages
    information.freePages = request.free_pages
    return information
  }

  public func area(_ index: UInt32) throws(DeviceFailure) -> AreaInformation {
    var request = cmatest_area()
    request.index = index
    try ask("get area \(index)", &request)
    func has(_ flag: CInt) -> Bool { request.flags & UInt32(flag) != 0 }
    var area = AreaInformation(index: index)
    area.isDefault = has(CMATEST_AREA_DEFAULT)
    if has(CMATEST_AREA_HAS_NAME) { area.name = Self.string(request.name) }
    if has(CMATEST_AREA_HAS_BASE) { area.base = request.base }
    area.mayHaveRanges = has(CMATEST_AREA_RANGES)
    if has(CMATEST_AREA_HAS_SIZE) { area.size = request.size }
    area.heldPages = request.held_pages
    return area
  }

  public func allocate(_ block: BlockRequest) throws(DeviceFailure) -> Block {
    var request = cmatest_alloc()
    request.area = block.area
    request.order = block.order
    request.count = block.count
    // A failure is a result here, not a fault for the kernel's log.
    request.flags = UInt32(CMATEST_NO_WARN)
    try ask(block.words, &request)
    return Block(
      handle: request.handle, frame: request.pfn, count: block.count, nanoseconds: request.ns)
  }

  public func release(_ handle: UInt32) throws(DeviceFailure) -> Release {
    var request = cmatest_release()
    request.handle = handle
    try ask("release block \(handle)", &request)
    return Release(isAccepted: request.accepted == 1, nanoseconds: request.ns)
  }

  public func inspect(_ handle: UInt32) throws(DeviceFailure) -> BlockInspection {
    var request = cmatest_block()
    request.handle = handle
    try ask("look at block \(handle)", &request)
    var inspection = BlockInspection()
    inspection.count = request.count
    inspection.frame = request.pfn
    inspection.inZone = request.in_zone
    inspection.unshared = request.unshared
    let knowsInside = request.flags & UInt32(CMATEST_BLOCK_HAS_INSIDE) != 0
    inspection.inside = knowsInside ? request.inside : nil
    inspection.node = request.node
    inspection.zone = Self.string(request.zone_name)
    return inspection
  }

  public func fill(_ handle: UInt32, seed: UInt64, _ range: Range<UInt64>) throws(DeviceFailure) {
    var request = cmatest_fill()
    request.handle = handle
    request.seed = seed
    request.offset = range.lowerBound
    request.length = range.upperBound - range.lowerBound
    try ask("fill block \(handle)", &request)
  }

  public func check(
    _ handle: UInt32, seed: UInt64, _ range: Range<UInt64>
  ) throws(DeviceFailure) -> PatternCheck {
    var request = cmatest_check()
    request.handle = handle
    request.seed = seed
    request.offset = range.lowerBound
    request.length = range.upperBound - range.lowerBound
    try ask("check block \(handle)", &request)
    guard request.bad_words != 0 else { return PatternCheck() }
    return PatternCheck(
      badWords: request.bad_words,
      first: .init(offset: request.first_bad, wrote: request.wrote, read: request.read))
  }

  public func batch(_ block: BlockRequest, pairs: Int) throws(DeviceFailure) -> Batch {
    // Written to once, so that no page fault comes between two pairs.
    var times = [cmatest_times](
      repeating: cmatest_times(alloc_ns: .max, release_ns: .max), count: pairs)
    var request = cmatest_batch()
    request.area = block.area
    request.order = block.order
    request.count = block.count
    request.pairs = UInt64(pairs)
    let code = times.withUnsafeMutableBufferPointer { times -> CInt in
      request.times = UInt64(UInt(bitPattern: times.baseAddress))
      do throws(DeviceFailure) {
        try ask("", &request)
        return 0
      } catch {
        return error.code
      }
    }
    guard code == 0 else { throw DeviceFailure("\(block.words) \(pairs) times", code) }
    let made = times.prefix(Int(request.done))
    return Batch(
      done: Int(request.done), failed: Int(request.failed), refused: Int(request.refused),
      allocations: made.map(\.alloc_ns),
      releases: made.map(\.release_ns).filter { $0 != CMATEST_NS_NONE })
  }

  public func probe(_ kind: Probe, area: UInt32) throws(DeviceFailure) -> ProbeResult {
    var request = cmatest_probe()
    request.area = area
    switch kind {
    case .foreignPage: request.kind = UInt32(CMATEST_PROBE_FOREIGN_PAGE)
    case .noPages: request.kind = UInt32(CMATEST_PROBE_NO_PAGES)
    }
    try ask("probe area \(area)", &request)
    return ProbeResult(isRefused: request.refused == 1, frame: request.pfn)
  }

  public func place(
    _ handle: UInt32, in memory: UnsafeMutableRawPointer
  ) throws(DeviceFailure) -> Int {
    var request = cmatest_place()
    request.handle = handle
    request.address = UInt64(UInt(bitPattern: memory))
    try ask("place block \(handle) in memory", &request)
    return Int(request.placed)
  }

  public func place(
    _ handle: UInt32, in disk: borrowing Descriptor, at offset: Int
  ) throws(DeviceFailure) -> Int {
    var request = cmatest_place()
    request.handle = handle
    request.flags = UInt32(CMATEST_PLACE_IN_FILE)
    request.address = UInt64(offset)
    request.fd = disk.raw
    try ask("place block \(handle) in a file", &request)
    return Int(request.placed)
  }

  public func measure(_ measure: MeasureRequest) throws(DeviceFailure) -> Measurement {
    var request = cmatest_measure()
    request.area = measure.block.area
    request.order = measure.block.order
    request.count = measure.block.count
    request.requests = measure.requests
    request.duration_ns = measure.duration
    request.interval_ns = measure.interval
    request.stop_above_ns = measure.stopAbove
    request.hold = measure.hold
    request.threads = measure.threads
    request.flags = measure.takesTimes ? 0 : UInt32(CMATEST_MEASURE_NO_CLOCK)
    // Four histograms, each of four numbers and its bins.
    var words = [UInt64](
      repeating: 0, count: MemoryLayout<cmatest_histograms>.size / MemoryLayout<UInt64>.size)
    let code = words.withUnsafeMutableBufferPointer { words -> CInt in
      request.histograms = UInt64(UInt(bitPattern: words.baseAddress))
      // Not as other requests, which begin again: an interruption is what ends this one.
      return withUnsafeMutablePointer(to: &request) {
        call(descriptor.raw, cmatest_measure.number, UnsafeMutableRawPointer($0)) < 0 ? errno : 0
      }
    }
    if code == EINTR { return Measurement() }
    guard code == 0 else { throw DeviceFailure("measure: \(measure.block.words)", code) }
    var result = Measurement()
    result.done = request.done
    result.failed = request.failed
    result.refused = request.refused
    result.elapsed = request.elapsed_ns
    result.switches = request.switches
    result.moves = request.moves
    let found = request.found
    func known(_ value: UInt64, _ flag: CInt) -> UInt64? {
      found & UInt32(flag) == 0 ? nil : value
    }
    result.retries = known(request.retries, CMATEST_MEASURE_HAS_RETRIES)
    result.withoutHole = known(request.no_hole, CMATEST_MEASURE_HAS_RETRIES)
    result.migrated = known(request.migrated, CMATEST_MEASURE_HAS_MIGRATED)
    result.unmigrated = known(request.unmigrated, CMATEST_MEASURE_HAS_MIGRATED)
    if found & UInt32(CMATEST_MEASURE_SLOW) != 0 {
      result.slow = SlowAllocation(
        time: request.slow_ns,
        retries: known(request.slow_retries, CMATEST_MEASURE_HAS_RETRIES),
        migrated: known(request.slow_migrated, CMATEST_MEASURE_HAS_MIGRATED),
        pageInTheWay: request.slow_pfn == 0 ? nil : request.slow_pfn)
    }
    let size = words.count / 4
    func histogram(_ place: Int) -> Histogram {
      Histogram(kernel: words[place * size..<(place + 1) * size])
    }
    result.allocations = histogram(0)
    result.responses = histogram(1)
    result.failures = histogram(2)
    result.releases = histogram(3)
    return result
  }

  /// Returns a C string that Swift sees as a tuple of bytes.
  static func string<Bytes>(_ bytes: Bytes) -> String {
    withUnsafeBytes(of: bytes) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
  }
}

extension BlockRequest {
  /// The request in words, for messages.
  public var words: String {
    "allocate \(count) page\(count == 1 ? "" : "s") of order \(order) in area \(area)"
  }
}
