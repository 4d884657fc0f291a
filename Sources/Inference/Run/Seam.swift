/// The last columns of every row that a strip made, for the strip to the right of it, which then leaves its own there.
final class Seam {
  private let places: [Int]
  private let rowBytes: Int
  private var arena = Arena()
  private var memory: UnsafeMutablePointer<UInt8>
  private var capacity = 0

  var bytes: Int { arena.bytes }

  init(_ plan: Plan) {
    var place = 0
    places = plan.steps.indices.map { tensor in
      defer { place += plan.carried[tensor] * plan.steps[tensor] }
      return place
    }
    rowBytes = place
    memory = arena.make(UInt8.self, count: 1)
  }

  /// Makes room for so many rows of every tensor; what was there may be lost.
  func reserve(rows: Int) {
    guard rows > capacity else { return }
    capacity = rows
    arena = Arena()
    memory = arena.make(UInt8.self, count: rows * rowBytes)
  }

  /// - Parameter row: counted from the first that is made.
  func row(_ row: Int, of tensor: Int) -> UnsafeMutablePointer<UInt8> { memory + row * rowBytes + places[tensor] }
}
