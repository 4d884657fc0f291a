import Foundation

/// `exit`, which inside a `ParsableCommand` names another function.
func exitProcess(_ code: Int32) -> Never { exit(code) }
