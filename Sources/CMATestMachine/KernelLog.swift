// SPDX-License-Identifier: GPL-2.0-or-later

public import CMATestSystem
internal import Glibc

/// One message of the kernel's log.
public struct KernelMessage: Equatable, Sendable {
  /// When it was written, in microseconds from the boot, sleep not counted.
  public var time: UInt64
  public var text: String

  public init(time: UInt64, text: String) {
    self.time = time
    self.text = text
  }
}

extension Machine {
  /// Reads the kernel's log as far as it goes back; only for root, where kernel.dmesg_restrict is 1.
  ///
  /// - Returns: the messages, oldest first.
  /// - Throws: the call that failed on /dev/kmsg.
  public func kernelLog() throws(SystemFailure) -> [KernelMessage] {
    let path = path("/dev/kmsg")
    let raw = try valueOrErrno(.open, path) { open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC) }
    let file = Descriptor(owning: raw, path: path)
    // One read gives one message, none longer than this.
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 16 << 10, alignment: 16)
    defer { buffer.deallocate() }
    var text: [UInt8] = []
    while true {
      do throws(SystemFailure) {
        let count = try file.read(into: buffer)
        if count == 0 { break }
        // Several times as much as the largest buffer of the kernel's log.
        guard text.count < 256 << 20 else { throw SystemFailure(.read, path, EFBIG) }
        text += buffer[..<count]
      } catch {
        // The end, on a device that could still get more.
        if error.code == EAGAIN { break }
        // Messages that were overwritten before they could be read.
        guard error.code == EPIPE else { throw error }
      }
    }
    return kernelMessages(text)
  }
}

/// Reads records of the form `PRIORITY,SEQUENCE,MICROSECONDS,FLAGS;TEXT`, each perhaps followed by
/// lines that begin with a blank. (`Documentation/ABI/testing/dev-kmsg`)
func kernelMessages(_ text: [UInt8]) -> [KernelMessage] {
  text.split(separator: UInt8(ascii: "\n")).compactMap { line in
    guard line.first != UInt8(ascii: " "), let semicolon = line.firstIndex(of: UInt8(ascii: ";"))
    else { return nil }
    let fields = line[..<semicolon].split(separator: UInt8(ascii: ","))
    guard fields.count > 2, let time = UInt64(String(decoding: fields[2], as: UTF8.self)) else {
      return nil
    }
    return KernelMessage(
      time: time, text: String(decoding: line[(semicolon + 1)...], as: UTF8.self))
  }
}
