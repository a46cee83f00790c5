// SPDX-License-Identifier: GPL-2.0-or-later

internal import CCMATestABI
internal import Glibc

extension cmatest_frames: RequestStructure {
  static var number: UInt { cmatest_request_frames }
}
extension cmatest_path: RequestStructure {
  static var number: UInt { cmatest_request_path }
}
extension cmatest_entry: RequestStructure {
  static var number: UInt { cmatest_request_entry }
}
extension cmatest_witness: RequestStructure {
  static var number: UInt { cmatest_request_witness }
}

extension KernelDevice: AreaInsight {
  public func look(
    at frames: Range<UInt64>, in area: UInt32, _ body: (FrameRun) -> Void
  ) throws(DeviceFailure) {
    let room = 8192
    var runs = [cmatest_frame_run](repeating: cmatest_frame_run(), count: room)
    var request = cmatest_frames()
    request.area = area
    request.pfn = frames.lowerBound
    request.count = frames.upperBound - frames.lowerBound
    while request.count > 0 {
      request.room = UInt32(room)
      request.flags = 0
      let before = request.count
      let code = runs.withUnsafeMutableBufferPointer { runs -> CInt in
        request.runs = UInt64(UInt(bitPattern: runs.baseAddress))
        return Self.outcome(of: { () throws(DeviceFailure) in try ask("", &request) })
      }
      guard code == 0 else { throw DeviceFailure("look at pages of area \(area)", code) }
      request.made = min(request.made, UInt32(room))
      for run in runs.prefix(Int(request.made)) { body(FrameRun(run)) }
      // A signal ends the request early, but never before the first run.
      guard request.count < before else {
        throw DeviceFailure("look at pages of area \(area)", EINTR)
      }
      request.found = 0
    }
  }

  public func file(of frame: UInt64, in area: UInt32) throws(DeviceFailure) -> PageFile? {
    var request = cmatest_path()
    request.area = area
    request.pfn = frame
    let (code, text) = asking { text -> CInt in
      (request.text, request.room) = text
      return Self.outcome(of: { () throws(DeviceFailure) in try ask("", &request) })
    }
    if code == ENODATA || code == EBUSY { return nil }
    guard code == 0 else { throw DeviceFailure("name the file of a page of area \(area)", code) }
    let hasPath = request.found & UInt32(CMATEST_PATH_HAS_PATH) != 0
    return PageFile(
      inode: request.inode, device: request.device,
      path: hasPath ? text(request.length) : nil, fileSystem: Self.string(request.fs))
  }

  public func ledger(from frame: UInt64) throws(DeviceFailure) -> Ledger {
    var request = cmatest_entry()
    request.pfn = frame
    let (code, text) = asking { text -> CInt in
      (request.text, request.room) = text
      return Self.outcome(of: { () throws(DeviceFailure) in try ask("", &request) })
    }
    guard code == 0 else { throw DeviceFailure("read the ledger of blocks", code) }
    func has(_ flag: CInt) -> Bool { request.found & UInt32(flag) != 0 }
    var ledger = Ledger(
      isKept: has(CMATEST_LEDGER_ON), most: request.most, live: request.live,
      missed: request.missed, began: request.loaded_ns)
    guard has(CMATEST_LEDGER_HAS_BLOCK) else { return ledger }
    let stack = text(request.length).split(separator: "\n").map(String.init)
    ledger.block = Ledger.Block(
      request.pfn..<request.pfn &+ request.count, time: request.time_ns,
      process: Int32(truncatingIfNeeded: request.pid), command: Self.string(request.comm),
      stack: stack, isOfModule: has(CMATEST_LEDGER_OWN))
    return ledger
  }

  public func witness(_ block: BlockRequest) throws(DeviceFailure) -> Witness {
    let room = 256
    var attempts = [cmatest_attempt](repeating: cmatest_attempt(), count: room)
    var request = cmatest_witness()
    request.area = block.area
    request.order = block.order
    request.count = block.count
    request.flags = UInt32(CMATEST_NO_WARN)
    request.room = UInt32(room)
    let code = attempts.withUnsafeMutableBufferPointer { attempts -> CInt in
      request.attempts = UInt64(UInt(bitPattern: attempts.baseAddress))
      return Self.outcome(of: { () throws(DeviceFailure) in try ask("", &request) })
    }
    // The answer is written for ENOMEM, too.
    guard [0, ENOMEM, EINTR].contains(code) else { throw DeviceFailure(block.words, code) }
    var witness = Witness()
    witness.nanoseconds = request.ns
    if code == 0 {
      witness.block = Block(
        handle: request.handle, frame: request.pfn, count: block.count, nanoseconds: request.ns)
    } else {
      witness.cause = code == EINTR ? .killed : Witness.Cause(kernel: request.cause)
    }
    guard code != EINTR else { return witness }
    func known(_ value: UInt64, _ flag: CInt) -> UInt64? {
      request.found & UInt32(flag) == 0 ? nil : value
    }
    witness.errno = known(UInt64(request.error), CMATEST_WITNESS_HAS_ERROR).flatMap {
      $0 == 0 ? nil : UInt32($0)
    }
    witness.failed = known(request.failed, CMATEST_WITNESS_HAS_ATTEMPTS)
    witness.refused = known(request.refused, CMATEST_WITNESS_HAS_IN_THE_WAY)
    witness.migrated = known(request.migrated, CMATEST_WITNESS_HAS_MIGRATION)
    witness.unmigrated = known(request.unmigrated, CMATEST_WITNESS_HAS_MIGRATION)
    witness.attempts = attempts.prefix(min(room, Int(request.made))).map { attempt in
      .init(
        frame: attempt.pfn, inTheWay: attempt.in_the_way == 0 ? nil : attempt.in_the_way,
        nanoseconds: attempt.ns)
    }
    return witness
  }

  /// Makes a request that writes text.
  ///
  /// - Parameter request: takes the address of the text and its room; returns errno, or 0.
  /// - Returns: errno, or 0, and what reads so many bytes of the text.
  private func asking(
    _ request: ((UInt64, UInt32)) -> CInt
  ) -> (CInt, (UInt32) -> String) {
    var bytes = [UInt8](repeating: 0, count: 4096)
    let code = bytes.withUnsafeMutableBytes { bytes in
      request((UInt64(UInt(bitPattern: bytes.baseAddress)), UInt32(bytes.count)))
    }
    return (code, { String(decoding: bytes.prefix(Int($0)), as: UTF8.self) })
  }

  /// Returns the errno of a request that may fail for a reason that is a result; 0 for none.
  private static func outcome(of request: () throws(DeviceFailure) -> Void) -> CInt {
    do throws(DeviceFailure) {
      try request()
      return 0
    } catch {
      return error.code
    }
  }
}

extension FrameRun {
  fileprivate init(_ run: cmatest_frame_run) {
    // A kind of a later module is none that is known here.
    self.init(run.pfn..<run.pfn &+ run.count, Kind(rawValue: run.kind) ?? .changing)
    flags = Flags(rawValue: run.flags)
    inode = run.inode
    device = run.device
    order = run.order
    maps = run.maps
    extra = run.extra
  }
}

extension Witness.Cause {
  fileprivate init(kernel cause: UInt32) {
    self =
      switch CInt(cause) {
      case CMATEST_CAUSE_LARGER: .larger
      case CMATEST_CAUSE_NO_HOLE: .noHole
      case CMATEST_CAUSE_IN_USE: .inUse
      case CMATEST_CAUSE_REFUSED: .refused
      case CMATEST_CAUSE_NO_MEMORY: .noMemory
      default: .notKnown
      }
  }
}
