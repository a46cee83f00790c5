package enum LoadKind: Hashable, Sendable { case none, anon, cache, dirty, pinned, churn, command(String)
  package init?(parsing word: String) { if word == "none" { self = .none } else if word == "anon" { self = .anon } else { return nil } }
  package var word: String { self == .none ? "none" : "anon" } }
package enum LoadFailure: Error, Equatable, Sendable { case x
  package var message: String { "x" }
  package var remedy: String { "y" } }
package protocol RunningLoad { func check() throws(LoadFailure); func stop() }
