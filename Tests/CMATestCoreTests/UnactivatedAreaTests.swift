// SPDX-License-Identifier: GPL-2.0-or-later

import CMATestCore
import Testing

/// /proc/zoneinfo, cut, of 7.3.4+deb13-amd64 in a virtual machine of 2 GiB that was booted with
/// `cma=600M@0-3G movablecore=25%`.
private let zoneInformation = """
  Node 0, zone      DMA
    pages free     3840
          spanned  4095
          present  3998
          managed  3840
    start_pfn:           1
  Node 0, zone    DMA32
          spanned  389120
          present  389120
          managed  389120
    start_pfn:           4096
  Node 0, zone   Normal
          spanned  0
          present  0
          managed  0
  Node 0, zone  Movable
          spanned  131040
          present  131040
          managed  110194
    start_pfn:           393216
  Node 0, zone   Device
          spanned  0
          present  0
          managed  0

  """

/// What the same machine's log has of it.
private let messages = [
  "Command line: console=ttyS0 panic=-1 oops=panic cma=600M@0-3G movablecore=25%",
  "cma: Reserved 600 MiB at 0x0000000053c00000",
  "Memory: 1380180K/2096632K available (18255K kernel code, 614400K cma-reserved)",
  "cma: CMA area reserved could not be activated",
]

@Suite struct UnactivatedAreaTests {
  private let zones = memoryZones(inZoneInformation: Array(zoneInformation.utf8))

  private func area(
    size: UInt64? = 600 << 20, _ messages: [String] = messages, zones: [MemoryZone]? = nil,
    memory: [Range<UInt64>]? = [0x1000..<0x9fc00, 0x100000..<0x7ffe_0000]
  ) -> UnactivatedArea {
    UnactivatedArea(
      name: "reserved", size: size, log: AreaLog(messages), zones: zones ?? self.zones,
      memory: memory, pageSize: 4096, blockSize: 2 << 20)
  }

  @Test func readsTheZonesThatHaveMemory() {
    #expect(
      zones == [
        MemoryZone(node: 0, name: "DMA", frames: 1..<4096),
        MemoryZone(node: 0, name: "DMA32", frames: 4096..<393216),
        MemoryZone(node: 0, name: "Movable", frames: 393216..<524256),
      ])
    #expect(memoryZones(inZoneInformation: []).isEmpty)
    let huge = "Node 0, zone Device\n spanned 18446744073709551615\n start_pfn: 1\n"
    #expect(memoryZones(inZoneInformation: Array(huge.utf8)).isEmpty)
  }

  @Test func namesTheTwoZonesAndAPlaceInOne() {
    #expect(
      area().message
        == "the area 'reserved' was reserved at 0x53c00000-0x793fffff, but the kernel could not "
        + "activate it: the area lies in the zones DMA32 and Movable, and must lie in one")
    #expect(area().remedy == "cma-test reserve 600M@16M-1536M")
    // Without root there is no /proc/iomem to read.
    #expect(area(memory: nil).remedy == "cma-test reserve 600M@16M-1536M")
  }

  @Test func proposesLessWhereNoZoneHasRoomForAll() {
    let log = ["cma: Reserved 1400 MiB at 0x0000000020000000"]
    #expect(area(size: 1400 << 20, log).remedy == "cma-test reserve 700M@16M-1536M")
  }

  @Test func saysThatTheCauseIsNotKnown() {
    let elsewhere = ["cma: Reserved 600 MiB at 0x0000000010000000"]
    for area in [area(elsewhere), area([]), area(zones: []), area(size: nil, [])] {
      #expect(area.zones.isEmpty && area.message.hasSuffix("its log does not say why"))
    }
    #expect(area(size: nil, []).remedy == "dmesg | grep -i cma")
  }

  @Test func readsTheFormsThatTheLogHas() {
    let log = AreaLog([
      "cma: Reserved 64 MiB at 0x000000007c000000 on node -1",
      "cma: Reserved 1024 MiB in 2 ranges",
      "cma: Reserved memory: created CMA memory pool at 0x000000003c000000, size 64 MiB",
      "Reserved memory: created CMA memory pool at 0x3a000000, size 32 MiB",
      "cma: Failed to reserve 4096 MiB",
      "cma: Failed to reserve 4096 MiB on node 1",
      "cma: CMA area cma0\\x0a could not be activated",
      "cma: Reserved 18446744073709551615 MiB at 0xffffffffffffffff",
      "cma: Reserved x MiB at y", "cma: Reserved", "",
    ])
    #expect(
      log.reservations.map(\.base) == [0x7c00_0000, 0x3c00_0000, 0x3a00_0000])
    #expect(log.reservations.map(\.mebibytes) == [64, 64, 32])
    #expect(log.failures == 2)
    #expect(log.notActivated == ["cma0"])
    #expect(log.reservation(ofSize: 31 << 20 + 1)?.base == 0x3a00_0000)
    #expect(log.reservation(ofSize: 65 << 20) == nil)
  }
}
