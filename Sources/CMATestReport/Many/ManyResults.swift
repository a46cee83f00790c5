// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestBench

/// Results of many machines, of each of which little is kept: reading one more costs as much as the first.
package struct ManyResults {
  private let naming: MachineNaming
  private(set) var machines: [String: BoardResults] = [:]
  package private(set) var leftOut: [LeftOutFile] = []
  /// How many files are used.
  package private(set) var used = 0

  package init(_ naming: MachineNaming) { self.naming = naming }

  package var machineCount: Int { machines.count }

  /// Takes a file, or leaves it out with the reason.
  ///
  /// - Parameters:
  ///   - bytes: All of the file.
  ///   - file: Where it lies.
  package mutating func add(_ bytes: [UInt8], of file: FoundFile) {
    let result: BoardResult
    do throws(UnusableFile) {
      result = try BoardResult(reading: bytes, path: file.path)
    } catch {
      return leaveOut(file, because: error.reason)
    }
    let folder = file.machine(result.kernel)
    let name = naming == .host ? result.host ?? folder : folder
    if let copied = machines[name, default: BoardResults(name)].add(result) {
      leaveOut(file, because: "the same as \(copied)")
    } else {
      used += 1
    }
  }

  /// Leaves a file out that cannot be read.
  package mutating func leaveOut(_ file: FoundFile, because reason: String) {
    leftOut.append(LeftOutFile(path: file.path, reason: reason))
  }
}

/// The results of one machine.
struct BoardResults {
  let name: String
  private(set) var results: [BoardResult] = []
  /// What the machine was when it was last measured.
  private(set) var facts: [ResultSummary.Fact] = []
  private var factsTime = ""
  /// The processors that results of this name tell of: several are several machines.
  private(set) var processors: Set<String> = []
  private var places: [BoardContent: Int] = [:]

  init(_ name: String) { self.name = name }

  /// Adds a result; returns the file that it is a copy of, where it is one.
  mutating func add(_ result: BoardResult) -> String? {
    if let place = places[result.content] { return results[place].file }
    places[result.content] = results.count
    var result = result
    if !result.facts.isEmpty {
      if let processor = result.facts.first(where: { $0.name == "cpu" }) {
        processors.insert(processor.value)
      }
      if result.time >= factsTime { (facts, factsTime) = (result.facts, result.time) }
      result.facts = []
    }
    results.append(result)
    return nil
  }
}
