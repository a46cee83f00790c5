// SPDX-License-Identifier: GPL-2.0-or-later

internal import CLinux
internal import Glibc

/// Returns the number of processors that this process may run on, at least 1.
public func processorCount() -> Int {
  max(1, Int(cma_test_cpu_count()))
}

/// Runs a body at the same time in several threads, one bound to each processor, and waits for all.
///
/// - Parameters:
///   - count: threads; those beyond the processors share them.
///   - body: takes the thread's number, from 0.
/// - Returns: what each of them returned, in their order.
/// - Throws: where a thread cannot be made; those that were made have ended by then.
public func inThreads<Result: Sendable>(
  _ count: Int, _ body: @escaping @Sendable (Int) -> Result
) throws(SystemFailure) -> [Result] {
  try inThreads(count, interruptedWhen: { _ in false }, body)
}

/// Runs a body at the same time in several threads, one bound to each processor, and waits for all, and
/// ends the system calls that they are in where there is a reason.
///
/// - Parameters:
///   - count: threads; those beyond the processors share them.
///   - isOver: asked about ten times a second, and after each thread that ended, with the results so far.
///     From the first `true` on, the other threads are interrupted until they end; so they are where not
///     all threads could be made.
///   - body: takes the thread's number, from 0. Calls through `valueOrErrno` do not end by that.
/// - Returns: what each of them returned, in their order.
/// - Throws: where a thread cannot be made; those that were made have ended by then.
public func inThreads<Result: Sendable>(
  _ count: Int, interruptedWhen isOver: ([Result]) -> Bool,
  _ body: @escaping @Sendable (Int) -> Result
) throws(SystemFailure) -> [Result] {
  let processors = processorCount()
  var threads: [pthread_t] = []
  var works: [Work<Result>] = []
  var code: CInt = 0
  for number in 0..<count {
    let work = Work {
      cma_test_let_interrupt()
      // A processor may have gone since it was counted: then the thread runs where it is.
      _ = cma_test_bind_to_cpu(CInt(number % processors))
      return body(number)
    }
    var thread = pthread_t()
    let argument = Unmanaged<AnyWork>.passRetained(work)
    code = pthread_create(
      &thread, nil,
      { argument in
        if let argument { Unmanaged<AnyWork>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, argument.toOpaque())
    guard code == 0 else {
      argument.release()
      break
    }
    threads.append(thread)
    works.append(work)
  }
  join(threads, works, isOver: code != 0, isOver)
  guard code == 0 else { throw SystemFailure(.thread, "thread \(threads.count)", code) }
  return works.compactMap(\.result)
}

private func join<Result>(
  _ threads: [pthread_t], _ works: [Work<Result>], isOver: Bool, _ ask: ([Result]) -> Bool
) {
  let interval: UInt64 = 100_000_000
  var isOver = isOver
  var running = Array(threads.indices)
  var results: [Result] = []
  while let next = running.first {
    // An interruption between two calls is lost, so one is not enough.
    if isOver { for thread in running { cma_test_interrupt(threads[thread]) } }
    let wait = isOver ? interval / 10 : interval
    let ended = running.filter { index in
      cma_test_join_within(threads[index], index == next ? wait : 0) == 0
    }
    running.removeAll(where: ended.contains)
    results += ended.compactMap { works[$0].result }
    isOver = isOver || ask(results)
  }
}

/// What the C function of a thread can call without knowing a result's type.
private class AnyWork {
  func run() {}
}

/// Written by one thread, and read when that has been joined.
private final class Work<Result: Sendable>: AnyWork {
  private let body: @Sendable () -> Result
  private(set) var result: Result?

  init(_ body: @escaping @Sendable () -> Result) { self.body = body }

  override func run() { result = body() }
}
