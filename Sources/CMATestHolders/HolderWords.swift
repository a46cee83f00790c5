// SPDX-License-Identifier: GPL-2.0-or-later

package import CMATestDevice
package import CMATestMachine

/// Names who is in the way, in one line.
package struct HolderWords: HolderNaming {
  /// The holders that are named.
  private static let named = 3

  private let file: any DeviceFile
  private let insight: any AreaInsight
  private let machine: Machine

  /// - Parameters:
  ///   - file: the open device.
  ///   - insight: the same, which looks at pages.
  ///   - machine: the running machine.
  package init(file: any DeviceFile, insight: any AreaInsight, machine: Machine) {
    self.file = file
    self.insight = insight
    self.machine = machine
  }

  package func holder(of frame: UInt64, in place: AreaPlace) -> String? {
    guard let observer = AreaObserver(insight: insight, machine: machine, place: place),
      let looked = try? observer.look(atPages: [frame])
    else { return nil }
    return observer.holders(of: looked).holders.first?.words
  }

  package func obstacle(to request: BlockRequest, in place: AreaPlace) -> String? {
    var explainer = Explainer(
      file: file, insight: insight, machine: machine,
      explanation: AreaExplanation(
        title: place.title, index: place.index, isDefault: false, pageSize: place.pageSize,
        pages: place.pages, available: nil), frames: place.frames, blockPages: 1)
    guard
      let explanation = try? explainer.explain([WantedBlocks(request)], isEnding: { false }),
      let failure = explanation.failure, let cause = failure.witness.cause
    else { return nil }
    let holders = failure.inTheWay.prefix(Self.named).map(\.words)
    let more = failure.inTheWay.count - holders.count
    let names = holders.joined(separator: "; ") + (more > 0 ? "; \(more) more" : "")
    return holders.isEmpty ? cause.words : "\(cause.words): \(names)"
  }
}

extension WantedBlocks {
  /// Makes one block of a request.
  fileprivate init(_ request: BlockRequest) {
    text = "\(request.count)p"
    size = .pages(request.count)
    alignment = .pages(UInt64(1) << UInt64(min(request.order, 51)))
    blocks = 1
  }
}

extension Witness.Cause {
  /// The cause in a few words.
  package var words: String {
    switch self {
    case .larger: "larger than the area"
    case .noHole: "no range without a block"
    case .inUse: "pages in use"
    case .refused: "no range could be isolated"
    case .noMemory: "no memory elsewhere to move pages to"
    case .killed: "killed"
    case .notKnown: "not known, because this kernel does not tell enough"
    }
  }
}
