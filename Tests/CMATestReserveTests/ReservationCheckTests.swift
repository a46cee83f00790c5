// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import CMATestReserve
import Testing

@Suite struct ReservationCheckTests {
  /// 4 GiB in two parts, as below and above a PC's devices.
  private let machine = PhysicalMemory(
    total: 4 << 30, blockSize: 2 << 20,
    ranges: [0x10_0000..<0xC000_0000, 0x1_0000_0000..<0x1_4000_0000])

  private func refusal(_ text: String, _ memory: PhysicalMemory? = nil) throws -> String? {
    let reservation = try CMAReservation(parsing: text)
    do throws(ReserveFailure) {
      _ = try reservation.check(on: memory ?? machine)
      return nil
    } catch {
      #expect(error.exitStatus == .cannotReserve && !error.remedy.isEmpty)
      return error.message
    }
  }

  private func notes(_ text: String, _ memory: PhysicalMemory? = nil) throws -> [String] {
    try CMAReservation(parsing: text).check(on: memory ?? machine)
  }

  @Test(arguments: [
    "256M", "3G", "2M", "64M@1G", "64M@4G", "64M@0-4G", "64M@0-0", "64M@0x100000-4G", "64M@3G-5G",
    "256M@0xa0000000-0xb0000000", "0x4000000", "1M",
  ])
  func takesWhatTheKernelWouldReserve(_ text: String) throws {
    #expect(try refusal(text) == nil)
  }

  @Test(arguments: [
    ("0", "reserves nothing"), ("0M@1G", "reserves nothing"),
    ("3073M", "need 1 GiB"), ("16G", "need 1 GiB"), ("0xffffffffffffffff", "need 1 GiB"),
    ("64M@0", "@0 alone"),
    ("64M@0x40100000", "START must be a multiple of 2 MiB"),
    ("3M@1G", "SIZE must be a multiple of 2 MiB"),
    ("64M@3G", "no memory for the area at that place"), ("64M@8G", "no memory for the area"),
    ("128M@0xbc000000", "no memory for the area"), ("64M@3G-4G", "no memory for the area"),
    ("2G@2G-8G", "no memory for the area"),
    ("64M@1G-1G", "do not fit between"), ("64M@2G-1G", "do not fit between"),
    ("63M@1G-0x43f00000", "multiple of 2 MiB"), ("64M@1M-0x4180000", "do not fit between"),
    ("64M@0xffffffffffffffff-0", "do not fit between"),
  ])
  func refusesWhatTheKernelWouldRefuse(_ text: String, _ reason: String) throws {
    let refusal = try refusal(text)
    #expect(refusal?.contains(reason) == true, "\(refusal ?? "taken")")
  }

  /// What is advised is then taken.
  @Test(arguments: ["64M@1M", "64M@0x40100000", "64M@0xfffff"])
  func advisesAStartThatIsPossible(_ text: String) throws {
    let reservation = try CMAReservation(parsing: text)
    do throws(ReserveFailure) {
      _ = try reservation.check(on: machine)
      Issue.record("taken")
    } catch {
      let start = error.remedy.split(separator: " ").first { $0.hasPrefix("0x") } ?? ""
      #expect(try refusal("64M@\(start.dropLast())") == nil)
    }
  }

  @Test func saysThatTheKernelRoundsUp() throws {
    #expect(try notes("4M") == [])
    #expect(
      try notes("3M") == ["the kernel reserves whole blocks of 2 MiB: 3 MiB become 4 MiB"])
    // A kernel with pages of 64 KiB.
    let large = PhysicalMemory(total: 4 << 30, blockSize: 512 << 20)
    #expect(try notes("64M", large).first?.contains("64 MiB become 512 MiB") == true)
    #expect(try refusal("64M@256M", large)?.contains("multiple of 512 MiB") == true)
  }

  @Test func leavesTheKernelAQuarterAndAtLeast128MiB() throws {
    func largest(_ total: UInt64) -> UInt64 {
      PhysicalMemory(total: total, blockSize: 2 << 20).largestArea
    }
    #expect(largest(4 << 30) == 3 << 30)
    #expect(largest(256 << 20) == 128 << 20)
    #expect(largest(100 << 20) == 0)
    #expect(try refusal("3G") == nil)
    #expect(try refusal("3074M") != nil)
  }

  @Test func saysWhatItDoesNotKnowOfAPlace() throws {
    let hidden = PhysicalMemory(total: 4 << 30, blockSize: 2 << 20)
    #expect(try notes("64M@64G", hidden).first?.contains("/proc/iomem") == true)
    #expect(try notes("64M", hidden) == [])
  }

  @Test func saysWhatIsAtAPlaceInThisBoot() throws {
    let busy = PhysicalMemory(
      total: 4 << 30, blockSize: 2 << 20, ranges: [0x10_0000..<0xC000_0000],
      occupied: [
        OccupiedMemory(0x100_0000..<0x200_0000, "Kernel code"),
        OccupiedMemory(0xA000_0000..<0xA400_0000, "Reserved"),
      ])
    for (text, owners) in [
      ("256M@16M", ["Kernel code"]), ("64M@0xa0000000", ["Reserved"]),
      ("2M@0xa2000000", ["Reserved"]),
      ("64M@1G", []), ("64M@0-4G", []), ("32M@0xa0000000-0xa4000000", ["Reserved"]),
      ("32M@0x9f000000-0xa4000000", ["Reserved"]), ("2M@0x9f000000-0xa4000000", []),
      ("3M@0-4G", ["3 MiB become"]), ("256M", []),
    ] {
      let notes = try notes(text, busy)
      #expect(notes.count == owners.count, "\(text): \(notes)")
      for (note, owner) in zip(notes, owners) { #expect(note.contains(owner)) }
    }
  }

  @Test func knowsTheBoundThatArm64HasWithoutAnAddress() throws {
    let board = PhysicalMemory(
      total: 8 << 30, blockSize: 2 << 20, ranges: [0..<8 << 30], reachableByAll: 1 << 30)
    #expect(try refusal("512M", board) == nil)
    #expect(try refusal("2G", board)?.contains("the 1 GiB that every device can reach") == true)
    #expect(try refusal("2G@0-0", board)?.contains("every device") == true)
    #expect(try refusal("2G@0-8G", board) == nil)
  }
}
