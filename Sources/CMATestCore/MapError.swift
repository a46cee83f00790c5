// SPDX-License-Identifier: GPL-2.0-or-later

/// Runs a body and makes another error of the error that it throws.
///
/// - Parameters:
///   - transform: makes the error to throw.
///   - body: what may fail; a closure says its type, as `{ () throws(SystemFailure) in … }`.
/// - Returns: what the body returned.
/// - Throws: what `transform` made.
public func mapError<Value, Failure: Error, NewFailure: Error>(
  _ transform: (Failure) -> NewFailure, _ body: () throws(Failure) -> Value
) throws(NewFailure) -> Value {
  do throws(Failure) {
    return try body()
  } catch {
    throw transform(error)
  }
}
