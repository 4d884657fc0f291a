import Frames
import Randomness
import Testing

@testable import Inference
@testable import Kernels

@Suite struct RowSharesTests {
  @Test(arguments: [[0..<10], [0..<1, 5..<9, 20..<21], [3..<4], []], [1, 2, 3, 8])
  func sharesCoverEveryRowOnce(_ ranges: [Range<Int>], count: Int) {
    let shares = RowShares.shares(of: ranges, among: count)
    let total = ranges.reduce(0) { $0 + $1.count }
    #expect(shares.count == min(count, total))
    #expect(shares.flatMap { $0.flatMap(Array.init) } == ranges.flatMap(Array.init))
    let sizes = shares.map { $0.reduce(0) { $0 + $1.count } }
    #expect((sizes.max() ?? 0) - (sizes.min() ?? 0) <= 1)
  }

  @Test(arguments: [[0..<500], [0..<40, 45..<46, 60..<300]], [nil, 0, 6])
  func threadsOfAnySpeedMakeEveryRowOnce(_ ranges: [Range<Int>], overlap: Int?) {
    var random = Seeded(state: 21)
    for _ in 0..<50 {
      let count = Int.random(in: 1...4, using: &random)
      let speeds = (0..<count).map { _ in Int.random(in: 1...20, using: &random) }
      var threads = Simulation(
        RowShares(ranges, among: count, overlap: overlap), step: .random(in: 1...4, using: &random))
      while !threads.areDone {
        for thread in 0..<count where Int.random(in: 1...20, using: &random) <= speeds[thread] { threads.step(thread) }
      }
      #expect(threads.made.sorted() == ranges.flatMap(Array.init))
    }
  }

  @Test func whatASlowThreadHasNotBegunIsTaken() {
    var threads = Simulation(RowShares([0..<1000], among: 2, overlap: 10), step: 1)
    for _ in 0..<100 { threads.step(1) }
    while !threads.isDone[0] { threads.step(0) }
    let made = threads.made.count
    while !threads.areDone { threads.step(1) }
    #expect(threads.made.count - made <= 30)
    #expect(threads.made.sorted() == Array(0..<1000))
  }

  @Test func aCutRangeGivesTheSameBits() {
    var random = Seeded(state: 22)
    for table in KernelTable.available {
      let network = Network(integers: NetworkShape(channels: [16, 16, 16]).make(&random))
      let runner = NetworkRunner(network, threads: 1, table: table)
      let input = TestPlane(width: 30, height: 50, depth: 8)
      input.samples = (0..<30 * 50).map { _ in UInt16.random(in: 0...255, using: &random) }
      let (whole, cut) = (TestPlane(width: 60, height: 100, depth: 8), TestPlane(width: 60, height: 100, depth: 8))
      runner.run(luma: input.plane, depth: 8, into: whole.mutable, outputDepth: 8)
      let job = Band.Job(
        inputs: [input.plane], inputDepth: 8, outputs: [cut.mutable], outputDepth: 8,
        arithmetic: EndingArithmetic(runner.plan.network.ending, inputDepth: 8, outputDepth: 8))
      let before = cut.samples
      runner.bands[0].run(job, rows: 3..<50) { $0 > 20 ? 31 : 50 }
      #expect(cut.samples.dropFirst(60 * 62) == before.dropFirst(60 * 62), "rows beyond the cut are another's")
      runner.bands[0].run(job, rows: 31..<50)
      runner.bands[0].run(job, rows: 0..<3)
      #expect(cut.samples == whole.samples)
    }
  }
}

/// Threads that make a step when they are told to.
private struct Simulation {
  private let shares: RowShares
  private let stepRows: Int
  private var places: [Int?]
  private(set) var made: [Int] = []
  private(set) var isDone: [Bool]

  var areDone: Bool { isDone.allSatisfy { $0 } }

  init(_ shares: RowShares, step: Int) {
    self.shares = shares
    stepRows = step
    places = .init(repeating: nil, count: shares.threads)
    isDone = .init(repeating: false, count: shares.threads)
  }

  mutating func step(_ thread: Int) {
    guard !isDone[thread] else { return }
    guard let place = places[thread] ?? shares.next(for: thread)?.lowerBound else { return isDone[thread] = true }
    let end = min(place + stepRows, shares.proceed(thread, to: place + stepRows))
    made += place..<max(place, end)
    places[thread] = end == place + stepRows ? end : nil
  }
}
