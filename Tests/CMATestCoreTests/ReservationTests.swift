// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import TestSupport
import Testing

@Suite struct ReservationTests {
  @Test(
    arguments: [
      ("268435456", 256 << 20), ("256M", 256 << 20), ("256m", 256 << 20), ("1G", 1 << 30),
      ("64k", 64 << 10), ("1t", 1 << 40), ("2P", 2 << 50), ("15E", 15 << 60),
      ("0x10000000", 256 << 20), ("0X10000000", 256 << 20), ("0x100M", 256 << 20),
      ("0400M", 256 << 20), ("0", 0),
      // E is a digit there, and no suffix.
      ("0x1E", 0x1E), ("0x1eM", 0x1E << 20), ("0xG", 0),
    ] as [(String, UInt64)])
  func readsSizesAsTheKernelDoes(_ text: String, _ size: UInt64) {
    #expect(KernelCommandLine("cma=\(text)").cma?.size == size)
    guard text != "0xG" else { return }
    #expect((try? CMAReservation(parsing: text))?.size == size)
  }

  @Test func readsStartAndEnd() throws {
    let plain = try CMAReservation(parsing: "64M")
    #expect(plain.start == nil && plain.end == nil)
    let fixed = try CMAReservation(parsing: "64M@0x80000000")
    #expect(fixed.start == 0x8000_0000 && fixed.end == nil)
    #expect(fixed.request.isFixed && fixed.request.limit == 0x8400_0000)
    let range = try CMAReservation(parsing: "64M@1G-4G")
    #expect(range.start == 1 << 30 && range.end == 4 << 30)
    #expect(!range.request.isFixed)
    #expect(try CMAReservation(parsing: "64M@1G-0x44000000").request.isFixed)
  }

  @Test(arguments: [
    ("", CMAGrammarError.noNumber("SIZE")), ("M", .noNumber("SIZE")), ("-1", .noNumber("SIZE")),
    ("+1M", .noNumber("SIZE")), (" 1M", .noNumber("SIZE")), ("all", .noNumber("SIZE")),
    ("64M@", .noNumber("START")), ("64M@-1G", .noNumber("START")),
    ("64M@1G-", .noNumber("END")), ("64M@1G-x", .noNumber("END")),
    ("256MB", .trailing("B")), ("256MiB", .trailing("iB")), ("256 M", .trailing(" M")),
    ("64M-1G", .trailing("-1G")), ("64M@1G-2G-3G", .trailing("-3G")),
    ("64M,64M", .trailing(",64M")),
    ("09M", .trailing("9M")), ("0xG", .trailing("xG")), ("1.5G", .trailing(".5G")),
    ("50%", .trailing("%")), ("64M\n", .trailing("\n")),
    ("16E", .tooLarge("SIZE")), ("99999999999999999999", .tooLarge("SIZE")),
    ("64M@16E", .tooLarge("START")), ("64M@0-0x10000000000000000", .tooLarge("END")),
  ])
  func refusesWhatTheKernelWouldTakeForSomethingElse(_ text: String, _ error: CMAGrammarError) {
    #expect(throws: error) { try CMAReservation(parsing: text) }
    #expect(!error.message.isEmpty)
  }

  /// Texts put together at random from what a reservation is made of, and from what it is not.
  @Test(arguments: 0..<16 as Range<UInt64>)
  func agreesWithANaiveReferenceOnRandomTexts(_ seed: UInt64) {
    var random = SeededGenerator(state: seed)
    let tokens = ["0", "0x", "7", "9", "12", "f", "E", "k", "M", "g", "T", "p", "e", "@", "-", "B"]
    for _ in 0..<400 {
      let text = (0..<Int.random(in: 0..<9, using: &random))
        .map { _ in tokens.randomElement(using: &random) ?? "" }.joined()
      let kernel = naiveRequest(text)
      #expect(KernelCommandLine("cma=\(text)").cma == kernel.request, "\(text)")
      let reservation = try? CMAReservation(parsing: text)
      #expect((reservation == nil) == !kernel.isClean, "\(text)")
      if let reservation { #expect(reservation.request == kernel.request, "\(text)") }
    }
  }
}

@Suite struct KernelCommandLineTests {
  @Test func onlyCMAOfTheDefaultAreaCounts() {
    #expect(
      KernelCommandLine(
        "ro cma_pernuma=1M numa_cma=0:2M hugetlb_cma=1G xcma=3M CMA=4M nocma quiet\n"
      ).cma == nil)
    #expect(KernelCommandLine("ro numa_cma=0:2M cma=5M quiet").cma?.size == 5 << 20)
    #expect(KernelCommandLine("ro -- cma=5M").cma == nil)
    #expect(KernelCommandLine("x=\"a cma=5M\" ro").cma == nil)
    #expect(KernelCommandLine("\"cma=5M\"").cma?.size == 5 << 20)
  }

  @Test func lastOneCountsButAnEarlierAddressStays() {
    #expect(KernelCommandLine("cma=1M cma=2M").cma?.size == 2 << 20)
    var kept = CMARequest()
    kept.size = 2 << 20
    kept.base = 1 << 30
    kept.limit = (1 << 30) + (1 << 20)
    #expect(KernelCommandLine("cma=1M@1G cma=2M").cma == kept)
  }

  private func edited(_ line: String, _ reservation: String?) throws -> String? {
    KernelCommandLine.replacingCMA(
      in: Array(line.utf8), with: try reservation.map(CMAReservation.init(parsing:))
    ).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test(arguments: [
    (
      "root=/dev/vda1 cma=1M ro  cma_pernuma=1M cma=2M@1G quiet\n",
      "root=/dev/vda1 ro  cma_pernuma=1M quiet"
    ),
    ("root=\"PARTLABEL=Debian  root\" ro", "root=\"PARTLABEL=Debian  root\" ro"),
    ("cma=1M \"cma=2M\" cma=\"3M\" ro", "ro"),
    ("  ro\tquiet cma=1M \r\n", "ro\tquiet"),
    ("", ""), ("cma=1M", ""), ("x=\"a cma=1M b\"", "x=\"a cma=1M b\""),
  ])
  func replacingKeepsAllOtherBytes(_ line: String, _ without: String) throws {
    #expect(try edited(line, nil) == without)
    #expect(try edited(line, "3M") == (without.isEmpty ? "" : without + " ") + "cma=3M")
  }

  @Test func replacingPutsItWhereTheKernelReadsIt() throws {
    #expect(try edited("ro -- cma=1M single", "3M") == "ro cma=3M -- cma=1M single")
    #expect(try edited("-- single", "3M") == "cma=3M -- single")
    // The quote is never closed, so what follows belongs to it.
    #expect(try edited("ro x=\"a b", "3M") == "cma=3M ro x=\"a b")
  }
}

@Suite struct ByteCountTests {
  @Test(
    arguments: [
      (0, "0 bytes", "0"), (1023, "1023 bytes", "1023"), (1024, "1 KiB", "1K"),
      (1536, "1.5 KiB", "1536"), (256 << 20, "256 MiB", "256M"), (3 << 29, "1.5 GiB", "1536M"),
      ((1 << 30) + 1, "1 GiB", "1073741825"), (.max, "15.9 EiB", "18446744073709551615"),
      (15 << 60, "15 EiB", "15E"),
    ] as [(UInt64, String, String)])
  func saysBytesForPeopleAndForTheKernel(_ bytes: UInt64, _ people: String, _ kernel: String) {
    #expect(byteCount(bytes) == people)
    #expect(kernelSize(bytes) == kernel)
  }
}

@Suite struct PhysicalMemoryTests {
  @Test func readsMemoryInformation() {
    let text = Array("MemTotal:  8000000 kB\nHugePages_Total:       0\nCmaTotal:  65536 kB\n".utf8)
    let information = MemoryInformation(parsing: text)
    #expect(information["MemTotal"] == 8_192_000_000)
    #expect(information["CmaTotal"] == 64 << 20)
    #expect(information["HugePages_Total"] == nil)
  }

  @Test func joinsRangesOfMemoryAndPassesOverTheirParts() {
    let text = """
      00000000-00000fff : Reserved
      00001000-0009ffff : System RAM
      000a0000-000fffff : System RAM
        000a0000-000bffff : PCI Bus 0000:00
      00100000-bffd9fff : System RAM
        01000000-01ffffff : Kernel code
      100000000-23fffffff : System RAM

      """
    #expect(
      systemRAM(inIOMemory: Array(text.utf8))
        == [0x1000..<0xbffd_a000, 0x1_0000_0000..<0x2_4000_0000])
  }

  @Test func knowsWhenRangesAreHidden() {
    let text = "00000000-00000000 : System RAM\n00000000-00000000 : System RAM\n"
    #expect(systemRAM(inIOMemory: Array(text.utf8)) == nil)
  }

  @Test func readsBlocksAndZones() {
    let types = "Page block order: 9\nPages per block:  512\n\nFree pages count per migrate type\n"
    #expect(pagesPerBlock(inPageTypeInformation: Array(types.utf8)) == 512)
    #expect(pagesPerBlock(inPageTypeInformation: []) == nil)
    let zones = """
      Node 0, zone      DMA
        pages free     3840
              present  3998
      Node 0, zone    DMA32
              present  700000
      Node 1, zone      DMA
              present  2

      """
    #expect(presentPages(ofZone: "DMA", inZoneInformation: Array(zones.utf8)) == 4000)
    #expect(presentPages(ofZone: "DMA32", inZoneInformation: Array(zones.utf8)) == 700_000)
    #expect(presentPages(ofZone: "Normal", inZoneInformation: Array(zones.utf8)) == 0)
  }
}
