// SPDX-License-Identifier: GPL-2.0-or-later

internal import CMATestSystem

/// A load that runs.
package protocol RunningLoad {
  /// Throws where the load has died or holds nothing any more.
  func check() throws(LoadFailure)
  /// Ends the load and waits until memory and files are given back. Safe to call twice.
  func stop()
}

/// Starts loads, each in a process of its own, which ends with the thread that started it.
package struct LoadStarter {
  /// Milliseconds that a load has to end by itself: a command of the user has a part of that.
  private static let grace = 10_000

  private let child: [String]
  private let settings: LoadSettings

  /// - Parameters:
  ///   - child: the path and first arguments that make this program run a load (`LoadWork`).
  ///   - folder: the folder for files, on a disk.
  ///   - area: the page frame numbers of the area that is measured; nil where they are not known, which
  ///     leaves more of the area free.
  ///   - spare: bytes besides that the load leaves free outside the area, as for the pages that are in the
  ///     way of the largest block.
  ///   - most: the most bytes that the load may have.
  package init(
    child: [String], folder: String, area: Range<UInt64>? = nil, spare: UInt64 = 0,
    most: UInt64 = .max
  ) {
    self.child = child
    settings = LoadSettings(folder: folder, area: area, spare: spare, most: most)
  }

  /// Starts a load, and returns when the load is there.
  ///
  /// Call this from a thread that lasts as long as the load is to last.
  ///
  /// - Parameters:
  ///   - kind: the kind of the load.
  ///   - ending: asked many times a second; true gives up.
  /// - Returns: the load, whose memory is filled, or whose file is read.
  /// - Throws: the reason why it does not load.
  package func start(
    _ kind: LoadKind, ending: () -> Bool
  ) throws(LoadFailure) -> any RunningLoad {
    guard kind != .none else { return NoLoad() }
    let load = kind.word
    let process: WorkerProcess
    do throws(SystemFailure) {
      guard let program = child.first else {
        throw SystemFailure(.spawn, "", SystemFailure.noSuchFile)
      }
      process = try WorkerProcess(
        program, child.dropFirst() + settings.arguments + ["--", load])
    } catch {
      throw .notStarted(load: load, error)
    }
    let running = LoadProcess(load, process, grace: Self.grace)
    do throws(LoadFailure) {
      try running.waitUntilLoaded(ending: ending)
    } catch {
      running.stop()
      throw error
    }
    return running
  }
}

private struct NoLoad: RunningLoad {
  func check() throws(LoadFailure) {}
  func stop() {}
}

/// A load in a process of its own.
private final class LoadProcess: RunningLoad {
  private let load: String
  private let process: WorkerProcess
  private let grace: Int
  private var hasLoaded = false
  private var failure: LoadFailure?

  init(_ load: String, _ process: WorkerProcess, grace: Int) {
    self.load = load
    self.process = process
    self.grace = grace
  }

  deinit { stop() }

  func waitUntilLoaded(ending: () -> Bool) throws(LoadFailure) {
    while !hasLoaded {
      if ending() { throw .givenUp(load: load) }
      try read(within: 50)
    }
  }

  func check() throws(LoadFailure) {
    if let failure { throw failure }
    process.look()
    try read(within: 0)
  }

  func stop() { process.stop(within: grace) }

  private func read(within milliseconds: CInt) throws(LoadFailure) {
    let answer: WorkerProcess.Answer
    do throws(SystemFailure) {
      answer = try process.line(within: milliseconds)
    } catch {
      throw fail(.notStarted(load: load, error))
    }
    switch answer {
    case .line(let line):
      switch LoadReport(line) {
      case .loaded: hasLoaded = true
      case .failed(let reason, let remedy):
        throw fail(
          hasLoaded
            ? .endedEarly(load: load, reason: reason, remedy: remedy)
            : .notLoaded(load: load, reason: reason, remedy: remedy))
      case nil: break
      }
    case .nothing: break
    case .closed: throw fail(endWithoutAWord())
    }
  }

  private func fail(_ failure: LoadFailure) -> LoadFailure {
    self.failure = failure
    return failure
  }

  private func endWithoutAWord() -> LoadFailure {
    process.stop(within: grace)
    switch process.end {
    case .signal(let signal): return .killed(load: load, signal: signal)
    case .exit(let code): return .vanished(load: load, exitCode: code)
    case nil: return .vanished(load: load, exitCode: -1)
    }
  }
}

/// A line by which the process of a load tells how it goes.
enum LoadReport: Equatable {
  /// It has loaded; pages that it holds, and that lie in the area, where that is known.
  case loaded(held: UInt64, inArea: UInt64?)
  case failed(reason: String, remedy: String)

  init?(_ line: String) {
    let fields = line.split(separator: "\t", omittingEmptySubsequences: false).map(String.init)
    if fields.count == 3, fields[0] == "loaded", let held = UInt64(fields[1]) {
      self = .loaded(held: held, inArea: UInt64(fields[2]))
    } else if fields.count == 3, fields[0] == "failed" {
      self = .failed(reason: fields[1], remedy: fields[2])
    } else {
      return nil
    }
  }

  /// The line with its newline.
  var line: String {
    switch self {
    case .loaded(let held, let inArea): "loaded\t\(held)\t\(inArea.map { "\($0)" } ?? "-")\n"
    case .failed(let reason, let remedy): "failed\t\(printable(reason))\t\(printable(remedy))\n"
    }
  }
}
