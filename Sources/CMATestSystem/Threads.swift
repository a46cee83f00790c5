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
  let processors = processorCount()
  var threads: [pthread_t] = []
  var works: [Work<Result>] = []
  var code: CInt = 0
  for number in 0..<count {
    let work = Work {
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
  for thread in threads { pthread_join(thread, nil) }
  guard code == 0 else { throw SystemFailure(.thread, "thread \(threads.count)", code) }
  return works.compactMap(\.result)
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
